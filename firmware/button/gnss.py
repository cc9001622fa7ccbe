"""A GNSS receiver's bytes to a fix that may be shown to those who drive there.

A fix is published only when the receiver's RMC and GGA of the same moment agree, where it
sends both: either may know what the other hides (old RMC has no mode for a simulated or
estimated position), and NMEA's checksum of 8 bits lets one damaged sentence in 256 through.
"""

from . import nmea
from .compat import const
from .events import Fix
from .nmea import Sentence

OFF = const(0)
SEARCHING = const(1)
FIX = const(2)

# What gnss in the health of protocol.md §3 may say: bytes within 5 s, a fix within 10 s.
_HEARD_MS = const(5000)
_FRESH_MS = const(10000)

# A receiver that sends but one of the two sentences is believed on that one; a "no fix" of
# the other is believed for longer.
_SILENT_MS = const(3000)
_VETO_MS = const(10000)
# Good sentences in a row without one partner of the same time, before a receiver is believed
# to be one that times them apart.
_APART = const(20)
# 1e-5 degree is 1.1 m: RMC may carry fewer digits than GGA.
_AGREE_E7 = const(100)

_LINE = const(120)
_WANTED = (b"RMC", b"GGA")
_DOLLAR = const(0x24)

EARLIEST_UNIX = const(1767225600)
"""2026-01-01: no receiver's clock is believed before this firmware was written."""

_ROLLOVER_S = const(619315200)
"""1,024 weeks: GPS counts weeks in 10 bits, and worn-out receivers are off by as much."""


class Gnss:
    """Bytes in, the newest fix and time out; `now_ms` is `compat.monotonic_ms()`."""

    def __init__(self, earliest_unix: int = EARLIEST_UNIX) -> None:
        self._earliest_unix = earliest_unix
        self._line = bytearray(_LINE)
        self._length = 0
        self._collecting = False
        self._started_ms: int | None = None
        self._heard_ms = 0
        self._rmc: Sentence | None = None
        self._rmc_ms = 0
        self._gga: Sentence | None = None
        self._gga_ms = 0
        self._apart = 0
        self._published: int | None = None
        self._unix: int | None = None
        self._unix_ms = 0
        self.fix_ms = 0
        self.fix: Fix | None = None
        """The newest fix, however old, and `fix_ms`, when it was found."""

    def feed(self, data: bytes, now_ms: int) -> bool:
        """Take bytes as they come from the receiver; say whether there is a new fix."""
        if data:
            self._heard_ms = now_ms
            if self._started_ms is None:
                self._started_ms = now_ms
        new = False
        for byte in data:
            if byte == _DOLLAR:
                self._length = 0
                self._collecting = True
            elif self._collecting and self._collect(byte):
                sentence = nmea.parse(bytes(self._line[: self._length]))
                if sentence is not None and self._take(sentence, now_ms):
                    new = True
        return new

    def unix(self, now_ms: int) -> "int | None":
        """Return Unix seconds UTC, or None before the receiver had a fix and a sane date."""
        if self._unix is None:
            return None
        return self._unix + (now_ms - self._unix_ms) // 1000

    def state(self, now_ms: int) -> int:
        """Return OFF (silent), SEARCHING or FIX, as the health of protocol.md §3 has it."""
        if self._started_ms is None or now_ms - self._heard_ms > _HEARD_MS:
            return OFF
        if self.fix is None or now_ms - self.fix_ms > _FRESH_MS:
            return SEARCHING
        return FIX

    def _collect(self, byte: int) -> bool:
        """Add a byte to the line; say whether the line is whole."""
        if byte in (0x0D, 0x0A):
            self._collecting = False
            return True
        if not 0x20 <= byte <= 0x7E or self._length == _LINE:
            self._collecting = False
            return False
        self._line[self._length] = byte
        self._length += 1
        # The many other sentences are dropped here, before they cost a checksum.
        if self._length == 5 and bytes(self._line[2:5]) not in _WANTED:
            self._collecting = False
        return False

    def _take(self, sentence: Sentence, now_ms: int) -> bool:
        if sentence.kind == nmea.RMC:
            if _stands(self._rmc, sentence):
                return False
            self._rmc, self._rmc_ms = sentence, now_ms
            other, other_ms = self._gga, self._gga_ms
        else:
            if _stands(self._gga, sentence):
                return False
            self._gga, self._gga_ms = sentence, now_ms
            other, other_ms = self._rmc, self._rmc_ms
        if sentence.time_ms == self._published or not sentence.measured:
            return False
        if not self._agrees(sentence, other, other_ms, now_ms):
            return False
        self._publish(sentence, other, now_ms)
        return True

    def _agrees(
        self, sentence: Sentence, other: "Sentence | None", other_ms: int, now_ms: int
    ) -> bool:
        if other is None:
            return self._started_ms is not None and now_ms - self._started_ms > _SILENT_MS
        silent_ms = now_ms - other_ms
        if not other.measured:
            return silent_ms > _VETO_MS
        if silent_ms > _SILENT_MS:
            return True
        if other.time_ms == sentence.time_ms:
            self._apart = 0
            return (
                abs(other.lat_e7 - sentence.lat_e7) <= _AGREE_E7
                and abs(other.lon_e7 - sentence.lon_e7) <= _AGREE_E7
            )
        self._apart = min(self._apart + 1, _APART)
        return self._apart == _APART

    def _publish(self, sentence: Sentence, other: "Sentence | None", now_ms: int) -> None:
        details: dict[int, int] = {}
        _add_details(details, sentence)
        if other is not None and other.time_ms == sentence.time_ms:
            _add_details(details, other)
        self._published = sentence.time_ms
        self.fix = Fix(sentence.lat_e7, sentence.lon_e7, details)
        self.fix_ms = now_ms
        rmc = self._rmc
        if rmc is not None and rmc.unix is not None:
            since = rmc.unix - self._earliest_unix
            if 0 <= since < _ROLLOVER_S:
                self._unix, self._unix_ms = rmc.unix, self._rmc_ms


def _stands(before: "Sentence | None", sentence: Sentence) -> bool:
    """Say whether another talker's sentence of the same moment says more (SiRF: $GP and $GL)."""
    return (
        before is not None
        and before.measured
        and before.time_ms == sentence.time_ms
        and before.talker != sentence.talker
        and (
            not sentence.measured
            or (before.satellites is not None and before.satellites > (sentence.satellites or 0))
        )
    )


def _add_details(details: "dict[int, int]", sentence: Sentence) -> None:
    values = (
        sentence.hdop_x100,
        sentence.satellites,
        sentence.altitude_dm,
        sentence.speed_cm_s,
        sentence.course_cdeg,
    )
    for index, value in enumerate(values):
        if value is not None:
            details[4 + index] = value
