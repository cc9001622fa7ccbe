"""What the command line does to a console's database, running or not.

Every function raises `console_api.errors.ConsoleError` or
`console_api.accounts.errors.AccountsError` with one line for the person.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from console_api.accounts import sessions, users
from console_api.accounts.audit import Entry, record
from console_api.accounts.errors import UnknownAccountError
from console_api.accounts.passwords import Passwords
from console_api.accounts.roles import Role
from console_api.accounts.users import User
from console_api.cycle import Actor
from console_api.cycle import Role as CycleRole
from console_api.cycle.model import Category, Point
from console_api.settings import ConsoleSettings
from console_api.store import add_unit as store_unit
from console_api.store import unit as store_show_unit
from console_api.store import units as store_units
from console_api.store.engine import migrate, open_engine, writing
from console_api.store.views import UnitView

T = TypeVar("T")
ADMINISTRATOR = Actor(name="administrator", role=CycleRole.SUPERVISOR)


def initialise(settings: ConsoleSettings) -> None:
    """Make the database and the folder of photos, or bring them to this version."""
    database = make_url(settings.database).database
    if settings.database.startswith("sqlite") and database:
        Path(database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    Path(settings.photos_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate(settings.database)


def add_user(
    settings: ConsoleSettings, name: str, role: Role, password: str, unit: str | None = None
) -> User:
    """Add a person; an officer's unit must be there already."""
    hashed = Passwords().hash(password)

    def work(connection: Connection) -> User:
        if unit is not None:
            store_show_unit(connection, unit)
        now = datetime.now(UTC)
        added = users.add_user(
            connection, name=name, role=role, unit=unit, password_hash=hashed, now=now
        )
        detail = {"user": added.name, "role": role.value}
        record(connection, [Entry(now, ADMINISTRATOR.name, "local", "add_user", detail=detail)])
        return added

    return _write(settings, work)


def set_password(settings: ConsoleSettings, name: str, password: str) -> None:
    """Give a person a new password and end their sessions."""
    hashed = Passwords().hash(password)

    def work(connection: Connection) -> None:
        canonical = users.canonical_name(name)
        found = users.find_user(connection, canonical)
        if found is None:
            raise UnknownAccountError(canonical)
        users.change_user(
            connection,
            canonical,
            role=found.role,
            unit=found.unit,
            active=found.active,
            password_hash=hashed,
        )

    _write(settings, work)


def list_users(settings: ConsoleSettings) -> list[User]:
    """Return all people by name."""
    return _write(settings, lambda connection: users.list_users(connection, after=None, limit=None))


def add_unit(
    settings: ConsoleSettings,
    unit_id: str,
    name: str,
    categories: Sequence[Category],
    at: Point | None = None,
) -> UnitView:
    """Add a unit."""
    return _write(
        settings,
        lambda connection: store_unit(
            connection,
            unit_id,
            name,
            tuple(categories),
            actor=ADMINISTRATOR,
            now=datetime.now(UTC),
            at=at,
        ),
    )


def list_units(settings: ConsoleSettings) -> list[UnitView]:
    """Return all units by id."""

    def work(connection: Connection) -> list[UnitView]:
        found: list[UnitView] = []
        cursor: str | None = None
        while True:
            page = store_units(connection, cursor=cursor, limit=200)
            found += page.units
            cursor = page.next
            if cursor is None:
                return found

    return _write(settings, work)


def create_service_token(settings: ConsoleSettings, name: str, role: Role) -> str:
    """Add a service and return its token, which is shown this once and never again."""
    token = sessions.SERVICE_PREFIX + secrets.token_urlsafe(32)

    def work(connection: Connection) -> None:
        now = datetime.now(UTC)
        sessions.add_service(connection, name=name, role=role, token=token, now=now)
        detail = {"service": name, "role": role.value}
        record(connection, [Entry(now, ADMINISTRATOR.name, "local", "add_service", detail=detail)])

    _write(settings, work)
    return token


def revoke_service_token(settings: ConsoleSettings, name: str) -> None:
    """Remove a service; its token is worth nothing from now on."""
    _write(settings, lambda connection: sessions.remove_service(connection, name))


def _write(settings: ConsoleSettings, work: Callable[[Connection], T]) -> T:
    engine = open_engine(settings.database)
    try:
        with engine.connect() as connection, writing(connection):
            return work(connection)
    finally:
        engine.dispose()
