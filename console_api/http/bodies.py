"""What requests say: bodies and query strings, checked as they are decoded."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from console_api.accounts.roles import Role
from console_api.cycle.model import Category
from console_api.proposals import UnitStatus
from console_api.store.views import JsonObject

Identity = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Search = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Month = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Refuses members that it does not know: a typo must not be ignored."""


class Nothing(_Strict, frozen=True):
    """An empty object or query."""


class Credentials(_Strict, frozen=True):
    """Body of a login."""

    username: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    password: Secret


class NoticesQuery(_Strict, frozen=True):
    """Where to go on and how long to wait for something, in seconds."""

    after: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    wait: Annotated[float, msgspec.Meta(ge=0, le=30)] = 0


class PageQuery(_Strict, frozen=True):
    """Which page of a list; `cursor` is the `next` of the page before."""

    cursor: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    limit: Limit = 50


class CasesQuery(PageQuery, frozen=True):
    """Which cases; `state` may also be `open`, all that wait for something."""

    state: Identity | None = None
    category: Category | None = None
    area: Search | None = None
    device: Identity | None = None
    since: Moment | None = None
    drill: bool | None = None
    unit: Identity | None = None
    q: Search | None = None


class DevicesQuery(PageQuery, frozen=True):
    """Which devices."""

    state: Literal["online", "lost", "unknown"] | None = None
    q: Search | None = None


class AuditQuery(PageQuery, frozen=True):
    """Whose or which case's entries, newest first."""

    case: Identity | None = None
    actor: Identity | None = None


class PhotoQuery(_Strict, frozen=True):
    """What the sender has to say about the photo."""

    note: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class StreamQuery(_Strict, frozen=True):
    """Where to resume, for clients that can't send the header `Last-Event-ID`."""

    last_event_id: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None


class RegisterQuery(_Strict, frozen=True):
    """Which month, in the city's time zone; drills have a register of their own."""

    month: Month
    drill: bool = False


class ClocksQuery(_Strict, frozen=True, rename={"start": "from", "end": "to"}):
    """Cases received from `from` up to but not including `to`."""

    start: Moment
    end: Moment


class Place(_Strict, frozen=True):
    """Where something is (WGS 84)."""

    lat: Latitude
    lon: Longitude


class UnitPlace(_Strict, frozen=True):
    """Where a unit was, and when; now, if that is left out."""

    lat: Latitude
    lon: Longitude
    at: Moment | None = None


class NewUnit(_Strict, frozen=True):
    """A unit; `position` is where it stands until it says otherwise."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    name: Name
    categories: Annotated[tuple[Category, ...], msgspec.Meta(min_length=1, max_length=6)]
    position: Place | None = None


class UnitChange(_Strict, frozen=True):
    """What is different now; the rest stays."""

    name: Name | None = None
    categories: Annotated[tuple[Category, ...], msgspec.Meta(min_length=1)] | None = None
    status: UnitStatus | None = None


class NewCommand(_Strict, frozen=True):
    """A command for a device; it expires after 15 minutes if nothing else is said."""

    command: Literal["identify", "self_test", "report", "configure", "reboot", "update", "silence"]
    args: JsonObject = {}
    expires: Moment | None = None


class NewUser(_Strict, frozen=True):
    """A person; `unit` is for an officer, whom it is required of."""

    username: Identity
    password: Secret
    role: Role
    unit: Identity | None = None


class UserChange(_Strict, frozen=True):
    """What is different now; the rest stays. All sessions of the person end."""

    password: Secret | None = None
    role: Role | None = None
    unit: Identity | msgspec.UnsetType | None = msgspec.UNSET
    active: bool | None = None
