"""What every handler needs, put together once in `console_api.app`."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

import msgspec
from litestar import Response

from console_api.accounts.audit import Entry, record
from console_api.accounts.passwords import Passwords
from console_api.accounts.roles import SERVICES, Role
from console_api.accounts.sessions import Principal
from console_api.accounts.throttle import Throttle
from console_api.cycle import Actor
from console_api.cycle import Role as CycleRole
from console_api.executor import Database
from console_api.feed import Feed, Wakeup
from console_api.http.connection import AnyConnection
from console_api.http.metrics import Metrics
from console_api.http.problem import Kinds, Problem
from console_api.photos import PhotoFolder
from console_api.rules import Rules
from console_api.settings import ConsoleSettings

Shape = TypeVar("Shape")
PRINCIPAL: Final = "siaga_principal"
TOKEN: Final = "siaga_token"  # noqa: S105 - the key of a scope member, not a secret


class Places:
    """A fixed number of places for what keeps a connection open."""

    def __init__(self, most: int, what: str) -> None:
        self._free = most
        self._what = what

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place, or raise a Problem if all are taken."""
        if self._free == 0:
            detail = f"too many {self._what} at the same time; try again"
            raise Problem(Kinds.UNAVAILABLE, detail, headers={"retry-after": "5"})
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@dataclass(frozen=True, slots=True)
class Console:
    """The parts of a running console."""

    settings: ConsoleSettings
    rules: Rules
    database: Database
    committed: Wakeup
    feed: Feed
    photos: PhotoFolder
    passwords: Passwords
    throttle: Throttle
    labour: ThreadPoolExecutor
    metrics: Metrics
    waiters: Places
    streams: Places
    now: Callable[[], datetime]


def console_of(connection: AnyConnection) -> Console:
    """Return the parts behind this connection."""
    console = connection.app.state.console
    assert isinstance(console, Console)  # noqa: S101 - narrows what Litestar's State leaves open
    return console


def principal_of(connection: AnyConnection) -> Principal:
    """Return who asks; the guard has let nobody else through."""
    principal: Principal = connection.scope["state"][PRINCIPAL]
    return principal


def address_of(connection: AnyConnection) -> str:
    """Return the address that the request came from."""
    return connection.client.host[:64] if connection.client else "unknown"


def actor_of(connection: AnyConnection) -> Actor:
    """Return who asks, as the cycle knows people."""
    principal = principal_of(connection)
    role = CycleRole.SERVICE if principal.role in SERVICES else CycleRole(principal.role.value)
    return Actor(
        name=principal.name, role=role, unit=principal.unit, address=address_of(connection)
    )


def unit_of_officer(connection: AnyConnection) -> str | None:
    """Return the unit that an officer is held to, or None for everybody else.

    An officer without a unit is held to a unit that cannot exist.
    """
    principal = principal_of(connection)
    return (principal.unit or "") if principal.role is Role.OFFICER else None


async def put_on_record(
    connection: AnyConnection,
    action: str,
    cases: tuple[str, ...] = (),
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write into the audit log what is about to be shown, and return once it is durable."""
    console = console_of(connection)
    entry = Entry(
        at=console.now(),
        actor=principal_of(connection).name,
        address=address_of(connection),
        action=action,
        cases=cases,
        detail=detail or {},
    )
    await console.database.write_quietly(record, [entry])


def json_answer(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """Answer with JSON."""
    return Response(
        msgspec.json.encode(value),
        status_code=status,
        media_type="application/json",
        headers=dict(headers or {}),
    )
