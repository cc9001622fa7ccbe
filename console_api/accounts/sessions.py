"""Sessions of people and tokens of services: 256 random bits, stored as their SHA-256.

A plain hash is enough for a secret that nobody can guess; it keeps a stolen copy of
the database from being a stolen session.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from console_api.accounts.errors import AccountExistsError, InvalidAccountError, UnknownAccountError
from console_api.accounts.moments import to_ms
from console_api.accounts.roles import SERVICES, Role
from console_api.accounts.tables import service_tokens, sessions, users
from console_api.accounts.users import canonical_name, find_user

SESSION_PREFIX: Final = "siaga_s_"
SERVICE_PREFIX: Final = "siaga_t_"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request: a person in a session, or a service."""

    name: str
    role: Role
    unit: str | None = None


def open_session(
    connection: Connection,
    *,
    user: str,
    token: str,
    address: str,
    now: datetime,
    lasts: timedelta,
) -> datetime:
    """Store a session and return when it expires; expired ones are swept out."""
    expires = now + lasts
    connection.execute(delete(sessions).where(sessions.c.expires_ms <= to_ms(now)))
    connection.execute(
        insert(sessions).values(
            token_sha256=_digest(token),
            user=user,
            address=address,
            created_ms=to_ms(now),
            expires_ms=to_ms(expires),
        ),
    )
    return expires


def find_principal(connection: Connection, token: str, now: datetime) -> Principal | None:
    """Return whose token this is, unless it has expired, was revoked or never was."""
    if token.startswith(SERVICE_PREFIX):
        return _service(connection, token)
    query = (
        select(users.c.name, users.c.role, users.c.unit)
        .join_from(sessions, users, sessions.c.user == users.c.name)
        .where(
            sessions.c.token_sha256 == _digest(token),
            sessions.c.expires_ms > to_ms(now),
            users.c.active,
        )
    )
    row = connection.execute(query).mappings().first()
    return Principal(row["name"], Role(row["role"]), row["unit"]) if row else None


def expiry_of(connection: Connection, token: str) -> int | None:
    """Return when a session expires in ms since 1970; a service token never does."""
    query = select(sessions.c.expires_ms).where(sessions.c.token_sha256 == _digest(token))
    expires: int | None = connection.execute(query).scalar()
    return expires


def close_session(connection: Connection, token: str) -> None:
    """Revoke one session; one that is gone already is no error."""
    connection.execute(delete(sessions).where(sessions.c.token_sha256 == _digest(token)))


def close_sessions_of(connection: Connection, user: str) -> int:
    """Revoke every session of a person; return how many there were."""
    return connection.execute(delete(sessions).where(sessions.c.user == user)).rowcount


def add_service(
    connection: Connection, *, name: str, role: Role, token: str, now: datetime
) -> None:
    """Store the token of a new service. Raises InvalidAccountError or AccountExistsError."""
    canonical = canonical_name(name)
    if role not in SERVICES:
        raise InvalidAccountError("role", f"a service is one of {', '.join(sorted(SERVICES))}")
    query = select(service_tokens.c.name).where(service_tokens.c.name == canonical)
    if connection.execute(query).first() or find_user(connection, canonical):
        raise AccountExistsError(canonical)
    connection.execute(
        insert(service_tokens).values(
            token_sha256=_digest(token), name=canonical, role=role.value, created_ms=to_ms(now)
        ),
    )


def remove_service(connection: Connection, name: str) -> None:
    """Revoke the token of a service. Raises UnknownAccountError."""
    canonical = canonical_name(name)
    removed = connection.execute(delete(service_tokens).where(service_tokens.c.name == canonical))
    if removed.rowcount == 0:
        raise UnknownAccountError(canonical)


def _service(connection: Connection, token: str) -> Principal | None:
    query = select(service_tokens).where(service_tokens.c.token_sha256 == _digest(token))
    row = connection.execute(query).mappings().first()
    return Principal(row["name"], Role(row["role"])) if row else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
