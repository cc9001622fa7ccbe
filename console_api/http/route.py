"""From a row of the table of calls to a Litestar handler."""

import re
from collections.abc import Awaitable, Callable

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.response.base import ASGIResponse

from console_api.http.auth import guard
from console_api.http.calls import CALLS
from console_api.http.connection import AnyRequest

Handler = Callable[[AnyRequest], Awaitable[Response[bytes] | Response[None] | ASGIResponse]]


def route(name: str) -> Callable[[Handler], HTTPRouteHandler]:
    """Register a handler for the call of this name; its path, method and guard are the table's."""
    call = CALLS[name]

    def register(handler: Handler) -> HTTPRouteHandler:
        return HTTPRouteHandler(
            re.sub(r"\{(\w+)\}", r"{\1:str}", call.path),
            http_method=call.method,
            status_code=call.answer.status,
            opt={"call": call},
            guards=[guard],
            name=call.name,
            include_in_schema=False,
        )(handler)

    return register
