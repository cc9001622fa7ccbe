"""Where the button is and when its alarm should say so again (protocol.md §4, Track)."""

from . import message
from .events import Fix

MOVED_MS = 10_000
STILL_MS = 60_000
_MOVED_E7 = 1_348
"""15 m along a meridian, in 1e-7 degree (1 degree = 111.32 km)."""

_FRESH_S = 10
_BETTER_HDOP = 50
_HDOP = 4
_ALARM_DETAILS = (4, 5)
_HALF_TURN_E7 = 1_800_000_000


class Tracking:
    """The last fix and what of it has been told already."""

    def __init__(self) -> None:
        self._fix: Fix | None = None
        self._fix_ms = 0
        self._told: Fix | None = None
        self._told_ms = 0

    def found(self, fix: Fix, now_ms: int) -> None:
        """Take a new fix."""
        self._fix = fix
        self._fix_ms = now_ms

    def told(self, now_ms: int) -> None:
        """Remember that the position known now, if any, has been sent."""
        self._told = self._fix
        self._told_ms = now_ms

    def position(self, now_ms: int, *, whole: bool) -> "dict[int, int] | None":
        """Return the position map of protocol.md §3, `whole` with speed, course and altitude.

        An alarm goes without those: it must fit one SMS with any device id.
        """
        fix = self._fix
        if fix is None:
            return None
        age_s = (now_ms - self._fix_ms) // 1000
        position = {
            0: fix.lat_e7,
            1: fix.lon_e7,
            2: message.GNSS if age_s <= _FRESH_S else message.LAST_KNOWN,
            3: age_s,
        }
        details = fix.details
        keys = details if whole else [key for key in _ALARM_DETAILS if key in details]
        position.update({key: details[key] for key in keys})
        return position

    def due_ms(self) -> "int | None":
        """Return when a track of the active alarm is due, or None: there is no position."""
        if self._fix is None:
            return None
        if self._told is None:
            return self._fix_ms
        if self._told is not self._fix and (
            moved(self._told, self._fix) or _got_better(self._told, self._fix)
        ):
            return self._told_ms + MOVED_MS
        return self._told_ms + STILL_MS


def moved(before: Fix, after: Fix) -> bool:
    """Say whether two fixes lie over 15 m apart; flat-earth, as the distance is small."""
    north = after.lat_e7 - before.lat_e7
    east = after.lon_e7 - before.lon_e7
    if east > _HALF_TURN_E7:
        east -= 2 * _HALF_TURN_E7
    elif east < -_HALF_TURN_E7:
        east += 2 * _HALF_TURN_E7
    east = east * _cosine_permille(after.lat_e7) // 1000
    return north * north + east * east > _MOVED_E7 * _MOVED_E7


def _got_better(before: Fix, after: Fix) -> bool:
    if _HDOP not in after.details:
        return False
    return (
        _HDOP not in before.details or after.details[_HDOP] + _BETTER_HDOP <= before.details[_HDOP]
    )


def _cosine_permille(lat_e7: int) -> int:
    # Bhaskara's approximation, 0.2 % off at most: a board's 32-bit floats do no better
    # for less flash.
    tenths = 900 - abs(lat_e7) // 1_000_000
    product = tenths * (1800 - tenths)
    return 4000 * product // (4_050_000 - product)
