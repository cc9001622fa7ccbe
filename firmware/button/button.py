"""The whole behaviour of a button: what happens in, what to do out (protocol.md §4).

Pure: no clock, no random source, no flash, no radio. `now_ms` is a count of milliseconds
that never wraps (`compat.Monotonic` makes one of a board's 30-bit ticks).
"""

from . import actions, commands, events, message
from .config import Config
from .gestures import Gestures
from .ladder import IDLE, RUNGS, ActiveAlarm, restored
from .reports import Report, Reports
from .schedule import Jitter, Retransmission, Waiting, jittered
from .tracking import Tracking
from .values import Value
from .wallclock import WallClock

END_SHOWN_MS = 30_000
"""How long the light says closed or dismissed."""

_REBOOT_MS = 5_000
_TEXT = 48
_BOOT_SEQ = 0


class Button:
    """A button between two power cuts.

    `alarm` is the last `SaveAlarm` state of an earlier boot. What that boot left in the
    outbox is handed to `adopt` before the first event.
    """

    def __init__(
        self,
        boot: int,
        config: Config,
        jitter: Jitter,
        now_ms: int,
        alarm: object = None,
    ) -> None:
        self.config = config
        self.clock = WallClock()
        self._boot = boot
        self._seq = 0
        self._jitter = jitter
        self._now_ms = now_ms
        self._out: list[Value] = []
        self._forget: list[actions.Forget] = []
        self._linked = False
        self._gestures = Gestures(config)
        self._tracking = Tracking()
        self._waiting = Retransmission(jitter)
        self._reports = Reports(boot, message.AGE_MS)
        self._alarm = restored(alarm, now_ms)
        self._alarm_changed = False
        self._ended: tuple[int, int, int, int] | None = None
        self._shown: actions.Light | None = None
        self._reboot: tuple[int, int] | None = None
        self._report("", message.REASON_BOOT, health=True)
        self._heartbeat_ms = self._next_heartbeat()

    def adopt(self, boot: int, seq: int, body: "dict[int, object]") -> None:
        """Take over an event that an earlier boot left on flash."""
        kind = body.get(message.TYPE)
        silent = body.get(message.TRIGGER) == message.SILENT
        is_alarm = kind in (message.ALARM, message.DRILL)
        waiting = Waiting(boot, seq, None, loud=is_alarm and not silent)
        self._waiting.add(waiting)
        if not is_alarm or (self._alarm is not None and self._alarm.holds(boot, seq)):
            return
        drill = kind == message.DRILL
        if self._alarm is None or (self._alarm.drill and not drill):
            time = body.get(message.TIME)
            self._alarm = ActiveAlarm(
                self._now_ms, time if isinstance(time, int) else None, drill=drill
            )
        if self._alarm.drill == drill:
            presses = body.get(message.PRESSES)
            self._alarm.presses = max(
                self._alarm.presses, presses if isinstance(presses, int) else 1
            )
            self._alarm.add(boot, seq, silent=silent)
            self._alarm_changed = True

    def handle(self, event: Value, now_ms: int) -> "list[Value]":
        """Take one event; return what is to be done, in order."""
        self._out = []
        self._forget = []
        self._now_ms = now_ms
        if isinstance(event, (events.Down, events.Up)):
            self._gesture(self._gestures.edge(isinstance(event, events.Down), now_ms))
        elif isinstance(event, events.Gesture):
            self._raise(event.trigger, event.presses)
        elif isinstance(event, events.Receipt):
            self._receipt(event)
        elif isinstance(event, events.Delivered):
            self._delivered(event)
        elif isinstance(event, events.LinkUp):
            self._link_up()
        elif isinstance(event, events.LinkDown):
            self._linked = False
        elif isinstance(event, events.Fix):
            self._tracking.found(event, now_ms)
        elif isinstance(event, events.GnssTime):
            self.clock.told_by_gnss(event.unix, now_ms)
        else:
            self._ask(event)
        self._advance()
        self._show()
        self._save()
        return self._out

    def will(self, now_ms: int) -> "dict[int, object]":
        """Return the body of the will for a connection that begins now; each has its own."""
        time = self.clock.unix(now_ms)
        return message.status(self._boot, self._next_seq(), time, None, reason=message.OFFLINE)

    def is_calling(self) -> bool:
        """Say whether an event waits for its receipt."""
        return len(self._waiting) > 0

    def deadline_ms(self) -> "int | None":
        """Return when to hand in a `Tick` if nothing else happens."""
        dues = [self._gestures.deadline_ms()]
        if self._linked:
            dues.append(self._waiting.deadline_ms())
            dues.append(self._heartbeat_ms)
            if self._alarm is not None:
                dues.append(self._tracking.due_ms())
        if self._alarm is not None:
            dues.append(self._alarm.ends_ms())
        if self._ended is not None:
            dues.append(self._ended[3])
        if self._reboot is not None:
            dues.append(self._reboot[1])
        known = [due for due in dues if due is not None]
        return min(known) if known else None

    def _ask(self, event: Value) -> None:
        if isinstance(event, events.CancelRequested):
            self._cancel()
        elif isinstance(event, events.DrillRequested):
            self._drill()
        elif isinstance(event, events.Happened):
            self._happened(event.reason)
        elif isinstance(event, events.Command):
            self._command(event)
        elif isinstance(event, events.CommandDone):
            self._result(event.counter, event.code, event.text)

    def _gesture(self, found: "list[tuple[int, int]]") -> None:
        for trigger, presses in found:
            self._raise(trigger, presses)

    def _raise(self, trigger: int, presses: int) -> None:
        alarm = self._alarm
        # A real press never joins a drill: nobody would come.
        if alarm is None or alarm.drill or alarm.is_over(self._now_ms, self._unix()):
            alarm = self._begin(drill=False)
        ref = alarm.ref() if alarm.events else None
        alarm.presses += presses
        seq = self._next_seq()
        body = message.alarm(
            self._boot,
            seq,
            self._unix(),
            0,
            category=self.config.category,
            trigger=trigger,
            position=self._tracking.position(self._now_ms, whole=False),
            presses=alarm.presses,
            ref=ref,
        )
        silent = trigger == message.SILENT
        alarm.add(self._boot, seq, silent=silent)
        if ref is None:
            self._tracking.begin(self._now_ms)
        self._store(seq, body, loud=not silent)
        rung = None if silent else alarm.rung()
        if rung is not None and self._shown is not None and self._shown.rung == RUNGS[rung[0]]:
            self._sound(self._shown.rung)

    def _begin(self, *, drill: bool) -> ActiveAlarm:
        self._alarm = ActiveAlarm(self._now_ms, self._unix(), drill=drill)
        self._ended = None
        return self._alarm

    def _drill(self) -> None:
        if self._alarm is not None:
            self._log("no drill while an alarm is active")
            return
        alarm = self._begin(drill=True)
        seq = self._next_seq()
        body = message.drill(
            self._boot,
            seq,
            self._unix(),
            0,
            category=self.config.category,
            trigger=message.PRESS,
            position=self._tracking.position(self._now_ms, whole=False),
        )
        alarm.presses = 1
        alarm.add(self._boot, seq, silent=False)
        self._tracking.begin(self._now_ms)
        self._store(seq, body, loud=True)

    def _cancel(self) -> None:
        if self._alarm is None:
            self._log("nothing to cancel")
            return
        seq = self._next_seq()
        body = message.cancel(self._boot, seq, self._unix(), 0, ref=self._alarm.ref())
        self._store(seq, body, loud=False)

    def _store(self, seq: int, body: "dict[int, object]", *, loud: bool) -> None:
        del body[message.AGE_MS]
        waiting = Waiting(self._boot, seq, self._now_ms, loud=loud)
        self._waiting.add(waiting)
        self._out.append(actions.Store(self._boot, seq, body))
        self._alarm_changed = True
        if self._linked:
            self._send(waiting)

    def _send(self, waiting: Waiting) -> None:
        age_ms = None if waiting.born_ms is None else self._now_ms - waiting.born_ms
        self._out.append(actions.Send(waiting.boot, waiting.seq, age_ms))
        self._waiting.sent(waiting, self._now_ms)

    def _receipt(self, receipt: events.Receipt) -> None:
        waiting = self._waiting.find(receipt.boot, receipt.seq)
        if receipt.time is not None:
            born_ms = waiting.born_ms if waiting is not None else None
            if waiting is None and receipt.boot == self._boot:
                born_ms = self._reports.born_ms(receipt.seq)
            self.clock.told_by_receipt(receipt.time, born_ms, self._now_ms)
        if waiting is not None:
            self._waiting.remove(waiting)
            self._forget.append(actions.Forget(receipt.boot, receipt.seq))
            self._log(f"confirmed {receipt.boot},{receipt.seq}")
        if self._alarm is None:
            return
        event = self._alarm.receive(receipt.boot, receipt.seq, receipt.stage)
        if event is None:
            return
        self._alarm_changed = True
        if receipt.stage >= message.CLOSED and not event.silent:
            self._ended = (event.stage, event.boot, event.seq, self._now_ms + END_SHOWN_MS)

    def _delivered(self, event: events.Delivered) -> None:
        waiting = self._waiting.find(event.boot, event.seq)
        if waiting is not None:
            waiting.on_the_way = False
        elif event.boot == self._boot:
            self._reports.delivered(event.seq)
            if self._reboot is not None and self._reboot[0] == event.seq:
                self._reboot = (event.seq, self._now_ms)

    def _link_up(self) -> None:
        self._linked = True
        self._waiting.reconnected(self._now_ms)
        self._reports.reconnected()
        if not self._reports.has(_BOOT_SEQ):
            self._report("periodic", message.PERIODIC, health=True)
            self._heartbeat_ms = self._next_heartbeat()

    def _happened(self, reason: int) -> None:
        self._report(f"reason {reason}", reason, health=True)
        if reason == message.REASON_TAMPER and self.config.tamper_alarm:
            self._raise(message.TAMPER, 0)

    def _command(self, command: events.Command) -> None:
        alarm = self._alarm
        refused = commands.refusal(
            command,
            self.config,
            self._unix(),
            alarm_active=alarm is not None,
            must_be_quiet=alarm is not None and alarm.has_silent(),
        )
        counter = command.counter
        if refused is not None:
            self._result(counter, *refused)
        elif command.command == message.SELF_TEST:
            self._out.append(actions.SelfTest(counter))
        elif command.command == message.CONFIGURE:
            self.config.change(command.args)
            self._heartbeat_ms = min(self._heartbeat_ms, self._next_heartbeat())
            self._out.append(actions.SaveConfig(counter, self.config.settings()))
        else:
            if command.command == message.IDENTIFY:
                self._out.append(actions.Identify())
            elif command.command == message.SILENCE:
                self._hush()
            seq = self._result(counter, commands.OK, "ok", health=command.command == message.REPORT)
            if command.command == message.REBOOT:
                self._reboot = (seq, self._now_ms + _REBOOT_MS)

    def _hush(self) -> None:
        self._out.append(actions.Hush())
        if self._alarm is not None:
            self._alarm.muted = True
            self._alarm_changed = True

    def _result(self, counter: int, code: int, text: str, *, health: bool = False) -> int:
        result = (counter, code, text[:_TEXT])
        return self._report("", message.COMMAND_RESULT, result=result, health=health)

    def _report(
        self,
        kind: str,
        reason: int,
        *,
        result: "tuple[int, int, str] | None" = None,
        health: bool = False,
    ) -> int:
        seq = self._next_seq()
        body = message.status(self._boot, seq, self._unix(), 0, reason=reason, result=result)
        self._reports.add(Report(kind, body, seq, self._now_ms, health=health))
        return seq

    def _track(self, alarm: ActiveAlarm) -> None:
        due_ms = self._tracking.due_ms()
        position = self._tracking.position(self._now_ms, whole=True)
        if due_ms is None or due_ms > self._now_ms or position is None:
            return
        seq = self._next_seq()
        body = message.track(self._boot, seq, self._unix(), 0, ref=alarm.ref(), position=position)
        self._reports.add(Report(actions.TRACK, body, seq, self._now_ms))
        self._tracking.told(self._now_ms)

    def _advance(self) -> None:
        self._gesture(self._gestures.tick(self._now_ms))
        if self._alarm is not None and self._alarm.is_over(self._now_ms, self._unix()):
            self._alarm = None
            self._alarm_changed = True
        if self._linked:
            for waiting in self._waiting.due(self._now_ms):
                self._send(waiting)
            if self._now_ms >= self._heartbeat_ms:
                self._report("periodic", message.PERIODIC, health=True)
                self._heartbeat_ms = self._next_heartbeat()
            if self._alarm is not None:
                self._track(self._alarm)
            self._out.extend(self._reports.take(self._now_ms))
        if self._reboot is not None and self._now_ms >= self._reboot[1]:
            self._reboot = None
            self._out.append(actions.Reboot())

    def _show(self) -> None:
        light = self._light()
        if light == self._shown:
            return
        after_start = self._shown is not None
        rose = self._shown is None or light.rung != self._shown.rung
        self._shown = light
        self._out.append(light)
        if after_start and rose and light.rung != IDLE:
            self._sound(light.rung)

    def _light(self) -> actions.Light:
        rung = None if self._alarm is None else self._alarm.rung()
        if rung is not None:
            return actions.Light(RUNGS[rung[0]], rung[1], rung[2])
        if self._ended is not None:
            stage, boot, seq, until_ms = self._ended
            if self._now_ms < until_ms:
                return actions.Light(RUNGS[stage], boot, seq)
            self._ended = None
        # Past its 60 minutes an alarm is over, but one that has not got through is not quiet.
        unheard = self._waiting.first_loud()
        if unheard is not None:
            return actions.Light(RUNGS[0], unheard.boot, unheard.seq)
        return actions.Light(IDLE)

    def _sound(self, rung: str) -> None:
        muted = self._alarm is not None and self._alarm.muted
        if self.config.sound and not muted:
            self._out.append(actions.Sound(rung))

    def _save(self) -> None:
        # After the first byte has left, and before what it rests on is forgotten: an alarm
        # on flash without this state is adopted at the next start.
        if self._alarm_changed:
            self._alarm_changed = False
            state = None if self._alarm is None else self._alarm.state()
            self._out.append(actions.SaveAlarm(state))
        self._out.extend(self._forget)

    def _next_heartbeat(self) -> int:
        return self._now_ms + jittered(self.config.heartbeat_s * 1000, self._jitter)

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq - 1

    def _unix(self) -> "int | None":
        return self.clock.unix(self._now_ms)

    def _log(self, text: str) -> None:
        self._out.append(actions.Log(text))
