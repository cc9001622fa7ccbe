"""Options and output that several commands share."""

import getpass
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

Data = Annotated[
    Path,
    typer.Option("--data", envvar="SIAGA_DATA", help="Folder of the deployment."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
DATA = Path("siaga-data")


def show(document: object, *, as_json: bool, columns: Sequence[str] = ()) -> None:
    """Print one document or a list of them, as JSON or as a table of some columns."""
    plain = msgspec.to_builtins(document)
    if as_json:
        typer.echo(json.dumps(plain, ensure_ascii=False))
        return
    rows = plain if isinstance(plain, list) else [plain]
    if not columns:
        columns = list(rows[0]) if rows else []
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console().print(table)


def read_password(from_stdin: bool, *, confirm: bool = True) -> str:  # noqa: FBT001  the value of one flag
    """Read a password from standard input's first line, or ask for it unseen."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    entered: str = typer.prompt("Password", hide_input=True, confirmation_prompt=confirm)
    return entered


def me() -> str:
    """Name the person at the terminal, for the change log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
