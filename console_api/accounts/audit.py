"""Who read or did what from where: rows are only ever added."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, insert, select

from console_api.accounts.moments import from_ms, to_ms
from console_api.accounts.tables import audit, audit_cases


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to put on record; `cases` are the ids of those it showed or changed."""

    at: datetime
    actor: str
    address: str
    action: str
    cases: Sequence[str] = ()
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as it stands in the log."""

    id: int
    at: datetime
    actor: str
    address: str
    action: str
    cases: list[str]
    detail: dict[str, object]


def record(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add entries in their order."""
    for entry in entries:
        added = connection.execute(
            insert(audit).values(
                at_ms=to_ms(entry.at),
                actor=entry.actor,
                address=entry.address,
                action=entry.action,
                cases=json.dumps(list(entry.cases)),
                detail=json.dumps(dict(entry.detail)),
            ),
        )
        (audit_id,) = added.inserted_primary_key or (None,)
        if entry.cases:
            rows = [{"case_id": case, "audit_id": audit_id} for case in dict.fromkeys(entry.cases)]
            connection.execute(insert(audit_cases), rows)


def list_entries(
    connection: Connection,
    *,
    before: int | None,
    limit: int,
    case: str | None = None,
    actor: str | None = None,
) -> list[Recorded]:
    """Return entries, newest first, those older than the id `before`."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    if case is not None:
        query = query.join(audit_cases, audit_cases.c.audit_id == audit.c.id)
        query = query.where(audit_cases.c.case_id == case)
    if actor is not None:
        query = query.where(audit.c.actor == actor)
    return [
        Recorded(
            id=row["id"],
            at=from_ms(row["at_ms"]),
            actor=row["actor"],
            address=row["address"],
            action=row["action"],
            cases=json.loads(row["cases"]),
            detail=json.loads(row["detail"]),
        )
        for row in connection.execute(query).mappings()
    ]
