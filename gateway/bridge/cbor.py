"""Bounded CBOR: every byte is looked at before the decoder sees the first one."""

import re
from typing import Final

import cbor2

from gateway.bridge.errors import MalformedError
from gateway.bridge.wire import NESTING_LIMIT

_INDEFINITE: Final = 31
_BREAK: Final = 0xFF
_UINT, _NEGINT, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_ARGUMENT_BYTES: Final = {24: 1, 25: 2, 26: 4, 27: 8}
# Integers, false, true, null, strings under 24 bytes, heads of arrays and maps under 24 items.
_SHORT_ITEMS: Final = re.compile(
    rb"(?:[\x00-\x17\x20-\x37\xf4-\xf6\x80-\x97\xa0-\xb7]"
    rb"|[\x18\x38].|[\x19\x39]..|[\x1a\x3a].{4}|[\x1b\x3b].{8}|"
    + b"|".join(b"[%c%c].{%d}" % (0x40 + size, 0x60 + size, size) for size in range(24))
    + b")+",
    re.DOTALL,
)


def decode(data: bytes, levels: int = NESTING_LIMIT) -> object:
    """Decode exactly one item without tags or repeated keys, at most `levels` deep.

    Raises MalformedError for anything that RFC 8949 §5.3.1 does not call valid, or that these
    limits exclude.
    """
    try:
        # Scanning byte by byte costs 3 to 9 µs; what a device of ours sends consists of short
        # items only and encodes back to itself, which proves the same in 2 µs.
        if _SHORT_ITEMS.fullmatch(data):
            value = _loads(data, levels)
            if cbor2.dumps(value) == data:
                return value
        if _end_of_item(data, 0, levels) != len(data):
            raise MalformedError(len(data))
        return _loads(data, levels)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError):
        raise MalformedError(len(data)) from None


def decode_tagged(data: bytes) -> tuple[int | None, object]:
    """Decode one item that may carry one tag outside; the tag counts as a level."""
    if not data or data[0] >> 5 != _TAG:
        return None, decode(data)
    tag, at = _argument(data, 1, data[0] & 31)
    return tag, decode(data[at:], NESTING_LIMIT - 1)


def _loads(data: bytes, levels: int) -> object:
    value: object = cbor2.loads(data, max_depth=levels, allow_duplicate_keys=False)
    return value


def _end_of_item(data: bytes, at: int, levels: int) -> int:
    """Return where the item that starts at `at` ends; `levels` may still be opened inside."""
    head = _byte(data, at)
    major, detail = head >> 5, head & 31
    if detail == _INDEFINITE:
        return _end_of_indefinite(data, at + 1, major, levels)
    argument, at = _argument(data, at + 1, detail)
    if major in (_UINT, _NEGINT):
        return at
    if major in (_BYTES, _TEXT):
        if at + argument > len(data):
            raise MalformedError(at)
        return at + argument
    if major == _SIMPLE:
        if detail == 24 and argument < 32:  # RFC 8949 §3.3: not well-formed
            raise MalformedError(at)
        return at
    items = 2 * argument if major == _MAP else argument
    if major == _TAG or levels == 0 or items > len(data) - at:
        raise MalformedError(at)
    for _ in range(items):
        at = _end_of_item(data, at, levels - 1)
    return at


def _end_of_indefinite(data: bytes, at: int, major: int, levels: int) -> int:
    if major not in (_BYTES, _TEXT, _ARRAY, _MAP) or levels == 0:
        raise MalformedError(at)
    items = 0
    while _byte(data, at) != _BREAK:
        # RFC 8949 §3.2.3: the chunks of a string are definite strings of its own type.
        if major in (_BYTES, _TEXT) and (data[at] >> 5 != major or data[at] & 31 == _INDEFINITE):
            raise MalformedError(at)
        at = _end_of_item(data, at, levels - 1)
        items += 1
    if major == _MAP and items % 2:
        raise MalformedError(at)
    return at + 1


def _argument(data: bytes, at: int, detail: int) -> tuple[int, int]:
    if detail < 24:
        return detail, at
    size = _ARGUMENT_BYTES.get(detail)
    if size is None or at + size > len(data):
        raise MalformedError(at)
    return int.from_bytes(data[at : at + size], "big"), at + size


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise MalformedError(at)
    return data[at]
