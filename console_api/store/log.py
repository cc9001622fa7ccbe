"""The append-only, hash-chained log of everything that happened.

One chain for the deployment: an event's hash covers the hash before it and every
field of its own, so that no byte, row or order can change unnoticed but by computing
all later hashes anew. What the anchors are for, see `console_api.store.anchor`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256

import msgspec
from sqlalchemy import Connection, Row, insert, select

from console_api.cycle.events import CaseBody, Event
from console_api.cycle.model import Actor, Role
from console_api.errors import LogCorruptError
from console_api.store.schema import events
from console_api.store.times import from_ms, from_ms_or_none, to_ms, to_ms_or_none
from console_api.store.views import JsonObject

GENESIS = bytes(32)

# The columns that the hash covers, in the order in which it covers them: all but itself.
COVERED = tuple(column.name for column in events.columns if column.name != "hash")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An event to append. `cause` is the CloudEvent's id, which comes only once."""

    at: datetime
    actor: Actor
    kind: str
    data: str
    wall: datetime | None = None
    case_id: str | None = None
    version: int | None = None
    device: str | None = None
    cause: str | None = None


class Head(msgspec.Struct, frozen=True):
    """The latest event's number and hash; (0, zeros) of an empty log."""

    seq: int
    hash: bytes


def append(connection: Connection, entries: Sequence[Entry]) -> Head:
    """Append events in the open transaction and return the new head."""
    last = head(connection)
    for entry in entries:
        values: dict[str, int | str | None] = {
            "seq": last.seq + 1,
            "at_ms": to_ms(entry.at),
            "wall_ms": to_ms_or_none(entry.wall),
            "case_id": entry.case_id,
            "version": entry.version,
            "kind": entry.kind,
            "actor": entry.actor.name,
            "role": entry.actor.role.value,
            "unit": entry.actor.unit,
            "address": entry.actor.address,
            "device": entry.device,
            "cause": entry.cause,
            "data": entry.data,
        }
        last = Head(last.seq + 1, link(last.hash, [values[name] for name in COVERED]))
        connection.execute(insert(events).values(**values, hash=last.hash))
    return last


def head(connection: Connection) -> Head:
    """Return the latest event's number and hash."""
    row = connection.execute(
        select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)
    ).one_or_none()
    return Head(0, GENESIS) if row is None else Head(row.seq, row.hash)


def link(previous: bytes, fields: Sequence[int | str | None]) -> bytes:
    """Hash one event onto the chain."""
    return link_raw(previous, [_raw(value) for value in fields])


def link_raw(previous: bytes, fields: Sequence[tuple[str, bytes]]) -> bytes:
    """Hash one event whose fields are given as storage class and bytes.

    Each is written with its class and length, so that no two events give the same bytes.
    """
    covered = b"".join(b"%b %d:%b," % (kind.encode(), len(data), data) for kind, data in fields)
    return sha256(previous + covered).digest()


def _raw(value: int | str | None) -> tuple[str, bytes]:
    if value is None:
        return "null", b""
    if isinstance(value, int):
        return "integer", str(value).encode()
    return "text", value.encode()


def body_text(body: msgspec.Struct) -> str:
    """Encode an event's body as the log keeps it."""
    return msgspec.json.encode(body).decode()


_BODY = msgspec.json.Decoder(CaseBody)


def case_events(connection: Connection, case_id: str) -> Iterator[tuple[int, Event]]:
    """Read a case's events in order, each with its number.

    Raises `LogCorruptError` for a row that is no event.
    """
    rows = connection.execute(
        select(events).where(events.c.case_id == case_id).order_by(events.c.seq)
    )
    for row in rows:
        yield row.seq, read_event(row)


def read_event(row: Row[tuple[object, ...]]) -> Event:
    """Read one row of a case. Raises `LogCorruptError`."""
    try:
        return Event(
            at=from_ms(row.at_ms),
            wall=from_ms_or_none(row.wall_ms),
            actor=Actor(row.actor, Role(row.role), row.unit, row.address),
            body=_BODY.decode(row.data),
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise LogCorruptError(row.seq, str(error)) from error


def is_known(connection: Connection, cause: str) -> bool:
    """Whether an event with this cause is in the log."""
    found = connection.execute(select(events.c.seq).where(events.c.cause == cause))
    return found.first() is not None


def data_text(data: JsonObject) -> str:
    """Encode what is no case's event as the log keeps it."""
    return msgspec.json.encode(data, order="deterministic").decode()
