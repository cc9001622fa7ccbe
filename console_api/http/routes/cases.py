"""Cases: the list, one of them, and what people do to them."""

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from sqlalchemy import Connection

from console_api import store
from console_api.cycle import ACTIONS, Conflict, ConflictReason
from console_api.cycle.actions import Action
from console_api.errors import NotFoundError
from console_api.http.answers import ProposalsAnswer
from console_api.http.bodies import CasesQuery, Nothing
from console_api.http.connection import AnyRequest
from console_api.http.context import (
    actor_of,
    console_of,
    json_answer,
    put_on_record,
    unit_of_officer,
)
from console_api.http.decode import read_idempotency_key, read_query, read_version
from console_api.http.errors import conflict_problem
from console_api.http.read import json_body
from console_api.http.route import route
from console_api.store.views import CaseFilter, CaseView


@route("list_cases")
async def list_cases(request: AnyRequest) -> Response[bytes]:
    """List cases; an officer's are those dispatched to the own unit."""
    console = console_of(request)
    query = read_query(request, CasesQuery)
    own_unit = unit_of_officer(request)
    chosen = CaseFilter(
        state=query.state,
        category=query.category,
        area=query.area,
        device=query.device,
        since=query.since,
        drill=query.drill,
        unit=query.unit if own_unit is None else own_unit,
        q=query.q,
    )
    page = await console.database.read(
        store.cases,
        chosen,
        console.now(),
        cursor=query.cursor,
        limit=query.limit,
        rules=console.rules,
    )
    shown = tuple(case.id for case in page.cases)
    if shown:
        await put_on_record(request, "list_cases", shown)
    return json_answer(page)


@route("show_case")
async def show_case(request: AnyRequest) -> Response[bytes]:
    """Show a case with everything that happened to it."""
    console = console_of(request)
    read_query(request, Nothing)
    identity: str = request.path_params["case"]
    case = await console.database.read(store.case, identity, console.now(), rules=console.rules)
    check_reach(request, case)
    await put_on_record(request, "show_case", (identity,))
    return json_answer(case, headers=_etag(case))


@route("propose_units")
async def propose_units(request: AnyRequest) -> Response[bytes]:
    """Propose units for a case, each with the reasons for its place."""
    console = console_of(request)
    read_query(request, Nothing)
    identity: str = request.path_params["case"]
    found = await console.database.read(
        store.proposals, identity, console.now(), rules=console.rules
    )
    await put_on_record(request, "propose_units", (identity,))
    return json_answer(ProposalsAnswer(found))


def check_reach(request: AnyRequest, case: CaseView) -> None:
    """Let an officer reach only cases of the own unit; the others are not there for them."""
    unit = unit_of_officer(request)
    if unit is not None and case.unit != unit:
        raise NotFoundError("case", case.id)


def _etag(case: CaseView) -> dict[str, str]:
    return {"etag": f'"{case.version}"'}


def _act(
    connection: Connection, request: AnyRequest, action: Action, version: int, key: str | None
) -> CaseView | Conflict:
    console = console_of(request)
    identity: str = request.path_params["case"]
    done = store.act(
        connection,
        identity,
        action,
        actor=actor_of(request),
        seen_version=version,
        now=console.now(),
        idempotency_key=key,
        rules=console.rules,
    )
    if isinstance(done, Conflict) and done.reason is ConflictReason.UNIT:
        raise NotFoundError("case", identity)
    return done


def _handler(name: str, shape: type[Action]) -> HTTPRouteHandler:
    async def act(request: AnyRequest) -> Response[bytes]:
        read_query(request, Nothing)
        version, key = read_version(request), read_idempotency_key(request)
        action = await json_body(request, shape)
        done = await console_of(request).database.write(_act, request, action, version, key)
        if isinstance(done, Conflict):
            raise conflict_problem(done)
        return json_answer(done, headers=_etag(done))

    return route(f"{name}_case")(act)


ACTS = tuple(_handler(name, shape) for name, shape in ACTIONS.items())
