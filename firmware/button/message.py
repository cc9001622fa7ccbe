"""Message bodies of protocol.md §3: keys, values, builders, shape and range checks.

Only the values that the firmware names have a name here: each costs a board 30 bytes of heap.
"""

from .compat import const
from .errors import MessageRefused

# Keys of a body.
TYPE = const(0)
BOOT = const(1)
SEQ = const(2)
TIME = const(3)
AGE_MS = const(4)
_CATEGORY = const(5)
TRIGGER = const(6)
POSITION = const(7)
HEALTH = const(8)
REF = const(9)
PRESSES = const(10)
STAGE = const(11)
COUNTER = const(12)
COMMAND = const(13)
ARGS = const(14)
EXPIRES = const(15)
REASON = const(16)
RESULT = const(17)

# Types.
ALARM = const(1)
TRACK = const(2)
CANCEL = const(3)
STATUS = const(4)
DRILL = const(5)
RECEIPT = const(16)

# Triggers.
PRESS = const(1)
HOLD = const(2)
MULTI_PRESS = const(3)
SILENT = const(4)
TAMPER = const(5)

# Stages of the ladder.
OPENED = const(2)
CLOSED = const(7)

# Commands.
IDENTIFY = const(1)
SELF_TEST = const(2)
REPORT = const(3)
CONFIGURE = const(4)
REBOOT = const(5)
UPDATE = const(6)
SILENCE = const(7)

# Reasons of a status.
PERIODIC = const(1)
REASON_BOOT = const(2)
REASON_TAMPER = const(3)
OFFLINE = const(6)
COMMAND_RESULT = const(8)

# Sources of a position.
GNSS = const(1)
LAST_KNOWN = const(2)

_LAT_LIMIT = const(900000000)
_LON_LIMIT = const(1800000000)

_LANES = {"alarm": (1, 3, 5), "track": (2,), "status": (4,), "down": (16, 17)}
_CALL = (1, 2, 3, 4, 5, 6)
_REQUIRED = {
    1: _CALL,
    2: (1, 2, 3, 4, 7, 9),
    3: (1, 2, 3, 4, 9),
    4: (1, 2, 3, 4, 16),
    5: _CALL,
    16: (3, 9, 11),
    17: (3, 12, 13, 15),
}

# Kinds of values: u uint, i int, n uint or null, t text, b bool, a map with text keys,
# p position, h health, r identity, c command result.
_KINDS = "uuunnuuphruuuuauuc"
_POSITION_KINDS = "iiunuuiuu"
_POSITION_REQUIRED = (0, 1, 2, 3)
_HEALTH_KINDS = "uuuiuutibuuu"

# Ranges of enumerations: key, lowest, highest.
_BODY_RANGES = ((5, 0, 5), (6, 1, 6), (11, 1, 8), (13, 1, 7), (16, 1, 8))
_POSITION_RANGES = ((0, -_LAT_LIMIT, _LAT_LIMIT), (1, -_LON_LIMIT, _LON_LIMIT), (2, 1, 3))
_HEALTH_RANGES = ((2, 0, 2), (11, 0, 2))


def alarm(
    boot: int,
    seq: int,
    time: "int | None",
    age_ms: "int | None",
    *,
    category: int,
    trigger: int,
    position: "dict[int, int] | None" = None,
    presses: "int | None" = None,
    ref: "tuple[int, int] | None" = None,
    kind: int = ALARM,
) -> "dict[int, object]":
    """Build an alarm or, with the kind DRILL, what everyone knows to be practice.

    `time` is in Unix seconds, `ref` the active alarm that it joins.
    """
    body = _event(kind, boot, seq, time, age_ms)
    body[_CATEGORY] = category
    body[TRIGGER] = trigger
    if position is not None:
        body[POSITION] = position
    if presses is not None:
        body[PRESSES] = presses
    if ref is not None:
        body[REF] = list(ref)
    return body


def track(
    boot: int,
    seq: int,
    time: "int | None",
    age_ms: "int | None",
    *,
    ref: "tuple[int, int]",
    position: "dict[int, int]",
) -> "dict[int, object]":
    """Build a position report of the active alarm `ref`."""
    body = _event(TRACK, boot, seq, time, age_ms)
    body[POSITION] = position
    body[REF] = list(ref)
    return body


def cancel(
    boot: int, seq: int, time: "int | None", age_ms: "int | None", *, ref: "tuple[int, int]"
) -> "dict[int, object]":
    """Build a cancel of the alarm `ref`: evidence for the operator, it closes nothing."""
    body = _event(CANCEL, boot, seq, time, age_ms)
    body[REF] = list(ref)
    return body


def status(
    boot: int,
    seq: int,
    time: "int | None",
    age_ms: "int | None",
    *,
    reason: int,
    health: "dict[int, object] | None" = None,
    result: "tuple[int, int] | tuple[int, int, str] | None" = None,
) -> "dict[int, object]":
    """Build a status; `result` (counter, code, optional text) goes with COMMAND_RESULT."""
    body = _event(STATUS, boot, seq, time, age_ms)
    body[REASON] = reason
    if health is not None:
        body[HEALTH] = health
    if result is not None:
        body[RESULT] = list(result)
    return body


def _event(
    kind: int, boot: int, seq: int, time: "int | None", age_ms: "int | None"
) -> "dict[int, object]":
    return {TYPE: kind, BOOT: boot, SEQ: seq, TIME: time, AGE_MS: age_ms}


def integer(body: "dict[int, object]", key: int) -> int:
    """Return a checked body's integer at `key`."""
    value = body[key]
    if not isinstance(value, int):
        raise MessageRefused("body", f"key {key} is no integer")
    return value


def reference(body: "dict[int, object]") -> "tuple[int, int]":
    """Return a checked body's ref: boot and seq of the alarm it belongs to."""
    value = body[REF]
    if isinstance(value, list) and _is_identity(value):
        return value[0], value[1]
    raise MessageRefused("body", "ref is no identity")


def check(body: object, lane: str) -> "dict[int, object]":
    """Return the body if its shape and ranges are right for the topic's last level, `lane`.

    Raises `MessageRefused` with reason `body` or `range` (protocol.md §2).
    """
    if not isinstance(body, dict):
        raise MessageRefused("body", "no map")
    for key in body:
        if not _is_number("u", key):
            raise MessageRefused("body", "a key that is no unsigned integer")
        if key < len(_KINDS) and not _is(_KINDS[key], body[key]):
            raise MessageRefused("body", f"key {key} has the wrong type")
    kind = body.get(TYPE)
    if kind not in _LANES.get(lane, ()):
        raise MessageRefused("body", f"type {kind} does not go on the lane {lane}")
    for key in _REQUIRED[kind]:
        if key not in body:
            raise MessageRefused("body", f"key {key} is missing")
    _check_ranges(body, _BODY_RANGES)
    _check_ranges(body.get(POSITION), _POSITION_RANGES)
    _check_ranges(body.get(HEALTH), _HEALTH_RANGES)
    return body


def _check_ranges(values: object, ranges: "tuple[tuple[int, int, int], ...]") -> None:
    if isinstance(values, dict):
        for key, low, high in ranges:
            if key in values and not low <= values[key] <= high:
                raise MessageRefused("range", f"key {key} is {values[key]}")


def _fits(values: "dict[object, object]", kinds: str) -> bool:
    for key in values:
        if isinstance(key, int) and 0 <= key < len(kinds) and not _is(kinds[key], values[key]):
            return False
    return True


# One function for many small ones, each of which would cost a board 130 bytes of heap.
def _is(kind: str, value: object) -> bool:
    """Say whether a value is of a kind, one of the letters beside `_KINDS`."""
    if kind in "uin":
        return _is_number(kind, value)
    if kind in "tb":
        return isinstance(value, str if kind == "t" else bool)
    if kind in "aph":
        return isinstance(value, dict) and _is_map(kind, value)
    return isinstance(value, list) and (_is_result(value) if kind == "c" else _is_identity(value))


def _is_number(kind: str, value: object) -> bool:
    if value is None:
        return kind == "n"
    return isinstance(value, int) and not isinstance(value, bool) and (kind == "i" or value >= 0)


def _is_map(kind: str, value: "dict[object, object]") -> bool:
    if kind == "a":
        return all(isinstance(key, str) for key in value)
    if kind == "h":
        return _fits(value, _HEALTH_KINDS)
    return all(key in value for key in _POSITION_REQUIRED) and _fits(value, _POSITION_KINDS)


def _is_identity(value: "list[object]") -> bool:
    return len(value) == 2 and _is("u", value[0]) and _is("u", value[1])


def _is_result(value: "list[object]") -> bool:
    return (
        2 <= len(value) <= 3
        and _is("u", value[0])
        and _is("i", value[1])
        and (len(value) == 2 or isinstance(value[2], str))
    )
