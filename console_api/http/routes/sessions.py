"""Logging in and out."""

import asyncio
import secrets
from datetime import timedelta
from typing import TypeVar

from litestar import Response
from litestar.datastructures import Cookie
from sqlalchemy import Connection

from console_api.accounts.audit import Entry, record
from console_api.accounts.errors import ThrottledError, WrongCredentialsError
from console_api.accounts.moments import from_ms
from console_api.accounts.roles import SERVICES
from console_api.accounts.sessions import (
    SESSION_PREFIX,
    close_session,
    expiry_of,
    open_session,
)
from console_api.accounts.users import find_user, password_of, set_password
from console_api.http.answers import SessionAnswer, WhoAnswer
from console_api.http.auth import COOKIE
from console_api.http.bodies import Credentials
from console_api.http.connection import AnyRequest
from console_api.http.context import (
    TOKEN,
    Console,
    address_of,
    console_of,
    json_answer,
    principal_of,
    put_on_record,
)
from console_api.http.read import json_body
from console_api.http.route import route

Content = TypeVar("Content")


@route("open_session")
async def log_in(request: AnyRequest) -> Response[bytes]:
    """Check a password, open a session, and hand out its token and cookie."""
    console = console_of(request)
    credentials = await json_body(request, Credentials)
    name, address = credentials.username.strip().lower(), address_of(request)
    wait = console.throttle.attempt(name, address, console.now())
    if wait > timedelta(0):
        console.metrics.logins.labels("throttled").inc()
        raise ThrottledError(wait)
    stored = await console.database.read(password_of, name)
    right = await asyncio.get_running_loop().run_in_executor(
        console.labour, console.passwords.check, stored, credentials.password
    )
    if not right or stored is None:
        console.metrics.logins.labels("refused").inc()
        refused = Entry(console.now(), name, address, "login_refused")
        await console.database.write_quietly(record, [refused])
        raise WrongCredentialsError
    console.throttle.succeed(name, address)
    console.metrics.logins.labels("opened").inc()
    better = await _stronger_hash(console, stored, credentials.password)
    token = SESSION_PREFIX + secrets.token_urlsafe(32)
    answer = await console.database.write_quietly(
        _open, console, name=name, address=address, token=token, better_hash=better
    )
    return _with_cookie(console, json_answer(answer), token, console.settings.session_hours)


@route("show_session")
async def show(request: AnyRequest) -> Response[bytes]:
    """Say who is asking."""
    principal = principal_of(request)
    expires = None
    if principal.role not in SERVICES:
        token: str = request.scope["state"][TOKEN]
        expires = await console_of(request).database.read(expiry_of, token)
    moment = from_ms(expires) if expires is not None else None
    return json_answer(WhoAnswer(principal.name, principal.role, principal.unit, moment))


@route("close_session")
async def log_out(request: AnyRequest) -> Response[None]:
    """End this session."""
    console = console_of(request)
    await put_on_record(request, "logout")
    await console.database.write_quietly(close_session, request.scope["state"][TOKEN])
    return _with_cookie(console, Response(None, status_code=204), "", 0)


def _open(
    connection: Connection,
    console: Console,
    *,
    name: str,
    address: str,
    token: str,
    better_hash: str | None,
) -> SessionAnswer:
    user = find_user(connection, name)
    if user is None or not user.active:
        raise WrongCredentialsError
    if better_hash is not None:
        set_password(connection, name, better_hash)
    now = console.now()
    lasts = timedelta(hours=console.settings.session_hours)
    expires = open_session(
        connection, user=name, token=token, address=address, now=now, lasts=lasts
    )
    record(connection, [Entry(now, name, address, "login")])
    return SessionAnswer(token, expires, user.name, user.role, user.unit)


async def _stronger_hash(console: Console, stored: str, password: str) -> str | None:
    if not console.passwords.outdated(stored):
        return None
    return await asyncio.get_running_loop().run_in_executor(
        console.labour, console.passwords.hash, password
    )


def _with_cookie(
    console: Console, response: Response[Content], token: str, hours: float
) -> Response[Content]:
    response.set_cookie(
        Cookie(
            key=COOKIE,
            value=token,
            path="/",
            httponly=True,
            samesite="strict",
            secure=console.settings.secure_cookie,
            max_age=int(hours * 3600),
        ),
    )
    return response
