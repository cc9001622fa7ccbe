"""What happened to a case: one frozen struct a kind, as the log keeps it.

A body's tag is the event's kind. `DECISIONS` raise the case's version.
"""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from console_api.cycle.model import (
    Actor,
    Alarm,
    Area,
    Category,
    DeviceInfo,
    DismissReason,
    Escalation,
    Position,
    Report,
    Trigger,
)


class Body(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """What an event adds; its kind is the struct's tag."""

    @property
    def kind(self) -> str:
        """The event's name in the log."""
        return str(self.__struct_config__.tag)


class Received(Body, frozen=True, tag="received"):
    """A press that starts a case. `gateway_at` is when the gateway received it."""

    case: str
    alarm: str
    device: DeviceInfo
    category: Category
    trigger: Trigger
    drill: bool
    late: bool
    pressed_at: datetime | None
    occurred_by: str
    gateway_at: datetime
    presses: int | None = None
    position: Position | None = None
    area: Area | None = None


class PressedAgain(Body, frozen=True, tag="pressed_again"):
    """Another press of a device that has this case open."""

    alarm: str
    device: str
    category: Category
    trigger: Trigger
    late: bool
    pressed_at: datetime | None
    occurred_by: str
    gateway_at: datetime
    presses: int | None = None
    position: Position | None = None
    area: Area | None = None


class Tracked(Body, frozen=True, tag="tracked"):
    """A position while the alarm is active."""

    event: str
    ref: str
    position: Position
    area: Area | None = None


class Cancelled(Body, frozen=True, tag="cancelled"):
    """Somebody cancelled on the button: evidence for the operator, never a decision."""

    event: str
    ref: str
    occurred_at: datetime | None = None


class Flagged(Body, frozen=True, tag="flagged"):
    """Another device's case is near in place and time: probably one incident."""

    case: str
    distance_m: float
    seconds: float


class Opened(Body, frozen=True, tag="opened"):
    """An operator took the case."""


class Dispatched(Body, frozen=True, tag="dispatched"):
    """A unit was sent; `replaced` is the one that it takes over from."""

    unit: str
    number: int
    note: str | None = None
    replaced: str | None = None


class Accepted(Body, frozen=True, tag="accepted"):
    """The unit is on its way."""

    unit: str


class Declined(Body, frozen=True, tag="declined"):
    """The unit handed the dispatch back."""

    unit: str
    reason: str


class Arrived(Body, frozen=True, tag="arrived"):
    """The unit is there."""

    unit: str


class Cleared(Body, frozen=True, tag="cleared"):
    """The work on site is done."""

    note: str | None = None


class Reported(Body, frozen=True, tag="reported"):
    """The handling report is filed."""

    report: Report


class Updated(Body, frozen=True, tag="updated"):
    """The report is complete."""

    remarks: str | None = None


class Registering(Body, frozen=True, tag="registering"):
    """The case has its register number and is on its way to the data centre."""

    number: str
    version: int


class Registered(Body, frozen=True, tag="registered"):
    """The data centre acknowledged this version of the case."""

    version: int


class SendingFailed(Body, frozen=True, tag="sending_failed"):
    """The data centre did not take this version; it is tried again for ever."""

    version: int
    error: str


class Closed(Body, frozen=True, tag="closed"):
    """The work is finished. `first` is the first of two people, of a silent alarm."""

    first: str | None = None


class Dismissed(Body, frozen=True, tag="dismissed"):
    """Nothing was to be handled. The case stays, with a number, in the register."""

    reason: DismissReason
    number: str
    version: int
    note: str | None = None
    first: str | None = None


class FirstPersonActed(Body, frozen=True, tag="first_person"):
    """The first of two people wants to end a silent alarm."""

    action: Literal["close", "dismiss"]
    reason: DismissReason | None = None
    note: str | None = None


class Merged(Body, frozen=True, tag="merged"):
    """The same incident as another case, on an operator's word."""

    into: str


class Absorbed(Body, frozen=True, tag="absorbed"):
    """Another case was merged into this one; its devices follow this case now."""

    case: str
    alarms: tuple[Alarm, ...]
    categories: tuple[Category, ...]
    silent: bool


class Released(Body, frozen=True, tag="released"):
    """A case that was merged into this one was reopened."""

    case: str
    alarms: tuple[Alarm, ...]


class Reopened(Body, frozen=True, tag="reopened"):
    """A supervisor took an ended case up again."""

    reason: str


class Noted(Body, frozen=True, tag="noted"):
    """Something worth keeping."""

    text: str


class Photographed(Body, frozen=True, tag="photographed"):
    """A photo was attached; the file's bytes must have this SHA-256."""

    photo: str
    file: str
    sha256: str
    media_type: Literal["image/jpeg", "image/png", "image/webp"]
    bytes: int
    width: int
    height: int
    note: str | None = None
    taken_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None


class Escalated(Body, frozen=True, tag="escalated"):
    """A rule came due."""

    escalation: Escalation


class Breached(Body, frozen=True, tag="breached"):
    """A clock went past its standard."""

    escalation: Escalation


CaseBody: TypeAlias = (
    Received
    | PressedAgain
    | Tracked
    | Cancelled
    | Flagged
    | Opened
    | Dispatched
    | Accepted
    | Declined
    | Arrived
    | Cleared
    | Reported
    | Updated
    | Registering
    | Registered
    | SendingFailed
    | Closed
    | Dismissed
    | FirstPersonActed
    | Merged
    | Absorbed
    | Released
    | Reopened
    | Noted
    | Photographed
    | Escalated
    | Breached
)

DECISIONS = (
    Opened,
    Dispatched,
    Accepted,
    Declined,
    Arrived,
    Cleared,
    Reported,
    Updated,
    Registering,
    Registered,
    Closed,
    Dismissed,
    FirstPersonActed,
    Merged,
    Absorbed,
    Released,
    Reopened,
)


class Event(msgspec.Struct, frozen=True):
    """Something that happened to a case: when, by whom, what.

    `at` never lies before the case's earlier events. Where the wall clock said so,
    `wall` keeps what it said.
    """

    at: datetime
    actor: Actor
    body: CaseBody
    wall: datetime | None = None
