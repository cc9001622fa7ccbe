"""The whole behaviour of a button: what happens in, what to do out (protocol.md §4).

Pure: no clock, no random source, no flash, no radio. `now_ms` is a count of milliseconds
that never wraps (`compat.Monotonic` makes one of a board's 30-bit ticks).
"""

from . import events, message
from .calls import Calls
from .compat import TYPE_CHECKING
from .config import Config
from .context import Context
from .duties import Duties
from .gestures import Gestures
from .tracking import Tracking
from .values import Value

if TYPE_CHECKING:
    from .interfaces import Jitter


class Button:
    """A button between two power cuts.

    `alarm` is the last `SaveAlarm` state of an earlier boot. What that boot left in the
    outbox is handed to `adopt` before the first event.
    """

    def __init__(
        self, boot: int, config: Config, jitter: "Jitter", now_ms: int, alarm: object = None
    ) -> None:
        self.config = config
        self._context = Context(boot, config, jitter, now_ms)
        self._tracking = Tracking()
        self._gestures = Gestures(config)
        self._calls = Calls(self._context, self._tracking, alarm)
        self._duties = Duties(self._context, self._tracking, self._calls)

    def adopt(self, boot: int, seq: int, body: "dict[int, object]") -> None:
        """Take over an event that an earlier boot left on flash."""
        self._calls.adopt(boot, seq, body)

    def handle(self, event: Value, now_ms: int) -> "list[Value]":
        """Take one event; return what is to be done, in order."""
        self._context.begin(now_ms)
        if isinstance(event, (events.Down, events.Up)):
            self._pressed(self._gestures.edge(isinstance(event, events.Down), now_ms))
        elif isinstance(event, events.Gesture):
            self._calls.press(event.trigger, event.presses)
        elif isinstance(event, events.CancelRequested):
            self._calls.cancel()
        elif isinstance(event, events.DrillRequested):
            self._calls.drill()
        else:
            self._hear(event)
        self._pressed(self._gestures.tick(now_ms))
        self._calls.advance()
        self._duties.advance()
        self._calls.finish()
        return self._context.out

    def will(self, now_ms: int) -> "dict[int, object]":
        """Return the body of the will for a connection that begins now; each has its own."""
        context = self._context
        time = context.clock.unix(now_ms)
        return message.status(context.boot, context.next_seq(), time, None, reason=message.OFFLINE)

    def is_calling(self) -> bool:
        """Say whether an event waits for its receipt."""
        return self._calls.is_calling()

    def deadline_ms(self) -> "int | None":
        """Return when to hand in a `Tick` if nothing else happens."""
        dues = [self._gestures.deadline_ms()]
        dues.extend(self._calls.deadline_ms())
        dues.extend(self._duties.deadline_ms())
        known = [due for due in dues if due is not None]
        return min(known) if known else None

    def _pressed(self, found: "list[tuple[int, int]]") -> None:
        for trigger, presses in found:
            self._calls.press(trigger, presses)

    def _hear(self, event: Value) -> None:
        context = self._context
        if isinstance(event, events.Receipt):
            self._receipt(event)
        elif isinstance(event, events.Delivered):
            self._calls.delivered(event.boot, event.seq)
            if event.boot == context.boot:
                self._duties.delivered(event.seq)
        elif isinstance(event, events.LinkUp):
            context.linked = True
            self._calls.reconnected()
            self._duties.reconnected()
        elif isinstance(event, events.LinkDown):
            context.linked = False
        elif isinstance(event, events.Fix):
            self._tracking.found(event, context.now_ms)
        elif isinstance(event, events.GnssTime):
            context.clock.told_by_gnss(event.unix, context.now_ms)
        elif isinstance(event, events.Happened):
            self._duties.happened(event.reason)
        elif isinstance(event, events.Command):
            self._duties.command(event)
        elif isinstance(event, events.CommandDone):
            self._duties.result(event.counter, event.code, event.text)

    def _receipt(self, receipt: events.Receipt) -> None:
        context = self._context
        if receipt.time is not None:
            born_ms = self._calls.born_ms(receipt.boot, receipt.seq)
            if born_ms is None and receipt.boot == context.boot:
                born_ms = self._duties.born_ms(receipt.seq)
            context.clock.told_by_receipt(receipt.time, born_ms, context.now_ms)
        self._calls.receive(receipt)
