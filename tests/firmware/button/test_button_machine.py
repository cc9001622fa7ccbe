"""No order of events loses a call, repeats an identity, or makes a silent one visible."""

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from firmware.button import actions, events, message
from firmware.button.cose import seal
from firmware.button.values import Value
from tests.firmware.button.helpers import Hand, of

STAGES = st.integers(1, 8)
TRIGGERS = st.sampled_from([message.PRESS, message.HOLD, message.MULTI_PRESS, message.SILENT])
_KEY = bytes(32)
_LONGEST_KID = b"TRK-45678901234567890123#1"
_LONGEST_TOPIC = b"siaga/v1/TRK-45678901234567890123/alarm"


class ButtonMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.boot = 1
        self.hand = Hand(boot=1)
        self.hand.do(events.Tick())
        self.linked = False
        self.stored: set[tuple[int, int]] = set()
        self.confirmed: set[tuple[int, int]] = set()
        self.silent: set[tuple[int, int]] = set()
        self.bodies: dict[tuple[int, int], dict[int, object]] = {}
        self.stages: dict[tuple[int, int], int] = {}

    def _do(self, event: Value) -> list[Value]:
        found = self.hand.do(event)
        for store in of(found, actions.Store):
            identity = (store.boot, store.seq)
            assert identity not in self.stored, "an identity twice"
            self.stored.add(identity)
            self.bodies[identity] = dict(store.body)
            if store.body.get(message.TRIGGER) == message.SILENT:
                self.silent.add(identity)
        for send in of(found, actions.Send):
            assert self.linked
            assert (send.boot, send.seq) in self.stored - self.confirmed
            assert send.age_ms is None or send.age_ms >= 0
        for light in of(found, actions.Light):
            assert (light.boot, light.seq) not in self.silent
        return found

    @rule(trigger=TRIGGERS, presses=st.integers(1, 9))
    def press(self, trigger: int, presses: int) -> None:
        found = self._do(events.Gesture(trigger, presses))
        assert len(of(found, actions.Store)) == 1
        assert len(of(found, actions.Send)) >= int(self.linked)
        if trigger == message.SILENT:
            assert of(found, actions.Sound) == []

    @rule()
    def cancel(self) -> None:
        self._do(events.CancelRequested())

    @rule()
    def drill(self) -> None:
        self._do(events.DrillRequested())

    @rule(down=st.booleans())
    def edge(self, down: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        self._do(events.Down() if down else events.Up())

    @rule(data=st.data(), stage=STAGES)
    @precondition(lambda self: self.stored)
    def receipt(self, data: st.DataObject, stage: int) -> None:
        identity = data.draw(st.sampled_from(sorted(self.stored)))
        self.confirmed.add(identity)
        self._do(events.Receipt(*identity, stage, 1_795_000_000 + self.hand.now_ms // 1000))

    @rule(boot=st.integers(0, 5), seq=st.integers(0, 50), stage=STAGES)
    def receipt_for_a_stranger(self, boot: int, seq: int, stage: int) -> None:
        if (boot + 100, seq) not in self.stored:
            found = self._do(events.Receipt(boot + 100, seq, stage, None))
            assert of(found, actions.Forget) == []
            assert of(found, actions.Sound) == []

    @rule(data=st.data())
    @precondition(lambda self: self.stored)
    def delivered(self, data: st.DataObject) -> None:
        found = self._do(events.Delivered(*data.draw(st.sampled_from(sorted(self.stored)))))
        assert of(found, actions.Forget) == []

    @rule(up=st.booleans())
    def link(self, up: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        self.linked = up
        self._do(events.LinkUp() if up else events.LinkDown())

    @rule(metres=st.integers(0, 10_000))
    def fix(self, metres: int) -> None:
        details = {4: 65_535, 5: 99, 6: 65_536, 7: 99_999, 8: 35_999}
        self._do(events.Fix(33_012_345 + metres * 90, -1_175_890_123, details))

    @rule(delay_ms=st.one_of(st.integers(0, 2_000), st.integers(0, 2 * 3_600_000)))
    def wait(self, delay_ms: int) -> None:
        end_ms = self.hand.now_ms + delay_ms
        while (due_ms := self.hand.button.deadline_ms()) is not None and due_ms <= end_ms:
            self.hand.now_ms = max(self.hand.now_ms, due_ms)
            self._do(events.Tick())
            later_ms = self.hand.button.deadline_ms()
            assert later_ms is None or later_ms > self.hand.now_ms, "a deadline that never passes"
        self.hand.now_ms = end_ms

    @rule(state_lost=st.booleans())
    def power_cut(self, state_lost: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        self.boot += 1
        alarm = None if state_lost else self.hand.alarm
        before = self.hand
        self.hand = Hand(boot=self.boot, flash=before.flash, alarm=alarm, now_ms=before.now_ms)
        self.linked = False
        self._do(events.Tick())

    @invariant()
    def exactly_the_unconfirmed_are_on_flash(self) -> None:
        assert set(self.hand.flash) == self.stored - self.confirmed

    @invariant()
    def what_is_on_flash_never_changes(self) -> None:
        assert all(self.bodies[identity] == body for identity, body in self.hand.flash.items())

    @invariant()
    def an_undelivered_loud_call_is_never_shown_as_nothing(self) -> None:
        lights = of(self.hand.done, actions.Light)
        loud = [
            identity
            for identity in self.hand.flash
            if self.bodies[identity][message.TYPE] in (message.ALARM, message.DRILL)
            and identity not in self.silent
        ]
        if loud and lights:
            assert lights[-1].rung != "idle"

    @invariant()
    def every_call_fits_one_sms(self) -> None:
        for body in self.hand.flash.values():
            sent = {**body, message.AGE_MS: 100_000_000}
            assert len(seal(sent, _KEY, _LONGEST_KID, _LONGEST_TOPIC)) <= 140


# Not shrunk: that has no limit that can be set and takes longer than pytest's timeout, which
# would then be all that is reported. To see the shortest way to a failure, add Phase.shrink.
ButtonMachine.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    report_multiple_bugs=False,
)
TestButton = ButtonMachine.TestCase
