"""What the stream tells: one row a change, with ids that only rise.

A case's and an escalation's change keep what was true then. Of a device only the latest
change is kept: ten thousand heartbeats must not push the cases out.
"""

from typing import Literal

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from console_api.store.counters import read_counter, set_counter
from console_api.store.engine import reading
from console_api.store.schema import changes as table
from console_api.store.views import Change, ChangePage

KEPT = 20_000
_PRUNE_EVERY = 1_000


def changes(connection: Connection, after: int | None, *, limit: int = 200) -> ChangePage:
    """Return the changes after an id (None: all that are kept), oldest first.

    `last` is the id to ask on from; it stays at `after` when there is nothing new.
    """
    with reading(connection):
        pruned = read_counter(connection, "changes_pruned")
        rows = connection.execute(
            select(table).where(table.c.id > (after or 0)).order_by(table.c.id).limit(limit)
        ).all()
    found = tuple(
        Change(row.id, row.kind, row.subject, row.unit, msgspec.Raw(row.data.encode()))
        for row in rows
    )
    return ChangePage(
        changes=found,
        last=found[-1].id if found else after or 0,
        gap=after is not None and after < pruned,
    )


def last_change(connection: Connection) -> int:
    """Return the id of the latest change, 0 if there is none."""
    with reading(connection):
        return _last(connection)


def add_change(
    connection: Connection,
    kind: Literal["case", "unit", "device", "escalation"],
    subject: str,
    data: msgspec.Struct,
    *,
    unit: str | None = None,
) -> None:
    """Tell the stream, in the open transaction."""
    number = _last(connection) + 1
    if kind == "device":
        connection.execute(delete(table).where(table.c.kind == kind, table.c.subject == subject))
    connection.execute(
        insert(table).values(
            id=number,
            kind=kind,
            subject=subject,
            unit=unit,
            data=msgspec.json.encode(data).decode(),
        )
    )
    if number % _PRUNE_EVERY == 0 and number > KEPT:
        connection.execute(delete(table).where(table.c.id <= number - KEPT))
        set_counter(connection, "changes_pruned", number - KEPT)


def _last(connection: Connection) -> int:
    return connection.execute(select(func.max(table.c.id))).scalar_one() or 0
