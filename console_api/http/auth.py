"""Who asks, and may they: checked before a handler sees the request or its body.

Cookies are sent by a browser whoever makes it ask, so a request that changes something
on the word of a cookie alone must also show that it comes from the console's own page.
"""

from typing import Final
from urllib.parse import urlsplit

from litestar.handlers import BaseRouteHandler

from console_api.accounts.roles import may
from console_api.accounts.sessions import Principal, find_principal
from console_api.http.call import Call
from console_api.http.connection import AnyConnection
from console_api.http.context import PRINCIPAL, TOKEN, console_of
from console_api.http.problem import Kinds, Problem

COOKIE: Final = "siaga_session"
OWN_PAGE_HEADER: Final = "x-siaga-request"
_LONGEST_TOKEN: Final = 200


async def guard(connection: AnyConnection, handler: BaseRouteHandler) -> None:
    """Let a call through, or raise the Problem that says why not."""
    call = handler.opt.get("call")
    if not isinstance(call, Call) or call.public:
        return
    token, by_cookie = _token(connection)
    if by_cookie and call.method != "GET":
        _check_own_page(connection)
    principal = await identify(connection, token)
    if principal is None:
        raise _login_first("the token is unknown, has expired or was revoked; log in again")
    if not may(principal.role, call.name):
        detail = f"the role {principal.role} may not do this ({call.name}); ask a supervisor"
        raise Problem(Kinds.NOT_ALLOWED, detail)
    connection.scope["state"][PRINCIPAL] = principal
    connection.scope["state"][TOKEN] = token


async def identify(connection: AnyConnection, token: str) -> Principal | None:
    """Return whose token this is now."""
    console = console_of(connection)
    return await console.database.read(find_principal, token, console.now())


def _token(connection: AnyConnection) -> tuple[str, bool]:
    authorization = connection.headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token.strip()) <= _LONGEST_TOKEN:
            raise _login_first("send the header Authorization: Bearer <token>")
        return token.strip(), False
    cookie = connection.cookies.get(COOKIE)
    if not cookie or len(cookie) > _LONGEST_TOKEN:
        raise _login_first("log in with POST /v1/session and send its token")
    return cookie, True


def _check_own_page(connection: AnyConnection) -> None:
    if connection.headers.get(OWN_PAGE_HEADER):
        return  # another site's page cannot set it without asking first, and is refused then
    origin = urlsplit(connection.headers.get("origin", ""))
    if origin.netloc and origin.netloc == connection.headers.get("host"):
        return
    detail = (
        "a change by cookie needs the Origin of this console or the header"
        " X-Siaga-Request: 1; or send Authorization: Bearer <token>"
    )
    raise Problem(Kinds.CROSS_SITE, detail)


def _login_first(detail: str) -> Problem:
    return Problem(
        Kinds.NOT_AUTHENTICATED, detail, headers={"www-authenticate": 'Bearer realm="siaga"'}
    )
