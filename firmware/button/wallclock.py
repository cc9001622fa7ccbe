"""The time of day of a device without a clock of its own: what it was told, and how far to trust.

A verified receipt bounds the time from below: the gateway signed it earlier than now. If
the event that it answers was born in this run of the device, it bounds it from above,
too: it was signed after that birth. So a receipt that waited at the broker for hours
moves nothing, and a crystal that runs fast is still corrected.
"""

EARLIEST_UNIX = 1_767_225_600
"""2026-01-01: a receiver that says less has a week-number rollover or no time yet."""

_PRECISE_S = 60


class WallClock:
    """Unix seconds UTC, or None as long as nobody trustworthy has told them."""

    def __init__(self) -> None:
        self._base_ms: int | None = None
        self._known_after: tuple[int, int] | None = None

    def unix(self, now_ms: int) -> "int | None":
        """Return the time of day at `now_ms`, in Unix seconds."""
        return None if self._base_ms is None else (self._base_ms + now_ms) // 1000

    def told_by_gnss(self, unix: int, now_ms: int) -> None:
        """Take a receiver's time, unless the gateway's last word contradicts it."""
        earliest = EARLIEST_UNIX
        if self._known_after is not None:
            signed, heard_ms = self._known_after
            earliest = signed + (now_ms - heard_ms) // 1000 - _PRECISE_S
        if unix >= earliest:
            self._move(unix, unix + 1, now_ms)

    def told_by_receipt(self, signed: int, born_ms: "int | None", now_ms: int) -> None:
        """Take a verified receipt's time; `born_ms` is when the event it answers was born."""
        if self._known_after is None or signed > self._known_after[0]:
            self._known_after = (signed, now_ms)
        now = self.unix(now_ms)
        latest = None if born_ms is None else signed + (now_ms - born_ms) // 1000 + 1
        if now is None:
            if latest is not None and latest - signed <= _PRECISE_S:
                self._move(signed, latest, now_ms)
        else:
            self._move(signed, max(now, signed) if latest is None else latest, now_ms)

    def _move(self, earliest: int, latest: int, now_ms: int) -> None:
        now = self.unix(now_ms)
        if now is None or now < earliest:
            self._base_ms = earliest * 1000 - now_ms
        elif now > latest:
            self._base_ms = latest * 1000 - now_ms
