"""What the console's HTTP API says, as far as the simulated staff reads it.

Members that nobody here reads are ignored, so that the console may grow.
"""

from datetime import datetime
from typing import Literal

import msgspec

from simulators.geodesy import Spot

ClockState = Literal["waiting", "running", "met", "missed"]
Level = Literal["green", "yellow", "red"]
FINAL_STATES = frozenset({"closed", "dismissed", "merged"})


class Place(msgspec.Struct, frozen=True):
    """A position in degrees."""

    lat: float
    lon: float

    @property
    def spot(self) -> Spot:
        """The position to reckon with."""
        return Spot(self.lat, self.lon)


class Owner(msgspec.Struct, frozen=True):
    """Whom to call."""

    name: str
    phone: str


class Device(msgspec.Struct, frozen=True):
    """The button of a case."""

    id: str
    kind: str = "street"
    label: str | None = None
    address: str | None = None
    installed: Place | None = None
    owner: Owner | None = None


class Area(msgspec.Struct, frozen=True):
    """Where the case is, in words."""

    kelurahan: str


class Clock(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """One of the seven clocks when the case was sent, and the marks that it runs between."""

    clock: int
    start: str
    end: str
    standard_s: float
    elapsed_s: float | None
    state: ClockState
    level: Level


class Duplicate(msgspec.Struct, frozen=True):
    """Another case that is probably the same incident."""

    case: str


class FirstPerson(msgspec.Struct, frozen=True):
    """The first of two people whom the end of a silent alarm needs."""

    action: Literal["close", "dismiss"]
    by: str


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case in its list form."""

    id: str
    state: str
    version: int
    drill: bool
    silent: bool
    category: str
    trigger: str
    device: Device
    area: Area | None = None
    address: str | None = None
    position: Place | None = None
    late: bool = False
    cancelled: bool = False
    presses: int = 1
    marks: dict[str, datetime | None] = {}
    clocks: tuple[Clock, ...] = ()
    operator: str | None = None
    unit: str | None = None
    register_number: str | None = None
    data_centre: str = "none"
    probable_duplicates: tuple[Duplicate, ...] = ()
    awaiting_second: FirstPerson | None = None
    dismiss_reason: str | None = None

    def runs(self, clock: Clock) -> bool:
        """Whether a clock still runs, also past its standard."""
        missed = clock.state == "missed" and self.marks.get(clock.end) is None
        return clock.state == "running" or missed

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be done."""
        return self.state in FINAL_STATES

    @property
    def spot(self) -> Spot | None:
        """Where to drive: the button's own position, else where it is installed."""
        place = self.position or self.device.installed
        return None if place is None else place.spot


class Gone(msgspec.Struct, frozen=True):
    """A case that one may no longer see."""

    id: str


class CasePage(msgspec.Struct, frozen=True):
    """One page of cases."""

    cases: tuple[Case, ...]
    next: str | None = None


class Proposal(msgspec.Struct, frozen=True):
    """A unit proposed for a case."""

    unit: str
    rank: int
    fit: bool
    status: Literal["available", "busy", "off"]


class Proposals(msgspec.Struct, frozen=True):
    """The proposed units, best first."""

    units: tuple[Proposal, ...]


class Unit(msgspec.Struct, frozen=True):
    """A unit and where it is."""

    id: str
    name: str
    status: str
    position: Place | None = None


class Session(msgspec.Struct, frozen=True):
    """The answer to a login."""

    token: str


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457 problem details, as far as they are shown."""

    type: str = "about:blank"
    title: str = ""
    detail: str = ""
