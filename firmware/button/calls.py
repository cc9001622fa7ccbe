"""Calls for help: pressed, on flash, sent until a receipt says stored (protocol.md §4)."""

from . import actions, events, message
from .context import Context
from .display import Display
from .ladder import ActiveAlarm, restored
from .schedule import Retransmission, Waiting
from .tracking import Tracking


class Calls:
    """The active alarm and every event that waits for its receipt."""

    def __init__(self, context: Context, tracking: Tracking, state: object) -> None:
        self.alarm: ActiveAlarm | None = restored(state, context.now_ms)
        self.display = Display(context)
        self._context = context
        self._tracking = tracking
        self._waiting = Retransmission(context.jitter)
        self._changed = False
        self._forget: list[actions.Forget] = []

    def adopt(self, boot: int, seq: int, body: "dict[int, object]") -> None:
        """Take over an event that an earlier boot left on flash."""
        kind = body.get(message.TYPE)
        silent = body.get(message.TRIGGER) == message.SILENT
        is_alarm = kind in (message.ALARM, message.DRILL)
        self._waiting.add(Waiting(boot, seq, None, loud=is_alarm and not silent))
        if not is_alarm or (self.alarm is not None and self.alarm.holds(boot, seq)):
            return
        drill = kind == message.DRILL
        if self.alarm is None or (self.alarm.drill and not drill):
            time = body.get(message.TIME)
            began = time if isinstance(time, int) else None
            self.alarm = ActiveAlarm(self._context.now_ms, began, drill=drill)
        if self.alarm.drill == drill:
            presses = body.get(message.PRESSES)
            self.alarm.presses = max(self.alarm.presses, presses if isinstance(presses, int) else 1)
            self.alarm.add(boot, seq, silent=silent)
            self._changed = True

    def is_calling(self) -> bool:
        """Say whether an event waits for its receipt."""
        return len(self._waiting) > 0

    def press(self, trigger: int, presses: int) -> None:
        """Raise an alarm, or add an event to the active one."""
        context = self._context
        alarm = self.alarm
        # A real press never joins a drill: nobody would come.
        if alarm is None or alarm.drill or alarm.is_over(context.now_ms, context.unix()):
            alarm = self._begin(drill=False)
        ref = alarm.ref() if alarm.events else None
        alarm.presses += presses
        self._call(alarm, message.ALARM, trigger, presses=alarm.presses, ref=ref)
        if trigger != message.SILENT:
            self.display.pressed_again(alarm)

    def drill(self) -> None:
        """Begin a practice run."""
        if self.alarm is not None:
            self._context.log("no drill while an alarm is active")
            return
        alarm = self._begin(drill=True)
        alarm.presses = 1
        self._call(alarm, message.DRILL, message.PRESS)

    def cancel(self) -> None:
        """Say that the person takes the active alarm back."""
        context = self._context
        if self.alarm is None:
            context.log("nothing to cancel")
            return
        seq = context.next_seq()
        body = message.cancel(context.boot, seq, context.unix(), 0, ref=self.alarm.ref())
        self._store(seq, body, loud=False)

    def hush(self) -> None:
        """Sound no more for the active alarm."""
        self._context.out.append(actions.Hush())
        if self.alarm is not None:
            self.alarm.muted = True
            self._changed = True

    def born_ms(self, boot: int, seq: int) -> "int | None":
        """Return when a waiting event of this boot happened."""
        waiting = self._waiting.find(boot, seq)
        return None if waiting is None else waiting.born_ms

    def receive(self, receipt: events.Receipt) -> None:
        """Take a verified receipt: the event is stored at least, and may have risen."""
        waiting = self._waiting.find(receipt.boot, receipt.seq)
        if waiting is not None:
            self._waiting.remove(waiting)
            self._forget.append(actions.Forget(receipt.boot, receipt.seq))
            self._context.log(f"confirmed {receipt.boot},{receipt.seq}")
        if self.alarm is not None:
            event = self.alarm.receive(receipt.boot, receipt.seq, receipt.stage)
            if event is not None:
                self._changed = True
                self.display.event_ended(event)

    def delivered(self, boot: int, seq: int) -> None:
        """Make room for the next one on its way; nothing is confirmed by this."""
        waiting = self._waiting.find(boot, seq)
        if waiting is not None:
            waiting.on_the_way = False

    def reconnected(self) -> None:
        """Send all that waits again."""
        self._waiting.reconnected(self._context.now_ms)

    def advance(self) -> None:
        """End the alarm when its time is over; send what is due."""
        context = self._context
        if self.alarm is not None and self.alarm.is_over(context.now_ms, context.unix()):
            self.alarm = None
            self._changed = True
        if context.linked:
            for waiting in self._waiting.due(context.now_ms):
                self._send(waiting)

    def finish(self) -> None:
        """Show and save what has changed.

        Saved after the first byte has left, and before what it rests on is forgotten: an
        alarm on flash that this state does not know is adopted at the next start.
        """
        self.display.show(self.alarm, self._waiting.first_loud())
        if self._changed:
            state = None if self.alarm is None else self.alarm.state()
            self._context.out.append(actions.SaveAlarm(state))
        self._context.out.extend(self._forget)
        self._changed = False
        self._forget = []

    def deadline_ms(self) -> "list[int | None]":
        """Return when something is due."""
        return [
            self._waiting.deadline_ms() if self._context.linked else None,
            None if self.alarm is None else self.alarm.ends_ms(),
            self.display.deadline_ms(),
        ]

    def _begin(self, *, drill: bool) -> ActiveAlarm:
        self.alarm = ActiveAlarm(self._context.now_ms, self._context.unix(), drill=drill)
        self.display.alarm_began()
        self._tracking.told(self._context.now_ms)
        return self.alarm

    def _call(
        self,
        alarm: ActiveAlarm,
        kind: int,
        trigger: int,
        *,
        presses: "int | None" = None,
        ref: "tuple[int, int] | None" = None,
    ) -> None:
        context = self._context
        seq = context.next_seq()
        body = message.alarm(
            context.boot,
            seq,
            context.unix(),
            0,
            category=context.config.category,
            trigger=trigger,
            position=self._tracking.position(context.now_ms, whole=False),
            presses=presses,
            ref=ref,
            kind=kind,
        )
        silent = trigger == message.SILENT
        alarm.add(context.boot, seq, silent=silent)
        self._store(seq, body, loud=not silent)

    def _store(self, seq: int, body: "dict[int, object]", *, loud: bool) -> None:
        context = self._context
        del body[message.AGE_MS]
        waiting = Waiting(context.boot, seq, context.now_ms, loud=loud)
        self._waiting.add(waiting)
        context.out.append(actions.Store(context.boot, seq, body))
        self._changed = True
        if context.linked:
            self._send(waiting)

    def _send(self, waiting: Waiting) -> None:
        now_ms = self._context.now_ms
        age_ms = None if waiting.born_ms is None else now_ms - waiting.born_ms
        self._context.out.append(actions.Send(waiting.boot, waiting.seq, age_ms))
        self._waiting.sent(waiting, now_ms)
