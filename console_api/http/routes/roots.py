"""What machines and newcomers ask first: health, metrics, and what there is."""

from collections import Counter

from litestar import Response
from sqlalchemy import Connection, func, select

from console_api import store
from console_api.cycle.model import OPEN_STATES
from console_api.http.answers import HealthAnswer
from console_api.http.bodies import Nothing
from console_api.http.connection import AnyRequest
from console_api.http.context import console_of, json_answer
from console_api.http.decode import read_query
from console_api.http.docs_page import PAGE, POLICY
from console_api.http.openapi import DOCUMENT
from console_api.http.route import route
from console_api.store.schema import outbox


@route("health")
async def health(request: AnyRequest) -> Response[bytes]:
    """Answer, so that a supervisor sees that the process does."""
    read_query(request, Nothing)
    return json_answer(HealthAnswer("ok"))


@route("ready")
async def ready(request: AnyRequest) -> Response[bytes]:
    """Answer once the database does."""
    read_query(request, Nothing)
    await console_of(request).database.read(store.last_change)
    return json_answer(HealthAnswer("ok"))


@route("metrics")
async def metrics(request: AnyRequest) -> Response[bytes]:
    """Give the counters, with what the database holds at this moment."""
    console = console_of(request)
    waiting, depth = await console.database.read(_count)
    console.metrics.cases.clear()
    for (state, drill), count in waiting.items():
        console.metrics.cases.labels(state, str(drill).lower()).set(count)
    console.metrics.outbox.set(depth)
    return Response(console.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@route("openapi")
async def openapi(request: AnyRequest) -> Response[bytes]:
    """Give the description of the API."""
    read_query(request, Nothing)
    return Response(DOCUMENT, media_type="application/json")


@route("docs")
async def docs(request: AnyRequest) -> Response[bytes]:
    """Give the description as a page that needs nothing from elsewhere."""
    read_query(request, Nothing)
    headers = {"content-security-policy": POLICY}
    return Response(PAGE, media_type="text/html; charset=utf-8", headers=headers)


def _count(connection: Connection) -> tuple[Counter[tuple[str, bool]], int]:
    waiting = Counter({(state.value, drill): 0 for state in OPEN_STATES for drill in (True, False)})
    for (state, drill), count in store.count_by_state(connection).items():
        if state in OPEN_STATES:
            waiting[str(state), drill] += count
    unsent = select(func.count()).select_from(outbox).where(outbox.c.sent_ms.is_(None))
    return waiting, connection.execute(unsent).scalar_one()
