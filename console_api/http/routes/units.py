"""Units and where they are."""

from litestar import Response

from console_api import store
from console_api.cycle.model import Point
from console_api.http.bodies import NewUnit, Nothing, PageQuery, UnitChange, UnitPlace
from console_api.http.connection import AnyRequest
from console_api.http.context import actor_of, console_of, json_answer, unit_of_officer
from console_api.http.decode import read_query
from console_api.http.problem import Kinds, Problem
from console_api.http.read import json_body
from console_api.http.route import route


@route("list_units")
async def list_units(request: AnyRequest) -> Response[bytes]:
    """List units by id."""
    query = read_query(request, PageQuery)
    page = await console_of(request).database.read(
        store.units, cursor=query.cursor, limit=query.limit
    )
    return json_answer(page)


@route("show_unit")
async def show_unit(request: AnyRequest) -> Response[bytes]:
    """Show a unit."""
    read_query(request, Nothing)
    unit = await console_of(request).database.read(store.unit, request.path_params["unit"])
    return json_answer(unit)


@route("add_unit")
async def add_unit(request: AnyRequest) -> Response[bytes]:
    """Add a unit."""
    console = console_of(request)
    new = await json_body(request, NewUnit)
    unit = await console.database.write(
        store.add_unit,
        new.id,
        new.name,
        new.categories,
        actor=actor_of(request),
        now=console.now(),
        at=Point(new.position.lat, new.position.lon) if new.position else None,
    )
    return json_answer(unit, 201, {"location": f"/v1/units/{unit.id}"})


@route("change_unit")
async def change_unit(request: AnyRequest) -> Response[bytes]:
    """Change a unit; an officer may change only the status of the own one."""
    console = console_of(request)
    identity = _own(request)
    change = await json_body(request, UnitChange)
    if unit_of_officer(request) is not None and (change.name or change.categories):
        detail = "an officer may change only the status of the own unit; ask a supervisor"
        raise Problem(Kinds.NOT_ALLOWED, detail)
    unit = await console.database.write(
        store.change_unit,
        identity,
        actor_of(request),
        console.now(),
        name=change.name,
        categories=change.categories,
        status=change.status,
    )
    return json_answer(unit)


@route("move_unit")
async def move_unit(request: AnyRequest) -> Response[bytes]:
    """Take a unit's position."""
    console = console_of(request)
    identity = _own(request)
    place = await json_body(request, UnitPlace)
    now = console.now()
    measured = min(place.at or now, now)
    at = Point(place.lat, place.lon)
    return json_answer(await console.database.write(store.place_unit, identity, at, measured, now))


def _own(request: AnyRequest) -> str:
    identity: str = request.path_params["unit"]
    own = unit_of_officer(request)
    if own is not None and identity != own:
        raise Problem(Kinds.NOT_ALLOWED, f"an officer may change only the own unit, {own}")
    return identity
