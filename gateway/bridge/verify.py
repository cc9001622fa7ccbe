"""Whether a message is believed: pure, in the order and with the reasons of protocol.md §2."""

import re
from functools import lru_cache
from typing import Final

import msgspec

from gateway.bridge import cbor
from gateway.bridge.body import check_body
from gateway.bridge.envelope import Envelope, Reason, open_envelope, tag_is_valid
from gateway.bridge.errors import MalformedError
from gateway.bridge.wire import LANES, Field, StatusReason, Type
from gateway.registry.directory import Directory
from gateway.registry.model import DeviceStatus

_DEVICE_ID: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{2,23}")
_KID: Final = re.compile(rb"([A-Z0-9][A-Z0-9-]{2,23})#([1-9][0-9]{0,8})")
_ALARM, _DRILL, _CANCEL, _STATUS = map(int, (Type.ALARM, Type.DRILL, Type.CANCEL, Type.STATUS))
_TYPE, _BOOT, _SEQ, _STATUS_REASON = map(int, (Field.TYPE, Field.BOOT, Field.SEQ, Field.REASON))


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """A message that is not believed."""

    reason: Reason


class Event(msgspec.Struct, frozen=True, gc=False):
    """An authentic message of a known device; `body` is checked, unknown keys included as sent."""

    device: str
    generation: int
    type: int
    boot: int
    seq: int
    body: dict[int, object]
    payload: bytes

    @property
    def identity(self) -> str:
        """Return what names this event for ever (docs/protocol.md §4)."""
        return f"{self.device}:{self.boot}:{self.seq}"

    @property
    def is_heartbeat(self) -> bool:
        """Say whether a newer one of the same device replaces this one."""
        return self.type == _STATUS and self.body[_STATUS_REASON] == 1

    @property
    def is_will(self) -> bool:
        """Say whether the broker sent this one because the device fell silent."""
        return self.type == _STATUS and self.body[_STATUS_REASON] == int(StatusReason.OFFLINE)

    @property
    def wants_receipt(self) -> bool:
        """Say whether the device keeps this one until a receipt comes."""
        return self.type in (_ALARM, _DRILL, _CANCEL)


def verify(topic: str, message: bytes, directory: Directory) -> Event | Refusal:
    """Judge one message as it arrived; never raises for anything a stranger can send."""
    envelope = open_envelope(message)
    if isinstance(envelope, Reason):
        return _REFUSALS[envelope]
    device_id, lane = _split(topic)
    named = _parse_kid(envelope.kid)
    if named is None or named[0] != device_id:
        return _REFUSALS[Reason.KID]
    reason = _authenticate(envelope, topic, device_id, named[1], directory)
    if reason is not None:
        return _REFUSALS[reason]
    event = _read(envelope.payload, device_id, named[1], lane)
    return _REFUSALS[event] if isinstance(event, Reason) else event


def _read(payload: bytes, device_id: str, generation: int, lane: str) -> Event | Reason:
    try:
        body = cbor.decode(payload)
    except MalformedError:
        return Reason.BODY
    if not isinstance(body, dict) or lane not in LANES:
        return Reason.BODY
    reason = check_body(body, lane)
    if reason is not None:
        return reason
    return Event(device_id, generation, body[_TYPE], body[_BOOT], body[_SEQ], body, payload)


def _authenticate(
    envelope: Envelope, topic: str, device_id: str, generation: int, directory: Directory
) -> Reason | None:
    device = directory.device(device_id)
    if device is None:
        return Reason.DEVICE
    key = device.keys.get(generation)
    if key is None or key.retired:
        return Reason.GENERATION
    if device.status is DeviceStatus.REVOKED:
        return Reason.REVOKED
    return None if tag_is_valid(envelope, topic, key.secret) else Reason.TAG


@lru_cache(maxsize=65_536)
def _split(topic: str) -> tuple[str, str]:
    """Return device and lane, whatever the prefix; two empty strings for a foreign topic."""
    parts = topic.rsplit("/", 2)
    if len(parts) != 3 or not _DEVICE_ID.fullmatch(parts[1]):
        return "", ""
    return parts[1], parts[2]


@lru_cache(maxsize=65_536)
def _parse_kid(kid: bytes) -> tuple[str, int] | None:
    match = _KID.fullmatch(kid)
    return (match[1].decode(), int(match[2])) if match else None


_REFUSALS: Final = {reason: Refusal(reason) for reason in Reason}
