"""Checking the log itself: every byte of every row, its guards and its anchors."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Row, select, text

from console_api.store.anchor import read_anchors
from console_api.store.log import COVERED, GENESIS, Head, link, link_raw
from console_api.store.problem import Problem
from console_api.store.schema import events, outbox

_TRIGGERS = frozenset({"events_no_update", "events_no_delete"})


def check_guards(connection: Connection) -> list[Problem]:
    """Check that the database still refuses to change the log."""
    if connection.dialect.name != "sqlite":
        return []
    rows = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    missing = _TRIGGERS - {row.name for row in rows}
    return [
        Problem("log", name, "the trigger that keeps the log append-only is gone")
        for name in sorted(missing)
    ]


def check_chain(connection: Connection) -> Iterator[tuple[Head, list[Problem]]]:
    """Walk the chain; yields the head so far and what is wrong with each row."""
    last = Head(0, GENESIS)
    for seq, stored, computed in _links(connection):
        problems = []
        if seq != last.seq + 1:
            problems.append(Problem("log", f"event {seq}", f"does not follow event {last.seq}"))
        if stored != computed(last.hash):
            problems.append(
                Problem("log", f"event {seq}", "a field, or an event before it, was changed")
            )
        last = Head(seq, stored)
        yield last, problems


def check_anchors(
    connection: Connection, path: Path | None, head_seq: int
) -> tuple[int, list[Problem]]:
    """Check that the log still holds every head that was written down elsewhere."""
    problems = []
    wanted: list[tuple[str, int, str]] = []
    if path is not None and path.exists():
        anchors, bad = read_anchors(path)
        wanted += [(f"{path.name} of {anchor.at}", anchor.seq, anchor.hash) for anchor in anchors]
        problems += [
            Problem("anchor", f"{path.name} line {number}", "is no anchor") for number in bad
        ]
    for row in connection.execute(select(outbox.c.id, outbox.c.body)):
        witness = msgspec.json.decode(row.body, type=_Sent).data.log
        wanted.append((f"document {row.id}", witness.seq, witness.hash))
    for where, seq, digest in wanted:
        if seq == 0:
            continue
        if seq > head_seq:
            problems.append(
                Problem("anchor", where, f"the log had event {seq} and ends at {head_seq} now")
            )
            continue
        found = connection.execute(select(events.c.hash).where(events.c.seq == seq))
        stored = found.scalar_one_or_none()
        if not isinstance(stored, bytes) or stored.hex() != digest:
            problems.append(Problem("anchor", where, f"event {seq} is not the one it was"))
    return len(wanted), problems


class _Witness(msgspec.Struct, frozen=True):
    seq: int
    hash: str


class _SentData(msgspec.Struct, frozen=True):
    log: _Witness


class _Sent(msgspec.Struct, frozen=True):
    data: _SentData


class _Link:
    """One row: its own fields, ready to be hashed onto what comes before."""

    def __init__(self, row: Row[tuple[object, ...]], *, raw: bool) -> None:
        self._row = row
        self._raw = raw

    def __call__(self, previous: bytes) -> bytes:
        values = self._row[2:]
        if not self._raw:
            return link(previous, values)
        return link_raw(previous, list(zip(values[::2], map(_bytes, values[1::2]), strict=True)))


def _bytes(value: bytes | None) -> bytes:
    return b"" if value is None else value


def _links(connection: Connection) -> Iterator[tuple[int, bytes, _Link]]:
    """Read the rows as they are stored.

    SQLite stores any class of value in any column and text that is no UTF-8, so there the
    storage class and the bytes are read, and not what a driver makes of them.
    """
    raw = connection.dialect.name == "sqlite"
    if raw:
        fields = ", ".join(f"typeof({name}), CAST({name} AS BLOB)" for name in COVERED)
        rows = connection.execute(
            text(f"SELECT seq, CAST(hash AS BLOB), {fields} FROM events ORDER BY seq"),  # noqa: S608 - column names of our own schema
            execution_options={"yield_per": 500},
        )
    else:
        columns = [events.c[name] for name in COVERED]
        rows = connection.execute(
            select(events.c.seq.label("number"), events.c.hash, *columns).order_by(events.c.seq),
            execution_options={"yield_per": 500},
        )
    for row in rows:
        yield row[0], bytes(row[1] or b""), _Link(row, raw=raw)
