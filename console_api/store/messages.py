"""CloudEvents from gateways, read strictly (docs/protocol.md §5).

Every member is checked for type and range; members that are not known are ignored, for a
newer gateway must still be understood.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from console_api.cycle.model import Area, Category, DeviceInfo, Trigger

Utc = Annotated[datetime, msgspec.Meta(tz=True)]
Identity = Annotated[str, msgspec.Meta(min_length=3, max_length=128)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Duration = Annotated[float, msgspec.Meta(ge=0)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class PositionSent(msgspec.Struct, frozen=True):
    """Where the button was (WGS 84 degrees)."""

    lat: Latitude
    lon: Longitude
    source: Literal["gnss", "last_known", "installed"]
    fix_age_s: Duration | None = None
    hdop: Duration | None = None
    satellites: Count | None = None
    altitude_m: float | None = None
    speed_m_s: Duration | None = None
    course_deg: float | None = None


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the device is."""

    battery_v: float | None = None
    battery_percent: float | None = None
    power: Literal["battery", "mains", "solar"] | None = None
    rssi_dbm: float | None = None
    reset_cause: int | None = None
    uptime_s: Count | None = None
    firmware: str | None = None
    temperature_c: float | None = None
    tamper: bool | None = None
    free_heap: Count | None = None
    outbox_depth: Count | None = None
    gnss: Literal["off", "searching", "fix"] | None = None


class _Data(msgspec.Struct, frozen=True, kw_only=True):
    device: DeviceInfo
    occurred_at: Utc | None
    occurred_by: Literal["device", "age", "unknown"]


class _Sent(_Data, frozen=True, kw_only=True):
    boot: Count
    seq: Count
    delay_s: Duration | None
    late: bool
    health: Health | None = None


class AlarmData(_Sent, frozen=True, kw_only=True):
    """An alarm or a drill."""

    category: Category
    trigger: Trigger
    presses: Count | None = None
    ref: Identity | None = None
    position: PositionSent | None = None
    area: Area | None = None


class TrackData(_Sent, frozen=True, kw_only=True):
    """A position while an alarm is active."""

    ref: Identity
    position: PositionSent
    area: Area | None = None


class CancelData(_Sent, frozen=True, kw_only=True):
    """A cancel on the button."""

    ref: Identity


class CommandResult(msgspec.Struct, frozen=True):
    """What became of a command."""

    counter: Count
    code: int
    text: str | None = None


class StatusData(_Sent, frozen=True, kw_only=True):
    """A heartbeat or something that the device noticed about itself."""

    reason: Literal[
        "periodic", "boot", "tamper", "battery", "power", "offline", "self_test", "command_result"
    ]
    result: CommandResult | None = None


class LostData(_Data, frozen=True, kw_only=True):
    """The gateway has not heard of the device for too long."""

    cause: Literal["silence", "will"]
    last_seen: Utc | None


class RestoredData(_Data, frozen=True, kw_only=True):
    """A lost device is back."""

    lost_at: Utc | None


class Differing(msgspec.Struct, frozen=True):
    """One of two bodies that claim the same identity."""

    type: str
    category: str | None = None
    trigger: str | None = None
    occurred_at: Utc | None = None
    ref: str | None = None


class ConflictData(_Data, frozen=True, kw_only=True):
    """Two different messages of one identity: probably a cloned device."""

    first: Differing
    second: Differing


Data: TypeAlias = (
    AlarmData | TrackData | CancelData | StatusData | LostData | RestoredData | ConflictData
)

Kind = Literal["alarm", "drill", "track", "cancel", "status", "lost", "restored", "conflict"]

KINDS: dict[str, tuple[Kind, type[Data]]] = {
    "id.siaga.button.alarm.v1": ("alarm", AlarmData),
    "id.siaga.button.drill.v1": ("drill", AlarmData),
    "id.siaga.button.track.v1": ("track", TrackData),
    "id.siaga.button.cancel.v1": ("cancel", CancelData),
    "id.siaga.button.status.v1": ("status", StatusData),
    "id.siaga.button.lost.v1": ("lost", LostData),
    "id.siaga.button.restored.v1": ("restored", RestoredData),
    "id.siaga.button.conflict.v1": ("conflict", ConflictData),
}


class Message(msgspec.Struct, frozen=True):
    """One CloudEvent, read. `at` is when the gateway received it; `raw` its data as sent."""

    id: str
    kind: Kind
    gateway: str
    device: str
    at: datetime
    data: Data
    raw: msgspec.Raw


class RefusedError(Exception):
    """The event can't be taken, and never will be: `reason` says why."""

    def __init__(self, identity: str, reason: str) -> None:
        """Remember the event's id, empty if even that could not be read."""
        self.identity = identity
        self.reason = reason
        super().__init__(f"{identity}: {reason}")


class _Envelope(msgspec.Struct, frozen=True):
    specversion: Literal["1.0"]
    id: Identity
    source: str
    type: str
    time: Utc
    data: msgspec.Raw


class _OnlyId(msgspec.Struct, frozen=True):
    id: Annotated[str, msgspec.Meta(max_length=1000)]


def parse(raw: bytes | msgspec.Raw) -> Message:
    """Read one CloudEvent. Raises `RefusedError`."""
    try:
        envelope = msgspec.json.decode(raw, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(_id_of(raw), str(error)) from error
    known = KINDS.get(envelope.type)
    if known is None:
        raise RefusedError(envelope.id, f"type {envelope.type!r} is not known here")
    kind, shape = known
    try:
        data = msgspec.json.decode(envelope.data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(envelope.id, f"data: {error}") from error
    parts = envelope.source.split("/")
    if len(parts) != 5 or parts[1] != "gateways" or parts[3] != "devices" or not parts[2]:
        raise RefusedError(
            envelope.id, f"source {envelope.source!r} is not /gateways/../devices/.."
        )
    device = data.device.id
    if parts[4] != device or not _names(envelope.id, kind, device, data):
        raise RefusedError(envelope.id, f"id, source and data do not name the same {kind}")
    if isinstance(data, TrackData | CancelData) and not data.ref.startswith(f"{device}:"):
        raise RefusedError(envelope.id, f"ref {data.ref!r} is not of device {device}")
    return Message(envelope.id, kind, parts[2], device, envelope.time, data, envelope.data)


def _names(identity: str, kind: Kind, device: str, data: Data) -> bool:
    """Whether the id is the one that such an event has (docs/protocol.md §5)."""
    if isinstance(data, LostData | RestoredData):
        start = f"{device}:{kind}:"
        return identity.startswith(start) and identity.removeprefix(start).isdecimal()
    if isinstance(data, ConflictData):
        return identity.startswith(f"{device}:") and ":conflict:" in identity
    return identity == f"{device}:{data.boot}:{data.seq}"


def _id_of(raw: bytes | msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(raw, type=_OnlyId).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
