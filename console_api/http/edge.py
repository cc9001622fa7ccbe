"""The outermost layer: what every answer carries, and how long it took."""

import time
from typing import Final, cast

from litestar import Litestar
from litestar.datastructures import MutableScopeHeaders
from litestar.types import (
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    Message,
    Receive,
    Scope,
    Send,
)

from console_api.http.call import Call
from console_api.http.context import Console

_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
_STRICT_TRANSPORT: Final = "max-age=31536000"


class Application(Litestar):
    """Litestar, with the console's headers and measurements around every answer, 404 included."""

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
        else:
            await self._answer(scope, cast("Receive", receive), cast("Send", send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableScopeHeaders.from_message(message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("strict-transport-security", _STRICT_TRANSPORT)
            await send(message)

        try:
            await super().__call__(scope, receive, sending)
        finally:
            console = self.state.console
            if isinstance(console, Console):
                name = _name(scope)
                console.metrics.requests.labels(name, str(status)).inc()
                if name != "stream":
                    console.metrics.seconds.labels(name).observe(time.perf_counter() - begun)


def _name(scope: Scope) -> str:
    try:
        call = scope["route_handler"].opt.get("call")
    except KeyError:  # nothing is at this path
        return "none"
    return call.name if isinstance(call, Call) else "none"
