"""No sequence of actions loses a mark, moves time back, or ends a silent alarm with one person."""

from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from console_api.cycle import events as ev
from console_api.cycle.actions import (
    Accept,
    Action,
    AddNote,
    Arrive,
    Clear,
    Close,
    Decline,
    Dismiss,
    DispatchTo,
    FileReport,
    Merge,
    Open,
    Register,
    Reopen,
    Update,
)
from console_api.cycle.evolve import evolve
from console_api.cycle.machine import Command, Conflict, Facts, absorb, acknowledge, apply, event
from console_api.cycle.model import (
    Actor,
    Case,
    Category,
    DismissReason,
    Marks,
    Role,
    State,
    Trigger,
)
from console_api.escalation import due
from tests.console.cycle.helpers import GATEWAY, START, received

PEOPLE = (
    Actor("siti", Role.OPERATOR),
    Actor("budi", Role.OPERATOR),
    Actor("ratna", Role.SUPERVISOR),
    Actor("anton", Role.OFFICER, unit="AMB-1"),
    Actor("dewi", Role.OFFICER, unit="AMB-2"),
    Actor("tono", Role.TECHNICIAN),
    Actor("umar", Role.AUDITOR),
    GATEWAY,
)
ACTIONS: tuple[Action, ...] = (
    Open(),
    DispatchTo(unit="AMB-1"),
    DispatchTo(unit="AMB-2"),
    Accept(),
    Decline(reason="ban kempes"),
    Arrive(),
    Clear(),
    FileReport(actions_taken="-", outcome="-"),
    Update(),
    Register(),
    Close(),
    Dismiss(reason=DismissReason.PRANK),
    Merge(into="K-000002"),
    Reopen(reason="keliru"),
    AddNote(text="-"),
)
IN_ORDER = (
    "pressed",
    "received",
    "opened",
    "dispatched",
    "accepted",
    "arrived",
    "cleared",
    "reported",
    "updated",
    "registered",
    "closed",
)
DESK = {Role.OPERATOR, Role.SUPERVISOR}


class Cycle(RuleBasedStateMachine):
    """One case and another to merge into; the wall clock jumps both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.case = received()
        self.other = received(case_id="K-000002")
        self.log: list[ev.Event] = []
        self.last: tuple[Action, Actor] = (Open(), PEOPLE[0])

    @initialize(
        trigger=st.sampled_from((Trigger.SILENT, Trigger.PRESS)),
        unknown=st.booleans(),
        skew=st.integers(-90, 90),
    )
    def press(self, trigger: Trigger, skew: int, *, unknown: bool) -> None:
        pressed = None if unknown else START + timedelta(seconds=skew)
        self.case = received(trigger, pressed_at=pressed)

    @rule(seconds=st.integers(-4000, 4000))
    def clock_jumps(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(action=st.sampled_from(ACTIONS), actor=st.sampled_from(PEOPLE), stale=st.booleans())
    def act(self, action: Action, actor: Actor, *, stale: bool) -> None:
        self._do(action, actor, self.case.version - stale)

    @rule(data=st.data(), actor=st.sampled_from(PEOPLE[:4]))
    def act_sensibly(self, data: st.DataObject, actor: Actor) -> None:
        """Random actions alone rarely come to the end of the cycle."""
        facts = Facts(number="AK/2026/11/0001", into=self.other)
        possible = [
            action
            for action in ACTIONS
            if not isinstance(
                apply(self.case, Command(action, actor, None), self.now, facts), Conflict
            )
        ]
        if possible:
            self._do(data.draw(st.sampled_from(possible)), actor, self.case.version)

    @rule()
    def the_same_person_does_it_again(self) -> None:
        self._do(*self.last, self.case.version)

    @rule(trigger=st.sampled_from(Trigger))
    def press_again(self, trigger: Trigger) -> None:
        if self.case.open:
            body = ev.PressedAgain(
                alarm=f"again:{len(self.log)}",
                device=self.case.device.id,
                category=Category.FIRE,
                trigger=trigger,
                late=False,
                pressed_at=self.now,
                occurred_by="device",
                gateway_at=self.now,
            )
            self._grow(event(self.case, GATEWAY, self.now, body))

    @rule(old=st.booleans())
    def data_centre_acknowledges(self, *, old: bool) -> None:
        if self.case.sending_version is not None:
            version = self.case.sending_version - old
            self._grow(*acknowledge(self.case, version, GATEWAY, self.now))

    @rule()
    def rules_come_due(self) -> None:
        self._grow(*due(self.case, self.now))
        assert due(self.case, self.now) == ()

    @rule()
    def cancel_on_the_button(self) -> None:
        state = self.case.state
        body = ev.Cancelled(event="x", ref="y")
        self._grow(event(self.case, GATEWAY, self.now, body))
        assert self.case.state is state

    def _do(self, action: Action, actor: Actor, seen: int) -> None:
        facts = Facts(number="AK/2026/11/0001", into=self.other)
        before = self.case
        outcome = apply(before, Command(action, actor, seen), self.now, facts)
        if isinstance(outcome, Conflict):
            return
        assert seen == before.version
        self.last = (action, actor)
        self._grow(*outcome)
        if isinstance(action, Merge):
            self.other = evolve(self.other, absorb(self.other, before, actor, self.now))
            assert self.other.silent or not before.silent

    def _grow(self, *events: ev.Event) -> None:
        for happened in events:
            before, self.case = self.case, evolve(self.case, happened)
            self.log.append(happened)
            self._check_step(before, happened)

    def _check_step(self, before: Case, happened: ev.Event) -> None:
        for name in Marks.__struct_fields__:
            mark: datetime | None = getattr(before.marks, name)
            assert mark is None or getattr(self.case.marks, name) == mark, f"lost {name}"
        assert happened.at >= before.at, "time went back"
        assert self.case.version >= before.version
        assert self.case.silent or not before.silent, "forgot that it is silent"
        if before.silent and before.open and self.case.state in {State.CLOSED, State.DISMISSED}:
            self._check_two_people(happened)

    def _check_two_people(self, last: ev.Event) -> None:
        name = "close" if isinstance(last.body, ev.Closed) else "dismiss"
        first = next(
            known
            for known in reversed(self.log[:-1])
            if isinstance(known.body, ev.FirstPersonActed) and known.body.action == name
        )
        assert first.actor.name != last.actor.name, "one person ended a silent alarm"
        since = self.log[self.log.index(first) :]
        assert not any(isinstance(known.body, ev.PressedAgain) for known in since)

    @invariant()
    def marks_are_in_order(self) -> None:
        times = [mark for name in IN_ORDER if (mark := getattr(self.case.marks, name)) is not None]
        assert times == sorted(times)

    @invariant()
    def only_those_who_may_have_decided(self) -> None:
        for happened in self.log:
            if isinstance(happened.body, ev.Opened | ev.Closed | ev.Dismissed | ev.Registering):
                assert happened.actor.role in DESK
            if isinstance(happened.body, ev.Reopened):
                assert happened.actor.role is Role.SUPERVISOR

    @invariant()
    def each_escalation_came_once(self) -> None:
        keys = [escalation.key for escalation in self.case.escalations]
        assert len(keys) == len(set(keys))


Cycle.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestCycle = Cycle.TestCase
