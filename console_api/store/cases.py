"""Reading cases."""

from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, select

from console_api.cycle.events import Tracked
from console_api.errors import InvalidInputError, NotFoundError
from console_api.proposals import Proposal, propose
from console_api.rules import RULES, Rules
from console_api.store.engine import reading
from console_api.store.log import read_event
from console_api.store.projection import decode_case, require
from console_api.store.render import case_detail, case_view
from console_api.store.schema import cases as table
from console_api.store.schema import events, photos
from console_api.store.times import from_ms, to_ms
from console_api.store.units import all_units
from console_api.store.views import (
    CaseDetail,
    CaseFilter,
    CasePage,
    CaseView,
    EventView,
    PhotoView,
)

_PHOTO = msgspec.json.Decoder(PhotoView)


def case(
    connection: Connection, case_id: str, now: datetime, *, rules: Rules = RULES
) -> CaseDetail:
    """Return a case with all its events, positions and photos. Raises `NotFoundError`."""
    with reading(connection):
        found = require(connection, case_id)
        rows = connection.execute(
            select(events).where(events.c.case_id == case_id).order_by(events.c.seq)
        ).all()
        pictures = connection.execute(
            select(photos.c.data).where(photos.c.case_id == case_id).order_by(photos.c.id)
        ).all()
    return case_detail(
        found,
        now,
        rules,
        events=tuple(
            EventView(
                seq=row.seq,
                at=from_ms(row.at_ms),
                action=row.kind,
                actor=row.actor,
                role=row.role,
                from_address=row.address,
                data=msgspec.Raw(row.data.encode()),
            )
            for row in rows
        ),
        track=tuple(
            body.position
            for row in rows
            if row.kind == Tracked.__struct_config__.tag
            and isinstance(body := read_event(row).body, Tracked)
        ),
        photos=tuple(_PHOTO.decode(row.data) for row in pictures),
    )


def case_brief(
    connection: Connection, case_id: str, now: datetime, *, rules: Rules = RULES
) -> CaseView:
    """Return a case without its events. Raises `NotFoundError`."""
    with reading(connection):
        return case_view(require(connection, case_id), now, rules)


def cases(
    connection: Connection,
    wanted: CaseFilter,
    now: datetime,
    *,
    cursor: str | None = None,
    limit: int = 50,
    rules: Rules = RULES,
) -> CasePage:
    """List cases, newest first, from the cursor on. Raises `InvalidInputError`."""
    conditions = _conditions(wanted)
    if cursor is not None:
        if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 18:
            raise InvalidInputError("cursor", f"{cursor!r} is no cursor of a list of cases")
        conditions.append(table.c.number < int(cursor))
    with reading(connection):
        rows = connection.execute(
            select(table.c.number, table.c.snapshot)
            .where(and_(True, *conditions))  # noqa: FBT003 - SQL's true, for no condition at all
            .order_by(table.c.number.desc())
            .limit(limit + 1)
        ).all()
    page = rows[:limit]
    return CasePage(
        cases=tuple(case_view(decode_case(row.snapshot), now, rules) for row in page),
        next=str(page[-1].number) if len(rows) > limit else None,
    )


def proposals(
    connection: Connection, case_id: str, now: datetime, *, rules: Rules = RULES
) -> tuple[Proposal, ...]:
    """Return all units in the order in which to send them. Raises `NotFoundError`."""
    with reading(connection):
        return propose(require(connection, case_id), all_units(connection), now, rules)


def photo(connection: Connection, photo_id: str) -> PhotoView:
    """Return what is known of a photo. Raises `NotFoundError`."""
    with reading(connection):
        found = connection.execute(select(photos.c.data).where(photos.c.id == photo_id))
        data = found.scalar_one_or_none()
    if data is None:
        raise NotFoundError("photo", photo_id)
    return _PHOTO.decode(data)


def count_by_state(connection: Connection) -> dict[tuple[str, bool], int]:
    """Count cases by (state, drill)."""
    with reading(connection):
        rows = connection.execute(
            select(table.c.state, table.c.drill, func.count().label("count")).group_by(
                table.c.state, table.c.drill
            )
        ).all()
    return {(row.state, bool(row.drill)): row[2] for row in rows}


def _conditions(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state == "open":
        found.append(table.c.open)
    elif wanted.state is not None:
        found.append(table.c.state == wanted.state)
    if wanted.since is not None:
        found.append(table.c.received_ms >= to_ms(wanted.since))
    if wanted.q:
        found.append(table.c.search.contains(wanted.q.lower(), autoescape=True))
    equal = {
        table.c.category: wanted.category,
        table.c.area: wanted.area,
        table.c.device: wanted.device,
        table.c.drill: wanted.drill,
        table.c.unit: wanted.unit,
    }
    found.extend(column == value for column, value in equal.items() if value is not None)
    return found
