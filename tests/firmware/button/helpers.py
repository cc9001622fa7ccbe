"""A button with a hand on it: time is a number, flash a dictionary, the light a list."""

from typing import TypeVar

from firmware.button import actions, events
from firmware.button.button import Button
from firmware.button.config import Config
from firmware.button.interfaces import Jitter
from firmware.button.values import Value

T = TypeVar("T", bound=Value)
BOOT = 7
T0 = 1_795_000_000
IN_SESSION = True


class NoJitter(Jitter):
    def below(self, limit: int) -> int:
        assert limit > 0
        return 0


class Hand:
    """Drives one button and keeps what it asked for."""

    def __init__(
        self,
        *,
        boot: int = BOOT,
        config: Config | None = None,
        flash: dict[tuple[int, int], dict[int, object]] | None = None,
        alarm: object = None,
        now_ms: int = 0,
    ) -> None:
        self.now_ms = now_ms
        self.flash = {} if flash is None else flash
        self.alarm = alarm
        self.button = Button(boot, config or Config(), NoJitter(), now_ms, alarm)
        for (old_boot, seq), body in sorted(self.flash.items()):
            self.button.adopt(old_boot, seq, body)
        self.done: list[Value] = []

    def do(self, event: Value, *, after_ms: int = 0) -> list[Value]:
        self.now_ms += after_ms
        actions_now = self.button.handle(event, self.now_ms)
        for action in actions_now:
            if isinstance(action, actions.Store):
                self.flash[action.boot, action.seq] = dict(action.body)
            elif isinstance(action, actions.Forget):
                del self.flash[action.boot, action.seq]
            elif isinstance(action, actions.SaveAlarm):
                self.alarm = action.state
        self.done.extend(actions_now)
        return actions_now

    def press(self, trigger: int = 1, presses: int = 1) -> tuple[int, int]:
        """Press and return the identity of what was stored."""
        stored = of(self.do(events.Gesture(trigger, presses)), actions.Store)[-1]
        return stored.boot, stored.seq

    def online(self) -> list[Value]:
        """Connect and let the broker acknowledge the boot status."""
        found = self.do(events.LinkUp())
        for report in of(found, actions.Publish):
            self.do(events.Delivered(report.boot, report.seq))
        return found

    def receipt(
        self, identity: tuple[int, int], stage: int, time: int | None = None
    ) -> list[Value]:
        return self.do(events.Receipt(*identity, stage, time))

    def run_until(self, end_ms: int) -> list[Value]:
        """Hand in a tick at every deadline up to `end_ms`."""
        found: list[Value] = []
        for _ in range(10_000):
            due_ms = self.button.deadline_ms()
            if due_ms is None or due_ms > end_ms:
                self.now_ms = max(self.now_ms, end_ms)
                return found
            assert due_ms >= self.now_ms or not found, "a deadline in the past"
            self.now_ms = max(self.now_ms, due_ms)
            found.extend(self.do(events.Tick()))
        raise AssertionError("the button never rests")

    def rungs(self) -> list[str]:
        return [light.rung for light in of(self.done, actions.Light)]


def of(found: list[Value], kind: type[T]) -> list[T]:
    return [action for action in found if isinstance(action, kind)]
