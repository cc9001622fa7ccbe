"""What a case is made of: states, marks, roles, actors, and the case itself.

All times are timezone-aware datetimes in UTC. Everything is frozen.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

PositionSource = Literal["gnss", "last_known", "installed"]


class State(StrEnum):
    """Where a case stands in the dispatch cycle."""

    RECEIVED = "received"
    OPENED = "opened"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    CLEARED = "cleared"
    REPORTED = "reported"
    UPDATED = "updated"
    REGISTERING = "registering"
    REGISTERED = "registered"
    CLOSED = "closed"
    DISMISSED = "dismissed"
    MERGED = "merged"


FINAL_STATES = frozenset({State.CLOSED, State.DISMISSED, State.MERGED})
OPEN_STATES = frozenset(State) - FINAL_STATES


class Role(StrEnum):
    """What an account may do; `SERVICE` is a gateway, a data centre or the console itself."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    OFFICER = "officer"
    TECHNICIAN = "technician"
    AUDITOR = "auditor"
    SERVICE = "service"


class Category(StrEnum):
    """The six services of procedure 067/01/PB/2021."""

    CITY_ALARM = "city_alarm"
    AMBULANCE = "ambulance"
    FIRE = "fire"
    RESCUE = "rescue"
    HEARSE = "hearse"
    OTHER = "other"


class Trigger(StrEnum):
    """How the button was used (docs/protocol.md §5)."""

    PRESS = "press"
    HOLD = "hold"
    MULTI_PRESS = "multi_press"
    SILENT = "silent"
    TAMPER = "tamper"
    REMOTE = "remote"


class DismissReason(StrEnum):
    """Why a case needed no handling."""

    FALSE_ALARM = "false_alarm"
    PRANK = "prank"
    TEST = "test"
    OTHER = "other"


class Stage(StrEnum):
    """How far help has come, as the button shows it (docs/protocol.md §3, key 11)."""

    STORED = "stored"
    OPENED = "opened"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    HANDLED = "handled"
    CLOSED = "closed"
    DISMISSED = "dismissed"

    @property
    def rung(self) -> int:
        """The stage's number on the wire; a button's stage only rises."""
        return tuple(Stage).index(self) + 1


class DataCentre(StrEnum):
    """How the case's way to the data centre stands."""

    NONE = "none"
    PENDING = "pending"
    SENT = "sent"
    FAILING = "failing"


class Actor(msgspec.Struct, frozen=True):
    """Who acts: an account, its role, an officer's unit, and the address it came from."""

    name: str
    role: Role
    unit: str | None = None
    address: str | None = None


SYSTEM = Actor(name="siaga", role=Role.SERVICE)


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """A position as the gateway sent it (WGS 84 degrees, metres, seconds).

    `at` is when it was taken, as well as that is known.
    """

    lat: float
    lon: float
    source: PositionSource
    fix_age_s: float | None = None
    hdop: float | None = None
    satellites: int | None = None
    altitude_m: float | None = None
    speed_m_s: float | None = None
    course_deg: float | None = None
    at: datetime | None = None


class Point(msgspec.Struct, frozen=True):
    """WGS 84 degrees."""

    lat: float
    lon: float


class Owner(msgspec.Struct, frozen=True):
    """Whom to call about a device."""

    name: str
    phone: str


class DeviceInfo(msgspec.Struct, frozen=True):
    """The device as the gateway's registry described it with the alarm."""

    id: str
    kind: Literal["street", "handheld"]
    label: str | None = None
    address: str | None = None
    category: Category | None = None
    camera_url: str | None = None
    installed: Point | None = None
    owner: Owner | None = None


class Area(msgspec.Struct, frozen=True):
    """An administrative area; null members never occur: an unknown area is no area."""

    code: str
    kelurahan: str
    kecamatan: str


class Marks(msgspec.Struct, frozen=True):
    """When the case first came to each point. A mark that is set never changes again.

    A declined dispatch or a reopened case does not set the citizen's clocks back:
    the first time counts; every later time is in the case's events.
    """

    pressed: datetime | None = None
    received: datetime | None = None
    opened: datetime | None = None
    dispatched: datetime | None = None
    accepted: datetime | None = None
    arrived: datetime | None = None
    cleared: datetime | None = None
    reported: datetime | None = None
    updated: datetime | None = None
    registered: datetime | None = None
    closed: datetime | None = None
    dismissed: datetime | None = None
    merged: datetime | None = None
    declined: datetime | None = None
    reopened: datetime | None = None


People = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Casualties(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People, counted by the officer on site."""

    dead: People = 0
    injured: People = 0
    evacuated: People = 0


class Report(msgspec.Struct, frozen=True):
    """The officer's handling report (step 4 of the procedure)."""

    actions_taken: str
    outcome: str
    casualties: Casualties = Casualties()
    remarks: str | None = None


class Dispatch(msgspec.Struct, frozen=True):
    """The dispatch that stands now; `number` counts the case's dispatches from 1."""

    unit: str
    number: int
    at: datetime


class FirstPerson(msgspec.Struct, frozen=True):
    """The first of the two people that the end of a silent alarm needs."""

    action: Literal["close", "dismiss"]
    by: str
    at: datetime


class Escalation(msgspec.Struct, frozen=True):
    """A rule that came due; `key` makes it happen once, `level` is what it asks for."""

    key: str
    rule: str
    level: Literal["louder", "supervisors", "propose", "yellow", "red"]
    at: datetime
    clock: int | None = None
    unit: str | None = None


class ProbableDuplicate(msgspec.Struct, frozen=True):
    """Another case that is probably the same incident."""

    case: str
    distance_m: float
    seconds: float


class Alarm(msgspec.Struct, frozen=True):
    """One alarm event of the case."""

    id: str
    device: str


class LastDecision(msgspec.Struct, frozen=True):
    """Who last changed the case, for the one who came second."""

    action: str
    by: str
    at: datetime


class Case(msgspec.Struct, frozen=True):
    """Everything the events of one case add up to (`evolve`).

    `version` rises with each decision; evidence (tracks, presses, photos, notes,
    escalations) leaves it, so that a moving device never invalidates a decision.
    `at` is the latest time in the case: no later event has an earlier one. `state_at` is
    when it came into its state (or to its latest unit), `ended_at` when it came to an end.
    """

    id: str
    state: State
    version: int
    at: datetime
    state_at: datetime
    drill: bool
    silent: bool
    category: Category
    trigger: Trigger
    device: DeviceInfo
    area: Area | None
    address: str | None
    position: Position | None
    late: bool
    presses: int
    marks: Marks
    alarms: tuple[Alarm, ...]
    categories: tuple[Category, ...]
    last: LastDecision
    ended_at: datetime | None = None
    cancelled: bool = False
    operator: str | None = None
    dispatch: Dispatch | None = None
    dispatches: int = 0
    declined_units: tuple[str, ...] = ()
    report: Report | None = None
    remarks: str | None = None
    dismiss_reason: DismissReason | None = None
    register_number: str | None = None
    sending_version: int | None = None
    data_centre: DataCentre = DataCentre.NONE
    first_person: FirstPerson | None = None
    merged_into: str | None = None
    merged_from: tuple[str, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    probable_duplicates: tuple[ProbableDuplicate, ...] = ()
    photos: tuple[str, ...] = ()

    @property
    def unit(self) -> str | None:
        """The unit that the case is dispatched to now."""
        return self.dispatch.unit if self.dispatch else None

    @property
    def open(self) -> bool:
        """Whether the case still waits for something."""
        return self.state in OPEN_STATES

    @property
    def stage(self) -> Stage:
        """What the case's buttons show."""
        return STAGES[self.state]


STAGES = {
    State.RECEIVED: Stage.STORED,
    State.OPENED: Stage.OPENED,
    State.DISPATCHED: Stage.DISPATCHED,
    State.ACCEPTED: Stage.ACCEPTED,
    State.ARRIVED: Stage.ARRIVED,
    State.CLEARED: Stage.HANDLED,
    State.REPORTED: Stage.HANDLED,
    State.UPDATED: Stage.HANDLED,
    State.REGISTERING: Stage.HANDLED,
    State.REGISTERED: Stage.HANDLED,
    State.CLOSED: Stage.CLOSED,
    State.DISMISSED: Stage.DISMISSED,
    State.MERGED: Stage.STORED,
}
