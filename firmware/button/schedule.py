"""When to send again: for ever, less and less often, never in step with the neighbours."""

from .compat import TYPE_CHECKING

if TYPE_CHECKING:
    from .interfaces import Jitter

FIRST_MS = 5_000
LIMIT_MS = 60_000
WINDOW = 8
"""Repeated events on their way at one time; a new event does not wait for it."""


def jittered(delay_ms: int, jitter: "Jitter") -> int:
    """Return between three quarters and all of `delay_ms`."""
    return delay_ms - jitter.below(delay_ms // 4 + 1)


class Waiting:
    """An event on flash that no verified receipt has answered yet."""

    def __init__(self, boot: int, seq: int, born_ms: "int | None", *, loud: bool) -> None:
        self.boot = boot
        self.seq = seq
        self.born_ms = born_ms
        self.loud = loud
        self.due_ms = 0
        self.delay_ms = 0
        self.on_the_way = False


class Retransmission:
    """The events that wait for a receipt, oldest first (protocol.md §4)."""

    def __init__(self, jitter: "Jitter") -> None:
        self._jitter = jitter
        self._waiting: list[Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, waiting: Waiting) -> None:
        """Add an event that is due at once."""
        self._waiting.append(waiting)

    def find(self, boot: int, seq: int) -> "Waiting | None":
        """Return the event that waits, if it does."""
        for waiting in self._waiting:
            if waiting.seq == seq and waiting.boot == boot:
                return waiting
        return None

    def first_loud(self) -> "Waiting | None":
        """Return the oldest alarm that may be shown."""
        for waiting in self._waiting:
            if waiting.loud:
                return waiting
        return None

    def remove(self, waiting: Waiting) -> None:
        """Take out an event that the gateway has stored."""
        self._waiting.remove(waiting)

    def reconnected(self, now_ms: int) -> None:
        """Make all due again: what was on its way went down with the connection."""
        for waiting in self._waiting:
            waiting.due_ms = now_ms
            waiting.delay_ms = 0
            waiting.on_the_way = False

    def due(self, now_ms: int) -> "list[Waiting]":
        """Return what to send now."""
        room = WINDOW - sum([1 for waiting in self._waiting if waiting.on_the_way])
        chosen = []
        for waiting in self._waiting:
            if waiting.due_ms <= now_ms:
                if not waiting.on_the_way:
                    if room <= 0:
                        continue
                    room -= 1
                chosen.append(waiting)
        return chosen

    def sent(self, waiting: Waiting, now_ms: int) -> None:
        """Plan the next transmission: 5 s, doubling to 60 s, with jitter."""
        waiting.delay_ms = min(waiting.delay_ms * 2, LIMIT_MS) if waiting.delay_ms else FIRST_MS
        waiting.due_ms = now_ms + jittered(waiting.delay_ms, self._jitter)
        waiting.on_the_way = True

    def deadline_ms(self) -> "int | None":
        """Return when the next one is due, as far as only time is missing."""
        ways = sum([1 for waiting in self._waiting if waiting.on_the_way])
        dues = [w.due_ms for w in self._waiting if w.on_the_way or ways < WINDOW]
        return min(dues) if dues else None
