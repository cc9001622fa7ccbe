"""What the light shows and the sounder says of the active alarm; of a silent one, nothing."""

from . import actions, message
from .context import Context
from .ladder import IDLE, RUNGS, ActiveAlarm, AlarmEvent
from .schedule import Waiting

END_SHOWN_MS = 30_000
"""How long the light says closed or dismissed."""


class Display:
    """The light as it was last set, and the end of the last alarm while it is shown."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._shown: actions.Light | None = None
        self._ended: actions.Light | None = None
        self._until_ms = 0

    def alarm_began(self) -> None:
        """Forget how the last alarm ended."""
        self._ended = None

    def event_ended(self, event: AlarmEvent) -> None:
        """Show an end for a while, if nothing else is to be shown."""
        if event.stage >= message.CLOSED and not event.silent:
            self._ended = actions.Light(RUNGS[event.stage], event.boot, event.seq)
            self._until_ms = self._context.now_ms + END_SHOWN_MS

    def pressed_again(self, alarm: ActiveAlarm) -> None:
        """Let a person who presses hear it although the light stays as it is."""
        rung = alarm.rung()
        if rung is not None and self._shown is not None and self._shown.rung == RUNGS[rung[0]]:
            self._sound(alarm)

    def show(self, alarm: "ActiveAlarm | None", unheard: "Waiting | None") -> None:
        """Set the light; `unheard` is the oldest loud alarm that has not got through."""
        light = self._light(alarm, unheard)
        before = self._shown
        if light == before:
            return
        self._shown = light
        self._context.out.append(light)
        if before is not None and light.rung not in (before.rung, IDLE):
            self._sound(alarm)

    def deadline_ms(self) -> "int | None":
        """Return when the light changes by itself."""
        return None if self._ended is None else self._until_ms

    def _light(self, alarm: "ActiveAlarm | None", unheard: "Waiting | None") -> actions.Light:
        if self._ended is not None and self._context.now_ms >= self._until_ms:
            self._ended = None
        rung = None if alarm is None else alarm.rung()
        if rung is not None:
            return actions.Light(RUNGS[rung[0]], rung[1], rung[2])
        if self._ended is not None:
            return self._ended
        # Past its 60 minutes an alarm is over, but one that has not got through is not quiet.
        if unheard is not None:
            return actions.Light(RUNGS[0], unheard.boot, unheard.seq)
        return actions.Light(IDLE, None, None)

    def _sound(self, alarm: "ActiveAlarm | None") -> None:
        muted = alarm is not None and alarm.muted
        if self._shown is not None and self._context.config.sound and not muted:
            self._context.out.append(actions.Sound(self._shown.rung))
