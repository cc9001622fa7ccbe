"""What answers say, where the store's views don't say it already."""

from datetime import datetime
from typing import Literal

import msgspec

from console_api.accounts.roles import Role
from console_api.proposals import Proposal
from console_api.store.views import ClockReport, JsonObject, RegisterRow, Result


class SessionAnswer(msgspec.Struct, frozen=True):
    """A new session. The token goes into `Authorization: Bearer`; a cookie holds it too."""

    token: str
    expires_at: datetime
    username: str
    role: Role
    unit: str | None


class WhoAnswer(msgspec.Struct, frozen=True):
    """Who is asking; a service's token does not expire."""

    username: str
    role: Role
    unit: str | None
    expires_at: datetime | None


class EventsAnswer(msgspec.Struct, frozen=True):
    """One result for each event, in the given order."""

    results: list[Result]


class ProposalsAnswer(msgspec.Struct, frozen=True):
    """Units for a case, best first."""

    units: tuple[Proposal, ...]


class CommandAnswer(msgspec.Struct, frozen=True):
    """A command that was queued; `cursor` is its place among the notices."""

    cursor: str
    device: str
    command: str
    expires: datetime


class RegisterAnswer(msgspec.Struct, frozen=True):
    """The register of one month."""

    month: str
    drill: bool
    rows: tuple[RegisterRow, ...]


class ClocksAnswer(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """How the clocks ran, real cases only."""

    start: datetime
    end: datetime
    clocks: tuple[ClockReport, ...]


class UserAnswer(msgspec.Struct, frozen=True):
    """A person."""

    username: str
    role: Role
    unit: str | None
    active: bool
    created_at: datetime


class UsersAnswer(msgspec.Struct, frozen=True):
    """People by name."""

    users: list[UserAnswer]
    next: str | None


class AuditEntry(msgspec.Struct, frozen=True):
    """Who read or did what from where; `cases` are those that it showed or changed."""

    id: int
    at: datetime
    actor: str
    address: str
    action: str
    cases: list[str]
    detail: JsonObject


class AuditAnswer(msgspec.Struct, frozen=True):
    """Entries, newest first."""

    entries: list[AuditEntry]
    next: str | None


class HealthAnswer(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["ok"]
