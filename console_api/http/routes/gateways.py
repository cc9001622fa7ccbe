"""What gateways do: deliver events, wait for notices (docs/protocol.md §5)."""

import asyncio
from typing import Final

import msgspec
from litestar import Response

from console_api import store
from console_api.http.answers import EventsAnswer
from console_api.http.bodies import NoticesQuery
from console_api.http.connection import AnyRequest
from console_api.http.context import actor_of, console_of, json_answer
from console_api.http.decode import read_query
from console_api.http.problem import Kinds, Problem
from console_api.http.read import raw_body
from console_api.http.route import route

MOST_EVENTS: Final = 500
_BATCH: Final = msgspec.json.Decoder(list[msgspec.Raw])


@route("post_events")
async def post_events(request: AnyRequest) -> Response[bytes]:
    """Take a batch: each event stands alone, and all results are durable before the answer."""
    console = console_of(request)
    content = await raw_body(request, console.settings.limits.events_bytes)
    try:
        events = [bytes(event) for event in _BATCH.decode(content)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = f"the body is not a JSON array of CloudEvents: {error}"
        raise Problem(Kinds.MALFORMED_BODY, detail) from error
    if len(events) > MOST_EVENTS:
        detail = f"{len(events)} events are over {MOST_EVENTS}; send less at a time"
        raise Problem(Kinds.TOO_LARGE, detail, extensions={"limit_events": MOST_EVENTS})
    results = await console.database.write(
        store.ingest, events, console.now(), rules=console.rules, actor=actor_of(request)
    )
    for result in results:
        console.metrics.events.labels(result.status).inc()
    return json_answer(EventsAnswer(results))


@route("list_notices")
async def list_notices(request: AnyRequest) -> Response[bytes]:
    """Answer with the notices after a cursor, waiting for the first one if asked to."""
    console = console_of(request)
    query = read_query(request, NoticesQuery)
    loop = asyncio.get_running_loop()
    until = loop.time() + query.wait
    with console.waiters.place():
        while True:
            rung = console.committed.rung
            page = await console.database.read(store.notices, query.after)
            left = until - loop.time()
            if page.notices or left <= 0 or console.committed.closed:
                return json_answer(page)
            await console.committed.wait(rung, left)
