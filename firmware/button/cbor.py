"""CBOR (RFC 8949): encodes deterministically (§4.2.1), decodes what is well-formed and small."""

from .compat import const
from .errors import MalformedCborError, UnencodableError

MAX_BYTES = const(1024)
MAX_LEVELS = const(6)
"""Arrays, maps and tags inside each other."""

_UINT = const(0)
_NINT = const(1)
_BYTES = const(2)
_TEXT = const(3)
_ARRAY = const(4)
_MAP = const(5)
_SIMPLE = const(7)

_INDEFINITE = const(-1)
_BREAK = const(0xFF)


class Tagged:
    """A tagged item; the only tag of this protocol is 17, COSE_Mac0, around a message."""

    def __init__(self, number: int, value: object) -> None:
        self.number = number
        self.value = value


class Opaque:
    """A well-formed item of no use to this protocol, kept as it came.

    Floats (the boards' are too coarse to hand one on), simple values but true, false
    and null, and map keys other than integers, bytes and text.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)


def head(major: int, argument: int) -> bytes:
    """Return the shortest initial bytes of an item (RFC 8949 §3)."""
    out = bytearray()
    _put_head(out, major, argument)
    return bytes(out)


def encode(value: object) -> bytes:
    """Encode None, bool, int, bytes, str, list, tuple or dict.

    Raises `UnencodableError` for anything else and past the bounds of protocol.md §2.
    """
    out = bytearray()
    _encode(out, value, 0)
    return bytes(out)


def _encode(out: bytearray, value: object, level: int) -> None:
    if isinstance(value, (list, tuple)):
        _check_level(level)
        _put_head(out, _ARRAY, len(value))
        for item in value:
            _encode(out, item, level + 1)
    elif isinstance(value, dict):
        _check_level(level)
        _put_head(out, _MAP, len(value))
        _put_pairs(out, value, level + 1)
    else:
        _put_scalar(out, value)
    if len(out) > MAX_BYTES:
        raise UnencodableError(f"over {MAX_BYTES} bytes")


def _check_level(level: int) -> None:
    if level >= MAX_LEVELS:
        raise UnencodableError(f"nested deeper than {MAX_LEVELS} levels")


def _put_pairs(out: bytearray, pairs: dict[object, object], level: int) -> None:
    unsigned = []
    by_encoding = {}
    for key in pairs:
        if isinstance(key, int) and not isinstance(key, bool) and key >= 0:
            unsigned.append(key)
        else:
            by_encoding[_encoded(key, level)] = key
    # Unsigned integers sort as their encodings do, and before all else; a body has no
    # other keys, and encoding each key apart would cost 3 kB of garbage a message.
    unsigned.sort()
    for number in unsigned:
        _put_head(out, _UINT, number)
        _encode(out, pairs[number], level)
    for encoded in sorted(by_encoding):
        out.extend(encoded)
        _encode(out, pairs[by_encoding[encoded]], level)


def _encoded(key: object, level: int) -> bytes:
    out = bytearray()
    _encode(out, key, level)
    return bytes(out)


def _put_scalar(out: bytearray, value: object) -> None:
    if value is None:
        out.append(0xF6)
    elif isinstance(value, bool):
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        if value >= 0:
            _put_head(out, _UINT, value)
        else:
            _put_head(out, _NINT, -1 - value)
    elif isinstance(value, str):
        text = value.encode()
        _put_head(out, _TEXT, len(text))
        out.extend(text)
    elif isinstance(value, (bytes, bytearray)):
        _put_head(out, _BYTES, len(value))
        out.extend(value)
    elif isinstance(value, Opaque):
        out.extend(value.raw)
    else:
        raise UnencodableError(f"cannot encode {type(value)}")


def _put_head(out: bytearray, major: int, argument: int) -> None:
    if argument < 24:
        out.append(major << 5 | argument)
        return
    info = 24
    while argument >> (8 << (info - 24)):
        info += 1
    if info > 27:
        raise UnencodableError("an integer over 64 bits")
    out.append(major << 5 | info)
    out.extend(argument.to_bytes(1 << (info - 24), "big"))


def decode(data: bytes) -> object:
    """Decode exactly one item.

    A tag around the whole item comes as `Tagged`, so that the caller can say whether it is
    the right envelope; a tag inside is refused. Raises `MalformedCborError`.
    """
    if len(data) > MAX_BYTES:
        raise MalformedCborError(f"over {MAX_BYTES} bytes")
    reader = _Reader(data)
    value = reader.item(0)
    if reader.position != len(data):
        raise MalformedCborError("bytes after the item")
    return value


class _Reader:
    """A position in bytes; every length is checked against what is left before it is used."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.argument = 0

    def item(self, level: int) -> object:
        start = self.position
        major = self._head()
        argument = self.argument
        if major == _UINT:
            return argument
        if major == _NINT:
            return -1 - argument
        if major <= _TEXT:
            return self._string(major, argument)
        if major == _SIMPLE:
            return self._simple(start)
        if level >= MAX_LEVELS:
            raise MalformedCborError(f"nested deeper than {MAX_LEVELS} levels")
        return self._container(major, argument, start, level + 1)

    def _string(self, major: int, count: int) -> "bytes | str":
        raw = self._chunks(major) if count == _INDEFINITE else self._take(count)
        if major == _BYTES:
            return raw
        check_utf8(raw)
        return str(raw, "utf-8")

    def _container(self, major: int, argument: int, start: int, level: int) -> object:
        if major == _ARRAY:
            return self._array(argument, level)
        if major == _MAP:
            return self._map(argument, level)
        if start != 0:
            raise MalformedCborError("a tag inside")
        return Tagged(argument, self.item(level))

    def _head(self) -> int:
        """Return the major type; the argument is left in `argument`, which costs no tuple."""
        initial = self._byte()
        major = initial >> 5
        info = initial & 31
        if info < 24:
            self.argument = info
        elif info < 28:
            self.argument = int.from_bytes(self._take(1 << (info - 24)), "big")
        elif info == 31 and _BYTES <= major <= _MAP:
            self.argument = _INDEFINITE
        else:
            raise MalformedCborError("reserved initial byte")
        return major

    def _byte(self) -> int:
        if self.position >= len(self.data):
            raise MalformedCborError("cut short")
        self.position += 1
        return self.data[self.position - 1]

    def _take(self, count: int) -> bytes:
        start = self.position
        if count > len(self.data) - start:
            raise MalformedCborError("cut short")
        self.position = start + count
        return self.data[start : self.position]

    def _at_break(self) -> bool:
        if self.position < len(self.data) and self.data[self.position] == _BREAK:
            self.position += 1
            return True
        return False

    def _chunks(self, kind: int) -> bytes:
        out = bytearray()
        while not self._at_break():
            if self._head() != kind or self.argument == _INDEFINITE:
                raise MalformedCborError("a chunk of another kind")
            chunk = self._take(self.argument)
            if kind == _TEXT:
                check_utf8(chunk)
            out.extend(chunk)
        return bytes(out)

    def _simple(self, start: int) -> object:
        initial = self.data[start]
        if initial == 0xF4:
            return False
        if initial == 0xF5:
            return True
        if initial == 0xF6:
            return None
        if initial == 0xF8 and self.argument < 32:
            raise MalformedCborError("a simple value in two bytes that has one")
        return Opaque(self.data[start : self.position])

    def _array(self, count: int, level: int) -> list[object]:
        items: list[object] = []
        while not self._ends(count, len(items)):
            items.append(self.item(level))
        return items

    def _map(self, count: int, level: int) -> dict[object, object]:
        pairs: dict[object, object] = {}
        while not self._ends(count, len(pairs)):
            key = self._key(level)
            if key in pairs:
                raise MalformedCborError("a key twice")
            pairs[key] = self.item(level)
        return pairs

    def _ends(self, count: int, done: int) -> bool:
        return self._at_break() if count == _INDEFINITE else done == count

    def _key(self, level: int) -> object:
        start = self.position
        key = self.item(level)
        # True == 1 in Python, and lists don't hash: such keys are kept as they came.
        if isinstance(key, bool) or not isinstance(key, (int, str, bytes)):
            return Opaque(self.data[start : self.position])
        return key


def check_utf8(raw: bytes) -> None:
    """Raise `MalformedCborError` unless `raw` is UTF-8 (RFC 3629); MicroPython only half checks."""
    follow = 0
    low, high = 0x80, 0xBF
    for byte in raw:
        if follow:
            if not low <= byte <= high:
                break
            follow -= 1
            low, high = 0x80, 0xBF
        elif byte >= 0x80:
            if not 0xC2 <= byte <= 0xF4:
                break
            follow = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
            low = {0xE0: 0xA0, 0xF0: 0x90}.get(byte, 0x80)
            high = {0xED: 0x9F, 0xF4: 0x8F}.get(byte, 0xBF)
    else:
        if not follow:
            return
    raise MalformedCborError("text that is not UTF-8")
