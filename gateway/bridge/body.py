"""The shape and the ranges of a body sent by a device (docs/protocol.md §3)."""

from collections.abc import Callable, Mapping
from typing import Final

from gateway.bridge.envelope import Reason
from gateway.bridge.wire import (
    CATEGORIES,
    LANES,
    REQUIRED,
    SOURCES,
    TRIGGERS,
    UINT_LIMIT,
    Field,
    StatusReason,
)

_Check = Callable[[object], Reason | None]
_LAT_LIMIT, _LON_LIMIT = 900_000_000, 1_800_000_000
_POSITION_REQUIRED: Final = frozenset(range(4))
_POSITION_OPTIONAL_UINTS: Final = (4, 5, 7, 8)
_HEALTH_TYPES: Final = {
    **dict.fromkeys((0, 1, 2, 3, 4, 5, 7, 9, 10, 11), int),
    6: str,
    8: bool,
}


def check_body(body: object, lane: str) -> Reason | None:
    """Say why a device may not send this body on this lane; None when it may.

    Keys that this version doesn't know are not looked at: a newer device must still get help.
    """
    if not isinstance(body, dict):
        return Reason.BODY
    kind = body.get(Field.TYPE)
    if type(kind) is not int or kind not in LANES[lane] or not body.keys() >= _REQUIRED[kind]:
        return Reason.BODY
    out_of_range = None
    for key, value in body.items():
        if type(key) is not int or key < 0:
            return Reason.BODY
        check = _CHECKS.get(key)
        if check is not None:
            found = check(value)
            if found is Reason.BODY:
                return found
            out_of_range = out_of_range or found
    return out_of_range


def _uint(value: object) -> Reason | None:
    if type(value) is not int or value < 0:
        return Reason.BODY
    return Reason.RANGE if value > UINT_LIMIT else None


def _uint_or_null(value: object) -> Reason | None:
    return None if value is None else _uint(value)


def _integer(value: object) -> Reason | None:
    if type(value) is not int:
        return Reason.BODY
    return Reason.RANGE if abs(value) > UINT_LIMIT else None


def _one_of(first: int, end: int) -> _Check:
    def check(value: object) -> Reason | None:
        if type(value) is not int or value < 0:
            return Reason.BODY
        return None if first <= value < end else Reason.RANGE

    return check


def _ref(value: object) -> Reason | None:
    if not isinstance(value, list) or len(value) != 2:
        return Reason.BODY
    return _worst(_uint(value[0]), _uint(value[1]))


def _result(value: object) -> Reason | None:
    if not isinstance(value, list) or len(value) not in (2, 3):
        return Reason.BODY
    if len(value) == 3 and not isinstance(value[2], str | None):
        return Reason.BODY
    return _worst(_uint(value[0]), _integer(value[1]))


def _position(value: object) -> Reason | None:
    if not isinstance(value, dict) or not value.keys() >= _POSITION_REQUIRED:
        return Reason.BODY
    optional = (_uint(value[key]) for key in _POSITION_OPTIONAL_UINTS if key in value)
    return _worst(
        _within(value[0], _LAT_LIMIT),
        _within(value[1], _LON_LIMIT),
        _source(value[2]),
        _uint_or_null(value[3]),
        _integer(value.get(6, 0)),
        *optional,
    )


def _within(value: object, limit: int) -> Reason | None:
    if type(value) is not int:
        return Reason.BODY
    return None if -limit <= value <= limit else Reason.RANGE


def _health(value: object) -> Reason | None:
    if not isinstance(value, dict):
        return Reason.BODY
    out_of_range = None
    for key, item in value.items():
        kind = _HEALTH_TYPES.get(key)
        if kind is None or item is None:
            continue
        if type(item) is not kind:
            return Reason.BODY
        if isinstance(item, int) and abs(item) > UINT_LIMIT:
            out_of_range = Reason.RANGE
    return out_of_range


def _worst(*found: Reason | None) -> Reason | None:
    return Reason.BODY if Reason.BODY in found else next(filter(None, found), None)


_source: Final = _one_of(1, len(SOURCES))
# Plain dicts of int: an IntEnum key hashes through Python code, 0.2 µs a look-up.
_REQUIRED: Final[Mapping[int, frozenset[int]]] = {int(k): v for k, v in REQUIRED.items()}
_CHECKS: Final[Mapping[int, _Check]] = {
    int(Field.BOOT): _uint,
    int(Field.SEQ): _uint,
    int(Field.TIME): _uint_or_null,
    int(Field.AGE_MS): _uint_or_null,
    int(Field.CATEGORY): _one_of(0, len(CATEGORIES)),
    int(Field.TRIGGER): _one_of(1, len(TRIGGERS)),
    int(Field.POSITION): _position,
    int(Field.HEALTH): _health,
    int(Field.REF): _ref,
    int(Field.PRESSES): _uint,
    int(Field.REASON): _one_of(1, StatusReason.COMMAND_RESULT + 1),
    int(Field.RESULT): _result,
}
