"""COSE_Mac0 (RFC 9052 §6.2): opened without belief, and sealed."""

import hmac
from enum import StrEnum
from functools import lru_cache
from typing import Final

import cbor2
import msgspec

from gateway.bridge import cbor
from gateway.bridge.errors import MalformedError
from gateway.bridge.wire import MESSAGE_LIMIT

_HEADER_ALG, _HEADER_CRIT, _HEADER_KID = 1, 2, 4  # RFC 9052 §3.1
_HMAC_256: Final = 5  # RFC 9053 §3.1: HMAC 256/256
_MAC0: Final = 17  # RFC 9052 §6.2
_TAG_BYTES: Final = 32
_PROTECTED: Final = b"\xa1\x01\x05"
# tag 17, array of 4, protected {1: 5}, a map of one pair with key 4: the start that RFC 8949
# §4.2.1 allows, and so the start of every message that a device of ours sends.
_DETERMINISTIC_START: Final = b"\xd1\x84\x43\xa1\x01\x05\xa1\x04"


class Reason(StrEnum):
    """Why a message is refused, in the order of the checks (docs/protocol.md §2)."""

    SIZE = "size"
    MALFORMED = "malformed"
    ENVELOPE = "envelope"
    ALGORITHM = "algorithm"
    KID = "kid"
    DEVICE = "device"
    GENERATION = "generation"
    REVOKED = "revoked"
    TAG = "tag"
    BODY = "body"
    RANGE = "range"


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A well-formed message whose tag nobody has checked yet."""

    protected: bytes
    kid: bytes
    payload: bytes
    tag: bytes


def open_envelope(message: bytes) -> Envelope | Reason:
    """Take a message apart; what comes out is not authentic before `tag_is_valid` says so."""
    if len(message) > MESSAGE_LIMIT:
        return Reason.SIZE
    # Parsing bytes that must be these saves a general decode: 0.7 µs instead of 9 µs.
    return _open_deterministic(message) or _open_any(message)


def tag_is_valid(envelope: Envelope, topic: str, secret: bytes) -> bool:
    """Compare the tag, bound to the topic (external_aad), in constant time."""
    expected = hmac.digest(
        secret, _mac_input(envelope.protected, topic, envelope.payload), "sha256"
    )
    return hmac.compare_digest(expected, envelope.tag)


def seal(topic: str, kid: str, secret: bytes, body: dict[int, object]) -> bytes:
    """Make the message that carries `body` on `topic`."""
    payload = cbor2.dumps(body, canonical=True)
    tag = hmac.digest(secret, _mac_input(_PROTECTED, topic, payload), "sha256")
    parts = (_byte_string(kid.encode()), _byte_string(payload), _byte_string(tag))
    return _DETERMINISTIC_START + b"".join(parts)


def _open_deterministic(message: bytes) -> Envelope | None:
    """Open a message in core deterministic encoding; None means that it may be anything else."""
    if message[:8] != _DETERMINISTIC_START:
        return None
    kid, at = _short_string(message, 8)
    payload, at = _short_string(message, at)
    tag, at = _short_string(message, at)
    if at != len(message) or len(tag) != _TAG_BYTES:
        return None
    return Envelope(_PROTECTED, kid, payload, tag)


def _short_string(message: bytes, at: int) -> tuple[bytes, int]:
    """Read a byte string of at most 255 bytes; past the end when there is none."""
    head = message[at : at + 2]
    if len(head) == 2:
        if 0x40 <= head[0] < 0x58:
            end = at + 1 + head[0] - 0x40
            return message[at + 1 : end], end
        if head[0] == 0x58:
            end = at + 2 + head[1]
            return message[at + 2 : end], end
    return b"", len(message) + 1


def _open_any(message: bytes) -> Envelope | Reason:
    try:
        mark, item = cbor.decode_tagged(message)
    except MalformedError:
        return Reason.MALFORMED
    match item:
        case [bytes(protected), dict(unprotected), bytes(payload), bytes(tag)] if mark == _MAC0:
            header = _protected_header(protected)
        case _:
            return Reason.ENVELOPE
    kid = unprotected.get(_HEADER_KID)
    if header is None or not isinstance(kid, bytes):
        return Reason.ENVELOPE
    if not _is_hmac_256(header):
        return Reason.ALGORITHM
    return Envelope(protected, kid, payload, tag)


def _protected_header(protected: bytes) -> dict[object, object] | None:
    """Decode the protected header; an empty string is an empty map (RFC 9052 §3)."""
    if not protected:
        return {}
    try:
        header = cbor.decode(protected)
    except MalformedError:
        return None
    # RFC 9052 §3.1: who doesn't know what `crit` names must not process the message.
    if not isinstance(header, dict) or _HEADER_CRIT in header:
        return None
    return header


def _is_hmac_256(header: dict[object, object]) -> bool:
    algorithm = header.get(_HEADER_ALG)
    return type(algorithm) is int and algorithm == _HMAC_256


def _mac_input(protected: bytes, topic: str, payload: bytes) -> bytes:
    return _mac_start(protected, topic) + _byte_string(payload)


@lru_cache(maxsize=65_536)
def _mac_start(protected: bytes, topic: str) -> bytes:
    """Encode the MAC_structure of RFC 9052 §6.3 up to its payload."""
    return b"\x84\x64MAC0" + _byte_string(protected) + _byte_string(topic.encode())


def _byte_string(data: bytes) -> bytes:
    size = len(data)
    if size < 24:
        return bytes((0x40 + size,)) + data
    if size < 256:
        return bytes((0x58, size)) + data
    return b"\x59" + size.to_bytes(2, "big") + data
