"""What a button does while nobody presses it: statuses, tracks, commands (protocol.md §4)."""

from . import actions, commands, events, message
from .calls import Calls
from .context import Context
from .reports import Report, Reports
from .schedule import jittered
from .tracking import Tracking

_BOOT_SEQ = 0
_REBOOT_MS = 5_000
_TEXT = 48


class Duties:
    """Reports of the device itself; they are kept in memory and never hold up a call."""

    def __init__(self, context: Context, tracking: Tracking, calls: Calls) -> None:
        self._context = context
        self._tracking = tracking
        self._calls = calls
        self._reports = Reports(context.boot, message.AGE_MS)
        self._reboot: tuple[int, int] | None = None
        self._report("", message.REASON_BOOT, health=True)
        self._heartbeat_ms = self._next_heartbeat()

    def happened(self, reason: int) -> None:
        """Report what the board noticed."""
        self._report(f"reason {reason}", reason, health=True)
        if reason == message.REASON_TAMPER and self._context.config.tamper_alarm:
            self._calls.press(message.TAMPER, 0)

    def command(self, command: events.Command) -> None:
        """Carry out a command, or say why not."""
        context = self._context
        alarm = self._calls.alarm
        refused = commands.refusal(
            command,
            context.config,
            context.unix(),
            alarm_active=alarm is not None,
            must_be_quiet=alarm is not None and alarm.has_silent(),
        )
        counter = command.counter
        kind = command.command
        if refused is not None:
            self.result(counter, *refused)
        elif kind == message.SELF_TEST:
            context.out.append(actions.SelfTest(counter))
        elif kind == message.CONFIGURE:
            context.config.change(command.args)
            self._heartbeat_ms = min(self._heartbeat_ms, self._next_heartbeat())
            context.out.append(actions.SaveConfig(counter, context.config.settings()))
        else:
            if kind == message.IDENTIFY:
                context.out.append(actions.Identify())
            elif kind == message.SILENCE:
                self._calls.hush()
            seq = self.result(counter, commands.OK, "ok", health=kind == message.REPORT)
            if kind == message.REBOOT:
                self._reboot = (seq, context.now_ms + _REBOOT_MS)

    def result(self, counter: int, code: int, text: str, *, health: bool = False) -> int:
        """Report how a command ended; return the report's number."""
        result = (counter, code, text[:_TEXT])
        return self._report("", message.COMMAND_RESULT, result=result, health=health)

    def born_ms(self, seq: int) -> "int | None":
        """Return when one of the last reports was made."""
        return self._reports.born_ms(seq)

    def delivered(self, seq: int) -> None:
        """Forget a report that the broker has."""
        self._reports.delivered(seq)
        if self._reboot is not None and self._reboot[0] == seq:
            self._reboot = (seq, self._context.now_ms)

    def reconnected(self) -> None:
        """Say that we are back: a will may have told otherwise."""
        self._reports.reconnected()
        if not self._reports.has(_BOOT_SEQ):
            self._heartbeat()

    def advance(self) -> None:
        """Report what is due."""
        context = self._context
        if context.linked:
            if context.now_ms >= self._heartbeat_ms:
                self._heartbeat()
            self._track()
            context.out.extend(self._reports.take(context.now_ms))
        if self._reboot is not None and context.now_ms >= self._reboot[1]:
            self._reboot = None
            context.out.append(actions.Reboot())

    def deadline_ms(self) -> "list[int | None]":
        """Return when something is due."""
        linked = self._context.linked
        tracks = linked and self._calls.alarm is not None
        return [
            self._heartbeat_ms if linked else None,
            self._tracking.due_ms() if tracks else None,
            None if self._reboot is None else self._reboot[1],
        ]

    def _heartbeat(self) -> None:
        self._report("periodic", message.PERIODIC, health=True)
        self._heartbeat_ms = self._next_heartbeat()

    def _next_heartbeat(self) -> int:
        context = self._context
        return context.now_ms + jittered(context.config.heartbeat_s * 1000, context.jitter)

    def _report(
        self,
        kind: str,
        reason: int,
        *,
        result: "tuple[int, int, str] | None" = None,
        health: bool = False,
    ) -> int:
        context = self._context
        seq = context.next_seq()
        body = message.status(context.boot, seq, context.unix(), 0, reason=reason, result=result)
        self._reports.add(Report(kind, body, seq, context.now_ms, health=health))
        return seq

    def _track(self) -> None:
        context = self._context
        alarm = self._calls.alarm
        due_ms = self._tracking.due_ms()
        position = self._tracking.position(context.now_ms, whole=True)
        if alarm is None or position is None or due_ms is None or due_ms > context.now_ms:
            return
        seq = context.next_seq()
        body = message.track(
            context.boot, seq, context.unix(), 0, ref=alarm.ref(), position=position
        )
        self._reports.add(Report(actions.TRACK, body, seq, context.now_ms))
        self._tracking.told(context.now_ms)
