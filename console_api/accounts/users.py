"""People and their roles."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from console_api.accounts.errors import (
    AccountExistsError,
    InvalidAccountError,
    UnknownAccountError,
)
from console_api.accounts.moments import from_ms, to_ms
from console_api.accounts.roles import PEOPLE, SERVICES, Role
from console_api.accounts.tables import service_tokens, sessions, users

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class User:
    """A person. An officer carries the unit whose cases they see; nobody else does."""

    name: str
    role: Role
    unit: str | None
    active: bool
    created_at: datetime


def canonical_name(name: str) -> str:
    """Return the one spelling of a name, or raise InvalidAccountError."""
    canonical = name.strip().lower()
    if not _NAME.fullmatch(canonical):
        raise InvalidAccountError(
            "username",
            "use 1 to 64 letters a-z, digits and . _ @ -, beginning with a letter or digit",
        )
    return canonical


def add_user(
    connection: Connection,
    *,
    name: str,
    role: Role,
    unit: str | None,
    password_hash: str,
    now: datetime,
) -> User:
    """Store a new person. Raises InvalidAccountError or AccountExistsError."""
    canonical = canonical_name(name)
    _check(role, unit)
    if find_user(connection, canonical) or _is_service(connection, canonical):
        raise AccountExistsError(canonical)
    connection.execute(
        insert(users).values(
            name=canonical,
            role=role.value,
            unit=unit,
            password=password_hash,
            active=True,
            created_ms=to_ms(now),
        ),
    )
    return User(canonical, role, unit, active=True, created_at=from_ms(to_ms(now)))


def find_user(connection: Connection, name: str) -> User | None:
    """Return the person of a canonical name."""
    row = connection.execute(select(users).where(users.c.name == name)).mappings().first()
    return _user(row) if row else None


def password_of(connection: Connection, name: str) -> str | None:
    """Return the password hash of an active person of a canonical name."""
    query = select(users.c.password).where(users.c.name == name, users.c.active)
    stored: str | None = connection.execute(query).scalar()
    return stored


def list_users(connection: Connection, *, after: str | None, limit: int | None) -> list[User]:
    """Return people by name, those behind `after`."""
    query = select(users).order_by(users.c.name).limit(limit)
    if after is not None:
        query = query.where(users.c.name > after)
    return [_user(row) for row in connection.execute(query).mappings()]


def change_user(
    connection: Connection,
    name: str,
    *,
    role: Role,
    unit: str | None,
    active: bool,
    password_hash: str | None,
) -> User:
    """Change a person; their sessions end, because what they may do has changed."""
    canonical = canonical_name(name)
    if find_user(connection, canonical) is None:
        raise UnknownAccountError(canonical)
    _check(role, unit)
    change = update(users).where(users.c.name == canonical)
    connection.execute(change.values(role=role.value, unit=unit, active=active))
    if password_hash is not None:
        set_password(connection, canonical, password_hash)
    connection.execute(delete(sessions).where(sessions.c.user == canonical))
    changed = find_user(connection, canonical)
    if changed is None:
        raise UnknownAccountError(canonical)
    return changed


def set_password(connection: Connection, name: str, password_hash: str) -> None:
    """Replace the stored hash of a canonical name."""
    connection.execute(update(users).where(users.c.name == name).values(password=password_hash))


def _check(role: Role, unit: str | None) -> None:
    if role not in PEOPLE:
        services = ", ".join(sorted(SERVICES))
        raise InvalidAccountError("role", f"{services} are for services; make a service token")
    if role is Role.OFFICER and unit is None:
        raise InvalidAccountError("unit", "an officer needs the unit whose cases they see")
    if role is not Role.OFFICER and unit is not None:
        raise InvalidAccountError("unit", "only an officer belongs to a unit; leave it out")


def _is_service(connection: Connection, name: str) -> bool:
    query = select(service_tokens.c.name).where(service_tokens.c.name == name)
    return connection.execute(query).first() is not None


def _user(row: RowMapping) -> User:
    return User(
        name=row["name"],
        role=Role(row["role"]),
        unit=row["unit"],
        active=row["active"],
        created_at=from_ms(row["created_ms"]),
    )
