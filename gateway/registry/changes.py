"""The change log: who changed what and when, one revision each; never a secret."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from gateway.registry.schema import CHANGE, STATE


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the log; `at_ms` is Unix time in milliseconds."""

    revision: int
    at_ms: int
    who: str
    action: str
    device_id: str | None
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class NewChange:
    """What is about to be logged."""

    action: str
    device_id: str | None
    details: Mapping[str, object]


def current_revision(connection: Connection) -> int:
    """Return the revision of the last change, 0 before the first."""
    revision: int = connection.execute(_REVISION).scalar_one()
    return revision


def record(connection: Connection, who: str, at_ms: int, changes: Sequence[NewChange]) -> None:
    """Log changes under the next revisions."""
    if not changes:
        return
    connection.execute(update(STATE).values(revision=STATE.c.revision + len(changes)))
    first = current_revision(connection) - len(changes) + 1
    connection.execute(
        insert(CHANGE),
        [
            {
                "revision": first + number,
                "at_ms": at_ms,
                "who": who,
                "action": change.action,
                "device_id": change.device_id,
                "details": json.dumps(change.details, ensure_ascii=False, sort_keys=True),
            }
            for number, change in enumerate(changes)
        ],
    )


def read(
    connection: Connection, after: int, limit: int, device_id: str | None
) -> tuple[Change, ...]:
    """Return the next changes after a revision, oldest first."""
    query = select(CHANGE).where(CHANGE.c.revision > after).order_by(CHANGE.c.revision)
    if device_id is not None:
        query = query.where(CHANGE.c.device_id == device_id)
    return tuple(
        Change(row.revision, row.at_ms, row.who, row.action, row.device_id, json.loads(row.details))
        for row in connection.execute(query.limit(limit))
    )


_REVISION = select(STATE.c.revision)
