"""Print every measured claim as one table: `python -m benchmarks [NAME ...]`."""

import argparse
import importlib
import platform
import sys
import time
from types import ModuleType

from rich.console import Console
from rich.table import Table

from benchmarks.table import Row

MODULES = ("button", "ingest", "latency")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures each claim beside its limit in the same run.",
        epilog="example: python -m benchmarks ingest latency",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(MODULES)}")
    names = parser.parse_args().names or MODULES
    unknown = [name for name in names if name not in MODULES]
    if unknown:
        parser.error(f"no benchmark '{unknown[0]}'; there are {', '.join(MODULES)}")
    table = Table("claim", "measured", "limit", "ratio", title=_machine())
    progress = Console(stderr=True)
    for name in names:
        started = time.monotonic()
        progress.print(f"{name} …")
        for row in _rows(importlib.import_module(f"benchmarks.{name}")):
            table.add_row(row.claim, row.measured, row.limit, row.ratio)
        progress.print(f"{name}: {time.monotonic() - started:.0f} s")
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    return 0


def _rows(module: ModuleType) -> list[Row]:
    rows: list[Row] = module.rows()
    return rows


def _machine() -> str:
    return f"{platform.machine()}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"


if __name__ == "__main__":
    sys.exit(main())
