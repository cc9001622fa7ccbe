"""A call's body, read and checked as its row in the table says."""

from typing import TypeVar

from console_api.http.call import Call
from console_api.http.connection import AnyRequest
from console_api.http.context import console_of
from console_api.http.decode import check_media_type, decode_body, read_body

T = TypeVar("T")


async def raw_body(request: AnyRequest, limit: int) -> bytes:
    """Read a body of one of the call's media types within `limit` bytes."""
    call = call_of(request)
    check_media_type(request, call.media)
    return await read_body(request, limit, console_of(request).settings.limits.body_seconds)


async def json_body(request: AnyRequest, shape: type[T]) -> T:
    """Read a JSON body; no body at all is an empty object."""
    limits = console_of(request).settings.limits
    if _empty(request):
        return decode_body(b"{}", shape)
    content = await raw_body(request, limits.body_bytes)
    return decode_body(content or b"{}", shape)


def call_of(request: AnyRequest) -> Call:
    """Return the row of the table that this request is for."""
    call: Call = request.route_handler.opt["call"]
    return call


def _empty(request: AnyRequest) -> bool:
    headers = request.headers
    return headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
