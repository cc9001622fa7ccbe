"""The active alarm and how far help has come for each of its events (protocol.md §4)."""

from . import message

ACTIVE_MS = 60 * 60 * 1000
"""An active alarm ends after 60 minutes, whatever has been heard."""

RUNGS = (
    "pending",
    "stored",
    "opened",
    "dispatched",
    "accepted",
    "arrived",
    "handled",
    "closed",
    "dismissed",
)
IDLE = "idle"

_MOST_EVENTS = 32
# Keys of the state on flash.
_DRILL = 0
_TIME = 1
_PRESSES = 2
_MUTED = 3
_EVENTS = 4


class AlarmEvent:
    """One press of an alarm and its rung; a silent one shows nothing."""

    def __init__(self, boot: int, seq: int, stage: int, *, silent: bool) -> None:
        self.boot = boot
        self.seq = seq
        self.stage = stage
        self.silent = silent


class ActiveAlarm:
    """The presses that belong together until help has come.

    Each event climbs a ladder of its own: a press that reaches the console when its case
    has just been closed must not be taken for handled.
    """

    def __init__(self, started_ms: int, time: "int | None", *, drill: bool) -> None:
        self.started_ms = started_ms
        self.time = time
        self.drill = drill
        self.presses = 0
        self.muted = False
        self.events: list[AlarmEvent] = []

    def add(self, boot: int, seq: int, *, silent: bool) -> None:
        """Add an event; with very many, the second oldest gives way (the first is the ref)."""
        if len(self.events) >= _MOST_EVENTS:
            del self.events[1]
        self.events.append(AlarmEvent(boot, seq, 0, silent=silent))

    def holds(self, boot: int, seq: int) -> bool:
        """Say whether an event belongs to this alarm and is not finished."""
        return any(event.seq == seq and event.boot == boot for event in self.events)

    def ref(self) -> "tuple[int, int]":
        """Return the identity that tracks, cancels and further presses refer to."""
        return self.events[0].boot, self.events[0].seq

    def receive(self, boot: int, seq: int, stage: int) -> "AlarmEvent | None":
        """Raise one event; return it if it rose. Closed or dismissed, it leaves the alarm.

        What the console knew of (opened or further) is in the same case and leaves with it.
        """
        for event in self.events:
            if event.seq == seq and event.boot == boot and stage > event.stage:
                event.stage = stage
                if stage >= message.CLOSED:
                    self.events = [e for e in self.events if e.stage < message.OPENED]
                return event
        return None

    def rung(self) -> "tuple[int, int, int] | None":
        """Return (stage, boot, seq) to show, or None: a silent alarm shows nothing."""
        loud = [event for event in self.events if not event.silent]
        if not loud:
            return None
        return max([event.stage for event in loud]), loud[0].boot, loud[0].seq

    def has_silent(self) -> bool:
        """Say whether somebody must not be given away."""
        return any(event.silent for event in self.events)

    def ends_ms(self) -> int:
        """Return when its 60 minutes are over."""
        return self.started_ms + ACTIVE_MS

    def is_over(self, now_ms: int, now_unix: "int | None") -> bool:
        """Say whether all its events are finished, or its 60 minutes are."""
        if not self.events or now_ms >= self.ends_ms():
            return True
        if now_unix is None or self.time is None:
            return False
        return now_unix - self.time >= ACTIVE_MS // 1000

    def state(self) -> "dict[int, object]":
        """Return what to keep on flash."""
        return {
            _DRILL: self.drill,
            _TIME: self.time,
            _PRESSES: self.presses,
            _MUTED: self.muted,
            _EVENTS: [[e.boot, e.seq, e.stage, e.silent] for e in self.events],
        }


def restored(state: object, now_ms: int) -> "ActiveAlarm | None":
    """Return the alarm that was active before a reboot, or None: there was none.

    Its 60 minutes begin anew, as nobody knows how long the power was off, unless the
    clock tells better.
    """
    if not isinstance(state, dict) or not isinstance(state.get(_EVENTS), list):
        return None
    time = state.get(_TIME)
    alarm = ActiveAlarm(
        now_ms, time if isinstance(time, int) else None, drill=state.get(_DRILL) is True
    )
    presses = state.get(_PRESSES)
    alarm.presses = presses if isinstance(presses, int) else 1
    alarm.muted = state.get(_MUTED) is True
    for item in state[_EVENTS]:
        if not isinstance(item, list) or len(item) != 4:
            return None
        boot, seq, stage, silent = item
        alarm.events.append(AlarmEvent(boot, seq, stage, silent=silent))
    return alarm if alarm.events else None
