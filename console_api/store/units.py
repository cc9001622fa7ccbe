"""Units: who can be sent, what for, and where they are."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from console_api.cycle.model import Actor, Category, Point, State
from console_api.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from console_api.proposals import UnitFacts, UnitPosition, UnitStatus
from console_api.store.changes import add_change
from console_api.store.engine import reading, writing
from console_api.store.log import Entry, append, data_text
from console_api.store.schema import cases
from console_api.store.schema import units as table
from console_api.store.times import from_ms, to_ms
from console_api.store.views import UnitPage, UnitView

# From the dispatch until the work on site is done; the paperwork keeps nobody from driving.
ACTIVE_STATES = (State.DISPATCHED, State.ACCEPTED, State.ARRIVED)


def add_unit(
    connection: Connection,
    unit_id: str,
    name: str,
    categories: Sequence[Category],
    *,
    actor: Actor,
    now: datetime,
    at: Point | None = None,
) -> UnitView:
    """Add a unit, available at once. Raises `AlreadyExistsError`, `InvalidInputError`."""
    _check_name("id", unit_id, 64)
    _check_name("name", name, 200)
    with writing(connection):
        if _row(connection, unit_id) is not None:
            raise AlreadyExistsError("unit", unit_id)
        connection.execute(
            insert(table).values(
                id=unit_id,
                name=name,
                categories=_categories(categories),
                status="available",
                lat=at.lat if at else None,
                lon=at.lon if at else None,
                position_ms=to_ms(now) if at else None,
            )
        )
        data = data_text({"unit": unit_id, "name": name, "categories": list(categories)})
        append(connection, [Entry(at=now, actor=actor, kind="unit_added", data=data)])
        return tell_unit(connection, unit_id)


def change_unit(
    connection: Connection,
    unit_id: str,
    actor: Actor,
    now: datetime,
    *,
    name: str | None = None,
    categories: Sequence[Category] | None = None,
    status: UnitStatus | None = None,
) -> UnitView:
    """Change what is given. Raises `NotFoundError`, `InvalidInputError`."""
    changed: dict[str, str] = {}
    if name is not None:
        _check_name("name", name, 200)
        changed["name"] = name
    if categories is not None:
        changed["categories"] = _categories(categories)
    if status is not None:
        changed["status"] = status
    with writing(connection):
        view = unit(connection, unit_id)
        if not changed:
            return view
        connection.execute(update(table).where(table.c.id == unit_id).values(**changed))
        data = data_text({"unit": unit_id, **changed})
        append(connection, [Entry(at=now, actor=actor, kind="unit_changed", data=data)])
        return tell_unit(connection, unit_id)


def place_unit(
    connection: Connection, unit_id: str, at: Point, measured_at: datetime | None, now: datetime
) -> UnitView:
    """Say where a unit is; a position older than the known one changes nothing.

    Positions are not in the log: a unit's way is nobody's record, only its place is needed.
    Raises `NotFoundError`, and `InvalidInputError` for a place that is not on Earth.
    """
    if not (abs(at.lat) <= 90 and abs(at.lon) <= 180):
        raise InvalidInputError("position", f"{at.lat}, {at.lon} is not in WGS 84 degrees")
    # A unit's clock that is ahead would hold its place for as long as it is ahead.
    measured = to_ms(now if measured_at is None else min(measured_at, now))
    with writing(connection):
        row = _row(connection, unit_id)
        if row is None:
            raise NotFoundError("unit", unit_id)
        if row.position_ms is not None and row.position_ms > measured:
            return _view(row, _busy(connection))
        connection.execute(
            update(table)
            .where(table.c.id == unit_id)
            .values(lat=at.lat, lon=at.lon, position_ms=measured)
        )
        return tell_unit(connection, unit_id)


def unit(connection: Connection, unit_id: str) -> UnitView:
    """Return a unit. Raises `NotFoundError`."""
    with reading(connection):
        row = _row(connection, unit_id)
        if row is None:
            raise NotFoundError("unit", unit_id)
        return _view(row, _busy(connection))


def units(connection: Connection, *, cursor: str | None = None, limit: int = 50) -> UnitPage:
    """List units by id, from the cursor on."""
    with reading(connection):
        rows = connection.execute(
            select(table).where(table.c.id > (cursor or "")).order_by(table.c.id).limit(limit + 1)
        ).all()
        busy = _busy(connection)
    page = rows[:limit]
    more = len(rows) > limit
    return UnitPage(tuple(_view(row, busy) for row in page), page[-1].id if more else None)


def all_units(connection: Connection) -> tuple[UnitFacts, ...]:
    """Return what a proposal needs to know of every unit."""
    busy = _busy(connection)
    rows = connection.execute(select(table).order_by(table.c.id)).all()
    return tuple(_facts(_view(row, busy)) for row in rows)


def unit_problem(connection: Connection, unit_id: str) -> str | None:
    """Say why a unit can't be sent, None if it can. A busy one can: the operator decides."""
    row = _row(connection, unit_id)
    if row is None:
        return f"there is no unit {unit_id!r}; choose one of the units proposed for the case"
    if row.status == "off":
        return f"unit {unit_id} is off duty; choose another one or set it available first"
    return None


def tell_unit(connection: Connection, unit_id: str) -> UnitView:
    """Tell the stream how a unit is, in the open transaction."""
    view = unit(connection, unit_id)
    add_change(connection, "unit", unit_id, view, unit=unit_id)
    return view


def tell_units(connection: Connection, unit_ids: Iterable[str | None]) -> None:
    """Tell the stream about those of the units that exist."""
    for unit_id in unit_ids:
        if unit_id is not None and _row(connection, unit_id) is not None:
            tell_unit(connection, unit_id)


def _row(connection: Connection, unit_id: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(table).where(table.c.id == unit_id)).one_or_none()


def _busy(connection: Connection) -> dict[str, tuple[str, ...]]:
    rows = connection.execute(
        select(cases.c.unit, cases.c.id)
        .where(cases.c.unit.is_not(None), cases.c.open, cases.c.state.in_(ACTIVE_STATES))
        .order_by(cases.c.number)
    )
    busy: dict[str, tuple[str, ...]] = {}
    for row in rows:
        busy[row.unit] = (*busy.get(row.unit, ()), row.id)
    return busy


def _view(row: Row[tuple[object, ...]], busy: dict[str, tuple[str, ...]]) -> UnitView:
    working = busy.get(row.id, ())
    position = None
    if row.position_ms is not None:
        position = UnitPosition(row.lat, row.lon, from_ms(row.position_ms))
    return UnitView(
        id=row.id,
        name=row.name,
        categories=msgspec.json.decode(row.categories, type=tuple[Category, ...]),
        status="busy" if working and row.status != "off" else row.status,
        position=position,
        cases=working,
    )


def _facts(view: UnitView) -> UnitFacts:
    return UnitFacts(
        id=view.id,
        name=view.name,
        categories=view.categories,
        status=view.status,
        position=view.position,
    )


def _categories(categories: Sequence[Category]) -> str:
    if not categories:
        raise InvalidInputError("categories", "a unit needs at least one category")
    return msgspec.json.encode(tuple(dict.fromkeys(categories))).decode()


def _check_name(where: str, value: str, longest: int) -> None:
    if not value.strip() or len(value) > longest or not value.isprintable():
        raise InvalidInputError(where, f"use 1 to {longest} printable characters")
