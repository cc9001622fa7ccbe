"""Changes as they are committed, for as long as the client listens."""

import asyncio
import re
from typing import Final

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from console_api.http.auth import identify
from console_api.http.bodies import StreamQuery
from console_api.http.connection import AnyRequest
from console_api.http.context import TOKEN, console_of, principal_of, put_on_record
from console_api.http.decode import read_query
from console_api.http.problem import at_header
from console_api.http.route import route
from console_api.http.sse import HEARTBEAT, Listener

_ID: Final = re.compile(r"[0-9]{1,18}")


class SlowClientError(Exception):
    """The client did not read for too long; it may resume where it stopped."""


class EventStream(ASGIResponse):
    """A listener's stream. It holds nothing that waits for the client but one page of changes."""

    _should_set_content_length = False

    def __init__(self, request: AnyRequest, listener: Listener) -> None:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(media_type="text/event-stream; charset=utf-8", headers=headers)
        self._request = request
        self._console = console_of(request)
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, if there is a place for one more stream."""
        with self._console.streams.place():
            await super().__call__(scope, receive, send)

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Send until the client leaves, is too slow, may no longer listen, or the console stops."""
        metrics = self._console.metrics
        metrics.streams.inc()
        following = asyncio.create_task(self._follow(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({following, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            metrics.streams.dec()
            following.cancel()
            leaving.cancel()
            ended, _ = await asyncio.gather(following, leaving, return_exceptions=True)
            await self._record()
        if isinstance(ended, SlowClientError):
            metrics.slow_streams.inc()
        elif isinstance(ended, Exception):
            raise ended
        await self._send(send, b"", more=False)

    async def _follow(self, send: Send) -> None:
        console, listener = self._console, self._listener
        await self._send(send, listener.begin())
        while not console.feed.grown.closed:
            grown = console.feed.grown.rung
            changes, gap = await console.feed.after(listener.cursor)
            if gap:
                first = changes[0].id - 1 if changes else console.feed.last
                await self._send(send, listener.gap(first))
            if changes:
                if told := listener.tell(changes):
                    await self._send(send, told)
                continue
            heartbeat = console.settings.limits.stream_heartbeat_s
            if not await console.feed.grown.wait(grown, heartbeat):
                if await identify(self._request, self._request.scope["state"][TOKEN]) is None:
                    return
                await self._record()
                await self._send(send, HEARTBEAT)

    async def _send(self, send: Send, body: bytes, *, more: bool = True) -> None:
        try:
            async with asyncio.timeout(self._console.settings.limits.stream_send_s):
                await send({"type": "http.response.body", "body": body, "more_body": more})
        except TimeoutError as error:
            raise SlowClientError from error

    async def _record(self) -> None:
        if cases := self._listener.take_unrecorded():
            await put_on_record(self._request, "stream_cases", cases)


@route("stream")
async def stream(request: AnyRequest) -> EventStream:
    """Send every change that this principal may see, from now on or from where it left off."""
    console = console_of(request)
    asked = _resume_after(request)
    if asked is not None and asked > console.feed.last:
        # Ids of another, newer database: the client has to begin again.
        asked = 0
    cursor = console.feed.last if asked is None else asked
    await put_on_record(request, "stream", detail={"after": cursor})
    return EventStream(request, Listener(principal_of(request), cursor))


def _resume_after(request: AnyRequest) -> int | None:
    header = request.headers.get("last-event-id", "").strip()
    query = read_query(request, StreamQuery)
    if not header:
        return query.last_event_id
    if not _ID.fullmatch(header):
        raise at_header("Last-Event-ID", "send the id of the last event that you have")
    return int(header)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
