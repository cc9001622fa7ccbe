"""A very small HTTP server: /healthz, /readyz and /metrics, GET only."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

_HEAD_LIMIT: Final = 8 * 1024
_TIMEOUT_S: Final = 5.0
_METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_TEXT_TYPE: Final = "text/plain; charset=utf-8"
Answer = tuple[HTTPStatus, str, bytes]


class HealthServer:
    """Answers one request a connection, within a time limit, and closes it."""

    def __init__(self, problems: Callable[[], list[str]], metrics: Callable[[], bytes]) -> None:
        self._problems = problems
        self._metrics = metrics
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen; raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=_HEAD_LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop to listen."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(*self._answer(head)))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def _answer(self, head: bytes) -> Answer:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method != b"GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, _TEXT_TYPE, b"only GET\n"
        if path == b"/healthz":
            return HTTPStatus.OK, _TEXT_TYPE, b"ok\n"
        if path == b"/readyz":
            return self._readiness()
        if path == b"/metrics":
            return HTTPStatus.OK, _METRICS_TYPE, self._metrics()
        return HTTPStatus.NOT_FOUND, _TEXT_TYPE, b"there are /healthz, /readyz and /metrics\n"

    def _readiness(self) -> Answer:
        problems = self._problems()
        if problems:
            text = "".join(f"{problem}\n" for problem in problems)
            return HTTPStatus.SERVICE_UNAVAILABLE, _TEXT_TYPE, text.encode()
        return HTTPStatus.OK, _TEXT_TYPE, b"ready\n"


def _response(status: HTTPStatus, content_type: str, content: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + content
