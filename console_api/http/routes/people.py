"""People: who they are and what they may do."""

import asyncio

import msgspec
from litestar import Response
from sqlalchemy import Connection

from console_api import store
from console_api.accounts import users
from console_api.accounts.audit import Entry, record
from console_api.accounts.errors import InvalidAccountError, UnknownAccountError
from console_api.accounts.roles import Role
from console_api.accounts.users import User
from console_api.errors import NotFoundError
from console_api.http.answers import UserAnswer, UsersAnswer
from console_api.http.bodies import NewUser, PageQuery, UserChange
from console_api.http.connection import AnyRequest
from console_api.http.context import address_of, console_of, json_answer, principal_of
from console_api.http.decode import read_query
from console_api.http.read import json_body
from console_api.http.route import route


@route("list_users")
async def list_users(request: AnyRequest) -> Response[bytes]:
    """List people by name."""
    query = read_query(request, PageQuery)
    found = await console_of(request).database.read(
        users.list_users, after=query.cursor, limit=query.limit
    )
    more = found[-1].name if len(found) == query.limit else None
    return json_answer(UsersAnswer([_answer(user) for user in found], more))


@route("add_user")
async def add_user(request: AnyRequest) -> Response[bytes]:
    """Add a person."""
    new = await json_body(request, NewUser)
    hashed = await _hash(request, new.password)
    user = await console_of(request).database.write_quietly(_add, request, new, hashed)
    return json_answer(_answer(user), 201, {"location": f"/v1/users/{user.name}"})


@route("change_user")
async def change_user(request: AnyRequest) -> Response[bytes]:
    """Change a person; what they had open ends."""
    change = await json_body(request, UserChange)
    hashed = await _hash(request, change.password) if change.password is not None else None
    user = await console_of(request).database.write_quietly(_change, request, change, hashed)
    return json_answer(_answer(user))


async def _hash(request: AnyRequest, password: str) -> str:
    console = console_of(request)
    return await asyncio.get_running_loop().run_in_executor(
        console.labour, console.passwords.hash, password
    )


def _add(connection: Connection, request: AnyRequest, new: NewUser, hashed: str) -> User:
    _check_unit(connection, new.unit)
    added = users.add_user(
        connection,
        name=new.username,
        role=new.role,
        unit=new.unit,
        password_hash=hashed,
        now=console_of(request).now(),
    )
    _record(connection, request, "add_user", added)
    return added


def _change(
    connection: Connection, request: AnyRequest, change: UserChange, hashed: str | None
) -> User:
    name = users.canonical_name(str(request.path_params["user"]))
    present = users.find_user(connection, name)
    if present is None:
        raise UnknownAccountError(name)
    role = present.role if change.role is None else change.role
    kept = present.unit if role is Role.OFFICER else None
    unit = kept if change.unit is msgspec.UNSET else change.unit
    active = present.active if change.active is None else change.active
    if name == principal_of(request).name and (role is not present.role or not active):
        raise InvalidAccountError("role", "nobody takes the own role away; ask another supervisor")
    _check_unit(connection, unit)
    changed = users.change_user(
        connection, name, role=role, unit=unit, active=active, password_hash=hashed
    )
    _record(connection, request, "change_user", changed)
    return changed


def _check_unit(connection: Connection, unit: str | None) -> None:
    if unit is None:
        return
    try:
        store.unit(connection, unit)
    except NotFoundError as error:
        raise InvalidAccountError("unit", str(error)) from error


def _record(connection: Connection, request: AnyRequest, action: str, user: User) -> None:
    entry = Entry(
        at=console_of(request).now(),
        actor=principal_of(request).name,
        address=address_of(request),
        action=action,
        detail={
            "user": user.name,
            "role": user.role.value,
            "unit": user.unit,
            "active": user.active,
        },
    )
    record(connection, [entry])


def _answer(user: User) -> UserAnswer:
    return UserAnswer(user.name, user.role, user.unit, user.active, user.created_at)
