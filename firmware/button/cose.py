"""The envelope of protocol.md §2: COSE_Mac0 (RFC 9052 §6.2) with HMAC-SHA256."""

import hashlib

from .cbor import MAX_BYTES, Tagged, decode, encode, head
from .compat import const
from .errors import MalformedCborError, MessageRefused, UnencodableError
from .message import check

_TAG_COSE_MAC0 = const(17)
_HEADER_ALGORITHM = const(1)
_HEADER_CRITICAL = const(2)
_HEADER_KID = const(4)
_HMAC_256 = const(5)
_BLOCK = const(64)
_TAG_SIZE = const(32)

# {1: 5} as the sender writes it.
_PROTECTED = b"\xa1\x01\x05"


def seal(body: "dict[int, object]", key: bytes, kid: bytes, topic: bytes) -> bytes:
    """Return the message that carries `body`, to be published on `topic`.

    Raises `UnencodableError` if the body cannot be carried.
    """
    payload = encode(body)
    message = b"".join(
        (
            b"\xd1\x84",
            _bytes(_PROTECTED),
            b"\xa1\x04",
            _bytes(kid),
            _bytes(payload),
            _bytes(_mac(key, _PROTECTED, topic, payload)),
        )
    )
    if len(message) > MAX_BYTES:
        raise UnencodableError(f"a message of {len(message)} bytes; {MAX_BYTES} is the limit")
    return message


def unseal(message: bytes, key: bytes, kid: bytes, topic: bytes) -> "dict[int, object]":
    """Return the body of an authentic message that came on `topic`, its shape and ranges checked.

    Raises `MessageRefused` with the reason of the first check that fails.
    """
    if len(message) > MAX_BYTES:
        raise MessageRefused("size", f"{len(message)} bytes")
    try:
        item = decode(message)
    except MalformedCborError as error:
        raise MessageRefused("malformed", str(error)) from None
    protected, sender, payload, tag = _envelope(item)
    _check_algorithm(protected)
    _check_sender(sender, kid, topic)
    if not equal(tag, _mac(key, protected, topic, payload)):
        raise MessageRefused("tag", "made with another key, or changed")
    try:
        body = decode(payload)
    except MalformedCborError as error:
        raise MessageRefused("body", str(error)) from None
    return check(body, str(topic, "utf-8").split("/")[-1])


def equal(left: bytes, right: bytes) -> bool:
    """Compare two tags in a time that does not tell where they differ."""
    if len(left) != len(right):
        return False
    difference = 0
    for index in range(len(left)):
        difference |= left[index] ^ right[index]
    return difference == 0


def hmac_sha256(key: bytes, *parts: bytes) -> bytes:
    """Return HMAC-SHA256 (RFC 2104) of the parts one after another."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    inner = hashlib.sha256(_padded(key, 0x36))
    for part in parts:
        inner.update(part)
    outer = hashlib.sha256(_padded(key, 0x5C))
    outer.update(inner.digest())
    tag: bytes = outer.digest()
    return tag


def _padded(key: bytes, pad: int) -> bytearray:
    block = bytearray(_BLOCK)
    for index in range(_BLOCK):
        block[index] = pad ^ (key[index] if index < len(key) else 0)
    return block


def _mac(key: bytes, protected: bytes, topic: bytes, payload: bytes) -> bytes:
    # MAC_structure of RFC 9052 §6.3: an array of 4, hashed without being built.
    return hmac_sha256(
        key, b"\x84\x64MAC0", _bytes(protected), _bytes(topic), head(2, len(payload)), payload
    )


def _bytes(value: bytes) -> bytes:
    return head(2, len(value)) + value


def _envelope(item: object) -> "tuple[bytes, bytes, bytes, bytes]":
    if not isinstance(item, Tagged) or item.number != _TAG_COSE_MAC0:
        raise MessageRefused("envelope", "no COSE_Mac0")
    parts = item.value
    if not isinstance(parts, list) or len(parts) != 4:
        raise MessageRefused("envelope", "no array of four")
    protected, unprotected, payload, tag = parts
    if not isinstance(unprotected, dict):
        raise MessageRefused("envelope", "no unprotected header")
    kid = unprotected.get(_HEADER_KID)
    if (
        isinstance(protected, bytes)
        and isinstance(kid, bytes)
        and isinstance(payload, bytes)
        and isinstance(tag, bytes)
    ):
        return protected, kid, payload, tag
    raise MessageRefused("envelope", "a part that is no byte string")


def _check_algorithm(protected: bytes) -> None:
    header: object = {}
    if protected:
        try:
            header = decode(protected)
        except MalformedCborError:
            raise MessageRefused("envelope", "the protected header is no CBOR") from None
    if not isinstance(header, dict):
        raise MessageRefused("envelope", "the protected header is no map")
    if _HEADER_CRITICAL in header:
        raise MessageRefused("envelope", "a critical header that we don't know")
    if header.get(_HEADER_ALGORITHM) != _HMAC_256:
        raise MessageRefused("algorithm", "not HMAC 256/256")


def _check_sender(sender: bytes, kid: bytes, topic: bytes) -> None:
    levels = topic.split(b"/")
    device = levels[-2] if len(levels) > 1 else b""
    named, generation = _split_kid(sender)
    if named != device or not generation.isdigit() or generation[:1] == b"0":
        raise MessageRefused("kid", "does not name the topic's device")
    if named != _split_kid(kid)[0]:
        raise MessageRefused("device", "not ours")
    if sender != kid:
        raise MessageRefused("generation", "not the key's")


def _split_kid(kid: bytes) -> "tuple[bytes, bytes]":
    mark = kid.rfind(b"#")
    return (kid[:mark], kid[mark + 1 :]) if mark >= 0 else (b"", b"")
