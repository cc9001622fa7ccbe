"""From the wire's numbers to the console's words and SI units (docs/protocol.md §5): pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import cbor2
import msgspec

from gateway.bridge.state import Essence
from gateway.bridge.transaction import Pending
from gateway.bridge.wire import (
    CATEGORIES,
    GNSS_STATES,
    LATE_AFTER_S,
    POWERS,
    SOURCES,
    TRIGGERS,
    Field,
    StatusReason,
    Type,
)
from gateway.registry.directory import Directory
from gateway.registry.model import Device, Point

Members = dict[str, object]
_TYPE_PREFIX: Final = "id.siaga.button"
_DEGREE: Final = 1e-7
_END_OF_TIME_MS: Final = 253_402_300_799_999  # the last millisecond that RFC 3339 can write
_CONCLUDED: Final = frozenset({"lost", "restored", "conflict"})
_PLACED: Final = frozenset({"alarm", "drill", "track"})
_PRESSED: Final = frozenset({"alarm", "drill"})
_POSITION_UNITS: Final = (
    (4, "hdop", 100),
    (5, "satellites", 1),
    (6, "altitude_m", 10),
    (7, "speed_m_s", 100),
    (8, "course_deg", 100),
)
_HEALTH_UNITS: Final = (
    (0, "battery_v", 1000),
    (1, "battery_percent", 1),
    (3, "rssi_dbm", 1),
    (4, "reset_cause", 1),
    (5, "uptime_s", 1),
    (6, "firmware", None),
    (7, "temperature_c", 100),
    (8, "tamper", None),
    (9, "free_heap", 1),
    (10, "outbox_depth", 1),
)


def cloud_event(event: Pending, gateway_id: str, directory: Directory) -> Members:
    """Return one event as the console takes it."""
    if event.type in _CONCLUDED:
        event_id, data = event.event_id, msgspec.json.decode(event.payload, type=Members)
    else:
        body = cbor2.loads(event.payload)
        event_id = f"{event.device}:{body[Field.BOOT]}:{body[Field.SEQ]}"
        data = _sent_data(event, body, directory)
    data["device"] = _device(event.device, directory.device(event.device))
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/gateways/{gateway_id}/devices/{event.device}",
        "type": f"{_TYPE_PREFIX}.{event.type}.v1",
        "time": rfc3339(event.received_ms),
        "datacontenttype": "application/json",
        "data": data,
    }


def lost_data(cause: str, last_seen_ms: int) -> bytes:
    """Return what is known of a loss; when it happened is not."""
    return msgspec.json.encode(
        {
            "occurred_at": None,
            "occurred_by": "unknown",
            "cause": cause,
            "last_seen": rfc3339(last_seen_ms),
        }
    )


def restored_data(body: Mapping[int, object], lost_ms: int, received_ms: int) -> bytes:
    """Return what is known of a return, by the message that shows it."""
    return msgspec.json.encode({**_occurrence(body, received_ms), "lost_at": rfc3339(lost_ms)})


def conflict_data(
    device: str, body: Mapping[int, object], first: Essence, second: Essence, received_ms: int
) -> bytes:
    """Return the two bodies that claim one identity."""
    return msgspec.json.encode(
        {
            **_occurrence(body, received_ms),
            "first": _essence(device, first),
            "second": _essence(device, second),
        }
    )


def rfc3339(unix_ms: int) -> str:
    """Write a time with milliseconds, in UTC."""
    moment = datetime.fromtimestamp(unix_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{unix_ms % 1000:03d}Z"


def delay_s(body: Mapping[int, object], received_ms: int) -> float | None:
    """Return seconds from the event to its reception, by its age, else by its clock."""
    age, time = body[Field.AGE_MS], body[Field.TIME]
    if isinstance(age, int):
        return age / 1000
    return max(0.0, received_ms / 1000 - time) if isinstance(time, int) else None


def _sent_data(event: Pending, body: dict[int, object], directory: Directory) -> Members:
    delay = delay_s(body, event.received_ms)
    data: Members = {
        "boot": body[Field.BOOT],
        "seq": body[Field.SEQ],
        **_occurrence(body, event.received_ms),
        "delay_s": delay,
        "late": delay is None or delay > LATE_AFTER_S,
    }
    if event.type in _PRESSED:
        data["category"] = CATEGORIES[_number(body[Field.CATEGORY])]
        data["trigger"] = TRIGGERS[_number(body[Field.TRIGGER])]
    if Field.PRESSES in body:
        data["presses"] = body[Field.PRESSES]
    if event.type != "status" and Field.REF in body:
        data["ref"] = _identity(event.device, body[Field.REF])
    if event.type == "status":
        data |= _status(body)
    if isinstance(health := body.get(Field.HEALTH), dict):
        data["health"] = _health(health)
    return data | _place(event, body, directory)


def _place(event: Pending, body: Mapping[int, object], directory: Directory) -> Members:
    position, at = None, None
    if isinstance(sent := body.get(Field.POSITION), dict):
        position = _position(sent)
        at = Point(sent[0] * _DEGREE, sent[1] * _DEGREE)
    elif event.type in _PRESSED:
        device = directory.device(event.device)
        if device is not None and (at := device.installed) is not None:
            position = {"lat": at.lat, "lon": at.lon, "source": "installed", "fix_age_s": None}
    placed: Members = {} if position is None else {"position": position}
    if event.type in _PLACED:
        area = None if at is None else directory.area(at)
        placed["area"] = area and {
            "code": area.code,
            "kelurahan": area.kelurahan,
            "kecamatan": area.kecamatan,
        }
    return placed


def _occurrence(body: Mapping[int, object], received_ms: int) -> Members:
    time, age = body[Field.TIME], body[Field.AGE_MS]
    if isinstance(time, int) and time * 1000 <= _END_OF_TIME_MS:
        return {"occurred_at": rfc3339(time * 1000), "occurred_by": "device"}
    if isinstance(age, int) and age <= received_ms:
        return {"occurred_at": rfc3339(received_ms - age), "occurred_by": "age"}
    return {"occurred_at": None, "occurred_by": "unknown"}


def _status(body: Mapping[int, object]) -> Members:
    status: Members = {"reason": StatusReason(_number(body[Field.REASON])).name.lower()}
    if isinstance(result := body.get(Field.RESULT), list):
        status["result"] = dict(zip(("counter", "code", "text"), result, strict=False))
    return status


def _position(sent: Mapping[int, int]) -> Members:
    position: Members = {
        "lat": round(sent[0] * _DEGREE, 7),
        "lon": round(sent[1] * _DEGREE, 7),
        "source": SOURCES[sent[2]],
        "fix_age_s": sent[3],
    }
    for key, name, unit in _POSITION_UNITS:
        if key in sent:
            position[name] = sent[key] if unit == 1 else sent[key] / unit
    return position


def _health(sent: Mapping[int, object]) -> Members:
    health: Members = {}
    for key, name, unit in _HEALTH_UNITS:
        if key in sent:
            value = sent[key]
            scaled = unit not in (None, 1) and isinstance(value, int)
            health[name] = _number(value) / (unit or 1) if scaled else value
    if 2 in sent:
        health["power"] = _word(POWERS, sent[2])
    if 11 in sent:
        health["gnss"] = _word(GNSS_STATES, sent[11])
    return health


def _word(words: tuple[str, ...], number: object) -> str | None:
    """Name a number; None for one that a newer device may know."""
    return words[number] if isinstance(number, int) and 0 <= number < len(words) else None


def _essence(device: str, essence: Essence) -> Members:
    occurred = essence.occurred_ms
    known = occurred is not None and 0 <= occurred <= _END_OF_TIME_MS
    return {
        "type": Type(essence.type).name.lower(),
        "category": None if essence.category is None else CATEGORIES[essence.category],
        "trigger": None if essence.trigger is None else TRIGGERS[essence.trigger],
        "occurred_at": rfc3339(occurred) if known and occurred is not None else None,
        "ref": essence.ref and _identity(device, list(essence.ref)),
    }


def _identity(device: str, ref: object) -> str:
    boot, seq = ref if isinstance(ref, list) else (0, 0)
    return f"{device}:{boot}:{seq}"


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _device(device_id: str, device: Device | None) -> Members:
    """Return the registry's words; a device that is gone from it keeps its id."""
    if device is None:
        return {"id": device_id}
    owner, installed = device.owner, device.installed
    return {
        "id": device.id,
        "kind": device.kind,
        "label": device.label,
        "address": device.address,
        "category": device.category,
        "camera_url": device.camera_url,
        "installed": installed and {"lat": installed.lat, "lon": installed.lon},
        "owner": owner and {"name": owner.name, "phone": owner.phone},
    }
