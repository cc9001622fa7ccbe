"""The numbers of the wire (docs/protocol.md §3) and the words they become (§5)."""

from enum import IntEnum
from typing import Final

MESSAGE_LIMIT: Final = 1_024  # bytes, §2
NESTING_LIMIT: Final = 6  # levels, §2
# JSON readers keep whole numbers exactly up to here (RFC 8259 §6); SQLite's end above it.
UINT_LIMIT: Final = 2**53 - 1
LATE_AFTER_S: Final = 60  # §4


class Field(IntEnum):
    """Keys of a body."""

    TYPE = 0
    BOOT = 1
    SEQ = 2
    TIME = 3
    AGE_MS = 4
    CATEGORY = 5
    TRIGGER = 6
    POSITION = 7
    HEALTH = 8
    REF = 9
    PRESSES = 10
    STAGE = 11
    COUNTER = 12
    COMMAND = 13
    ARGS = 14
    EXPIRES = 15
    REASON = 16
    RESULT = 17


class Type(IntEnum):
    """What a message is."""

    ALARM = 1
    TRACK = 2
    CANCEL = 3
    STATUS = 4
    DRILL = 5
    RECEIPT = 16
    COMMAND = 17


class Stage(IntEnum):
    """How far help has come; what a receipt says."""

    STORED = 1
    OPENED = 2
    DISPATCHED = 3
    ACCEPTED = 4
    ARRIVED = 5
    HANDLED = 6
    CLOSED = 7
    DISMISSED = 8


class Command(IntEnum):
    """What the gateway may ask of a device."""

    IDENTIFY = 1
    SELF_TEST = 2
    REPORT = 3
    CONFIGURE = 4
    REBOOT = 5
    UPDATE = 6
    SILENCE = 7


class StatusReason(IntEnum):
    """Why a status was sent."""

    PERIODIC = 1
    BOOT = 2
    TAMPER = 3
    BATTERY = 4
    POWER = 5
    OFFLINE = 6
    SELF_TEST = 7
    COMMAND_RESULT = 8


CATEGORIES: Final = ("city_alarm", "ambulance", "fire", "rescue", "hearse", "other")
TRIGGERS: Final = (None, "press", "hold", "multi_press", "silent", "tamper", "remote")
SOURCES: Final = (None, "gnss", "last_known", "installed")
POWERS: Final = ("battery", "mains", "solar")
GNSS_STATES: Final = ("off", "searching", "fix")
LANES: Final = {
    "alarm": frozenset({Type.ALARM, Type.CANCEL, Type.DRILL}),
    "track": frozenset({Type.TRACK}),
    "status": frozenset({Type.STATUS}),
}
REQUIRED: Final = {
    Type.ALARM: frozenset(range(7)),
    Type.DRILL: frozenset(range(7)),
    Type.TRACK: frozenset({0, 1, 2, 3, 4, 7, 9}),
    Type.CANCEL: frozenset({0, 1, 2, 3, 4, 9}),
    Type.STATUS: frozenset({0, 1, 2, 3, 4, 16}),
}
