"""What the store's functions answer with: plain structs that encode to the JSON of the API."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from console_api.clocks import ClockView
from console_api.cycle.model import (
    Area,
    Casualties,
    Category,
    DataCentre,
    DeviceInfo,
    DismissReason,
    Escalation,
    FirstPerson,
    Marks,
    Position,
    ProbableDuplicate,
    State,
    Trigger,
)
from console_api.proposals import UnitPosition, UnitStatus

JsonObject = dict[str, Any]  # JSON from outside, kept as it came


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to one CloudEvent (docs/protocol.md §5)."""

    id: str
    status: Literal["created", "duplicate", "refused"]
    reason: str | None = None


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case as the lists and the stream show it."""

    id: str
    state: State
    version: int
    drill: bool
    silent: bool
    category: Category
    categories: tuple[Category, ...]
    trigger: Trigger
    device: DeviceInfo
    area: Area | None
    address: str | None
    position: Position | None
    late: bool
    cancelled: bool
    presses: int
    marks: Marks
    clocks: tuple[ClockView, ...]
    operator: str | None
    unit: str | None
    register_number: str | None
    data_centre: DataCentre
    escalations: tuple[Escalation, ...]
    probable_duplicates: tuple[ProbableDuplicate, ...]
    awaiting_second: FirstPerson | None
    merged_into: str | None
    merged_from: tuple[str, ...]
    dismiss_reason: DismissReason | None


class EventView(msgspec.Struct, frozen=True):
    """One event of the log; `seq` counts all events of the deployment."""

    seq: int
    at: datetime
    action: str
    actor: str
    role: str
    from_address: str | None
    data: msgspec.Raw


class PhotoView(msgspec.Struct, frozen=True, kw_only=True):
    """A photo of a case; `file` is its path below the deployment's photo folder."""

    id: str
    case: str
    file: str
    sha256: str
    media_type: Literal["image/jpeg", "image/png", "image/webp"]
    bytes: int
    width: int
    height: int
    by: str
    at: datetime
    note: str | None = None
    taken_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None


class CaseDetail(CaseView, frozen=True, kw_only=True):
    """A case with everything that happened to it."""

    events: tuple[EventView, ...]
    track: tuple[Position, ...]
    photos: tuple[PhotoView, ...]


class CaseFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases to list; a member that is None does not restrict.

    `state` may also be `open` (all that wait for something). `unit` holds an officer
    to the own unit. `q` looks in id, device, label, address, area and register number.
    """

    state: str | None = None
    category: Category | None = None
    area: str | None = None
    device: str | None = None
    since: datetime | None = None
    drill: bool | None = None
    unit: str | None = None
    q: str | None = None


class CasePage(msgspec.Struct, frozen=True):
    """Cases, newest first; `next` is the cursor of the next page."""

    cases: tuple[CaseView, ...]
    next: str | None


class UnitView(msgspec.Struct, frozen=True, kw_only=True):
    """A unit; `busy` also follows from the cases that it works on."""

    id: str
    name: str
    categories: tuple[Category, ...]
    status: UnitStatus
    position: UnitPosition | None
    cases: tuple[str, ...]


class UnitPage(msgspec.Struct, frozen=True):
    """Units by id."""

    units: tuple[UnitView, ...]
    next: str | None


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A device's health; never where a citizen's device has been."""

    id: str
    kind: str
    label: str | None
    address: str | None
    category: Category | None
    state: Literal["online", "lost", "unknown"]
    last_seen: datetime | None
    health: JsonObject | None
    open_case: str | None


class DeviceHistoryItem(msgspec.Struct, frozen=True):
    """Something a device said or that was concluded about it."""

    at: datetime
    occurred_at: datetime | None
    kind: str
    data: msgspec.Raw


class DeviceDetail(DeviceView, frozen=True, kw_only=True):
    """A device with its installed position, its owner and its latest history, newest first."""

    info: DeviceInfo
    history: tuple[DeviceHistoryItem, ...]
    cases: tuple[str, ...]


class DevicePage(msgspec.Struct, frozen=True):
    """Devices by id."""

    devices: tuple[DeviceView, ...]
    next: str | None


class ReceiptNotice(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="receipt"):
    """How far help has come, for one alarm event."""

    cursor: str
    device: str
    ref: str
    stage: str
    time: datetime


class CommandNotice(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="command"):
    """A command for a device; the gateway gives it its counter."""

    cursor: str
    device: str
    command: Literal["identify", "self_test", "report", "configure", "reboot", "update", "silence"]
    args: JsonObject
    expires: datetime


Notice = ReceiptNotice | CommandNotice


class NoticePage(msgspec.Struct, frozen=True):
    """Notices in order and the cursor to ask on from."""

    notices: tuple[Notice, ...]
    cursor: str


class OutboxItem(msgspec.Struct, frozen=True, kw_only=True):
    """One document for the data centre; `body` is a CloudEvent, the same bytes at each try."""

    id: int
    case: str
    version: int
    body: bytes
    attempts: int


class RegisterRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the register of the dispatch cycle."""

    register_number: str
    case: str
    version: int
    state: State
    drill: bool
    silent: bool
    marks: Marks
    clocks: tuple[ClockView, ...]
    device: str
    device_label: str | None
    category: Category
    area: Area | None
    address: str | None
    position: Position | None
    operator: str | None
    unit: str | None
    actions_taken: str | None
    outcome: str | None
    casualties: Casualties | None
    dismiss_reason: DismissReason | None
    merged_from: tuple[str, ...]
    photos: tuple[str, ...]
    remarks: str | None


class TargetReport(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """A stretch target: how many were within it, and how many should be."""

    start: str
    end: str
    target_s: float
    share_wanted: float
    count: int
    within: int
    share: float | None


class ClockReport(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """One clock over many real cases; percentiles are nearest-rank, in seconds."""

    clock: int | None
    start: str
    end: str
    standard_s: float | None
    count: int
    met: int | None
    missed: int | None
    p50: float | None
    p90: float | None
    p95: float | None
    targets: tuple[TargetReport, ...]


class Change(msgspec.Struct, frozen=True):
    """One message of the stream: `data` is JSON, `id` rises and never comes twice.

    `unit` is the unit of the case that it is about, for an officer's stream.
    """

    id: int
    kind: Literal["case", "unit", "device", "escalation"]
    subject: str
    unit: str | None
    data: msgspec.Raw


class ChangePage(msgspec.Struct, frozen=True):
    """Changes after an id; `gap` says that older ones are no longer kept.

    After a gap, a client has to read the lists again.
    """

    changes: tuple[Change, ...]
    last: int
    gap: bool
