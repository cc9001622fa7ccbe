"""Who may do what, when, and what comes of it."""

from itertools import product

import pytest

from console_api.cycle import events as ev
from console_api.cycle.actions import (
    ACTIONS,
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
    parse_action,
)
from console_api.cycle.evolve import evolve
from console_api.cycle.machine import Command, Conflict, ConflictReason, Facts, acknowledge, apply
from console_api.cycle.model import (
    Actor,
    Case,
    DataCentre,
    DismissReason,
    Position,
    Role,
    State,
    Trigger,
)
from console_api.cycle.table import TABLE
from console_api.errors import InvalidInputError, NotFoundError
from tests.console.cycle.helpers import (
    BUDI,
    GATEWAY,
    OFFICER,
    RATNA,
    SITI,
    START,
    after,
    received,
    refusal,
    step,
)

EXAMPLES: dict[str, Action] = {
    "open": Open(),
    "dispatch": DispatchTo(unit="AMB-9"),
    "accept": Accept(),
    "decline": Decline(reason="-"),
    "arrive": Arrive(),
    "clear": Clear(),
    "report": FileReport(actions_taken="-", outcome="-"),
    "update": Update(),
    "register": Register(),
    "close": Close(),
    "dismiss": Dismiss(reason=DismissReason.PRANK),
    "merge": Merge(into="K-000002"),
    "reopen": Reopen(reason="-"),
    "note": AddNote(text="-"),
}
FACTS = Facts(number="AK/2026/11/0001", into=received(case_id="K-000002"))


def on_the_way(trigger: Trigger) -> dict[State, Case]:
    """The same case in each state from the press to `registered`."""
    found = {State.RECEIVED: received(trigger)}
    way: tuple[Action, ...] = (
        Open(),
        DispatchTo(unit="AMB-1"),
        Accept(),
        Arrive(),
        Clear(),
        FileReport(actions_taken="-", outcome="-"),
        Update(),
        Register(),
    )
    case = found[State.RECEIVED]
    for number, action in enumerate(way, 1):
        case = step(case, action, at=after(number))
        found[case.state] = case
    (registered,) = acknowledge(case, case.version, GATEWAY, after(20))
    found[State.REGISTERED] = evolve(case, registered)
    return found


def in_every_state() -> dict[State, Case]:
    found = on_the_way(Trigger.PRESS)
    found[State.CLOSED] = step(found[State.REGISTERED], Close(), at=after(21))
    found[State.DISMISSED] = step(found[State.OPENED], EXAMPLES["dismiss"], at=after(21))
    found[State.MERGED] = step(found[State.OPENED], Merge(into="K-000002"), facts=FACTS)
    return found


CASES = in_every_state()


def test_the_table_reaches_every_state() -> None:
    assert CASES.keys() == set(State)
    assert all(case.state is state for state, case in CASES.items())


@pytest.mark.parametrize(("state", "name"), list(product(State, EXAMPLES)))
def test_an_action_is_possible_exactly_where_the_table_says(state: State, name: str) -> None:
    outcome = apply(CASES[state], Command(EXAMPLES[name], RATNA, None), after(60), FACTS)
    if state not in TABLE[name].sources:
        assert isinstance(outcome, Conflict)
        assert outcome.reason is ConflictReason.STATE
        return
    assert not isinstance(outcome, Conflict)
    case = CASES[state]
    for event in outcome:
        case = evolve(case, event)
    assert case.state is (TABLE[name].target or state)


@pytest.mark.parametrize(("name", "role"), list(product(EXAMPLES, Role)))
def test_an_action_is_for_exactly_the_roles_of_the_table(name: str, role: Role) -> None:
    row = TABLE[name]
    sources = [state for state in State if state in row.sources]
    # The last one has a unit, if any has: an officer acts only on a case of the own unit.
    state = State.ACCEPTED if State.ACCEPTED in sources else sources[-1]
    actor = Actor("x", role, unit="AMB-1")
    outcome = apply(CASES[state], Command(EXAMPLES[name], actor, None), after(60), FACTS)
    refused = isinstance(outcome, Conflict) and outcome.reason is ConflictReason.ROLE
    assert refused is (role not in row.roles)


@pytest.mark.parametrize("unit", [None, "AMB-2"])
def test_an_officer_of_another_unit_is_refused(unit: str | None) -> None:
    actor = Actor("dewi", Role.OFFICER, unit=unit)
    assert refusal(CASES[State.DISPATCHED], Accept(), actor).reason is ConflictReason.UNIT


def test_an_officer_without_a_unit_can_t_touch_a_case_without_one() -> None:
    actor = Actor("dewi", Role.OFFICER)
    assert refusal(CASES[State.OPENED], AddNote(text="x"), actor).reason is ConflictReason.UNIT


def test_a_stale_version_names_who_was_first() -> None:
    case = step(received(), Open(), SITI, after(3))
    late = refusal(case, Open(), BUDI, seen=1)
    assert (late.reason, late.by, late.at, late.action) == (
        ConflictReason.STALE,
        "siti",
        after(3),
        "opened",
    )
    assert "siti was first" in late.message


def test_the_same_unit_is_not_dispatched_twice() -> None:
    again = refusal(CASES[State.DISPATCHED], DispatchTo(unit="AMB-1"))
    assert again.reason is ConflictReason.TARGET


def test_a_declined_case_is_open_again_and_remembers_who_declined() -> None:
    case = step(CASES[State.DISPATCHED], Decline(reason="ban kempes"), OFFICER, after(9))
    assert (case.state, case.unit, case.declined_units) == (State.OPENED, None, ("AMB-1",))
    assert (case.marks.dispatched, case.marks.declined) == (after(2), after(9))


def test_a_second_dispatch_leaves_the_first_mark() -> None:
    case = step(CASES[State.DISPATCHED], DispatchTo(unit="AMB-2"), at=after(50))
    assert case.marks.dispatched == after(2)
    assert case.dispatch is not None
    assert (case.dispatch.unit, case.dispatch.number, case.dispatch.at) == ("AMB-2", 2, after(50))


@pytest.mark.parametrize(
    ("into", "word"),
    [
        (None, "there is no case"),
        (received(), "itself"),
        (CASES[State.CLOSED], "itself"),
        (received(case_id="K-000002", drill=True), "drill"),
        (
            evolve(
                received(case_id="K-000002"),
                ev.Event(START, RATNA, ev.Merged(into="K-000003")),
            ),
            "is merged",
        ),
    ],
)
def test_a_merge_needs_another_open_case_of_its_kind(into: Case | None, word: str) -> None:
    said = refusal(received(), Merge(into="K-000002"), facts=Facts(into=into))
    assert (said.reason, word in said.message) == (ConflictReason.TARGET, True)


@pytest.mark.parametrize(
    ("name", "state"), [("close", State.REGISTERED), ("dismiss", State.OPENED)]
)
def test_a_silent_alarm_ends_by_two_people(name: str, state: State) -> None:
    case = on_the_way(Trigger.SILENT)[state]
    first = step(case, EXAMPLES[name], SITI, after(30))
    assert first.state is state
    assert refusal(first, EXAMPLES[name], SITI).reason is ConflictReason.SECOND_PERSON
    assert not step(first, EXAMPLES[name], BUDI, after(31)).open


def test_a_press_after_the_first_person_asks_for_both_anew() -> None:
    case = on_the_way(Trigger.SILENT)[State.REGISTERED]
    first = step(case, Close(), SITI)
    body = ev.PressedAgain(
        alarm="x:1:9",
        device=case.device.id,
        category=case.category,
        trigger=Trigger.PRESS,
        late=False,
        pressed_at=None,
        occurred_by="unknown",
        gateway_at=START,
    )
    pressed = evolve(first, ev.Event(after(40), GATEWAY, body))
    assert step(pressed, Close(), BUDI).state is State.REGISTERED


def test_one_person_can_t_be_the_first_of_both_kinds() -> None:
    case = on_the_way(Trigger.SILENT)[State.OPENED]
    first = step(case, EXAMPLES["dismiss"], SITI)
    assert refusal(first, EXAMPLES["dismiss"], SITI).reason is ConflictReason.SECOND_PERSON


def test_an_old_acknowledgement_registers_nothing() -> None:
    case = CASES[State.REGISTERING]
    (event,) = acknowledge(case, case.version - 1, GATEWAY, after(20))
    assert evolve(case, event).state is State.REGISTERING


def test_a_failure_after_the_acknowledgement_is_no_failure() -> None:
    case = CASES[State.REGISTERED]
    version = case.sending_version or 0
    failed = ev.Event(after(30), GATEWAY, ev.SendingFailed(version=version, error="x"))
    assert evolve(case, failed).data_centre is DataCentre.SENT


def test_a_clock_that_went_back_gives_the_case_s_latest_time_and_a_note() -> None:
    case = step(received(), Open(), at=after(60))
    outcome = apply(case, Command(AddNote(text="x"), SITI, None), after(10))
    assert not isinstance(outcome, Conflict)
    assert (outcome[0].at, outcome[0].wall) == (after(60), after(10))


def test_the_press_is_never_later_than_its_receipt() -> None:
    assert received(pressed_at=after(500)).marks.pressed == START


@pytest.mark.parametrize(
    ("old", "new", "taken"),
    [
        (None, Position(1, 1, "installed"), "new"),
        (Position(1, 1, "installed"), Position(2, 2, "last_known"), "new"),
        (Position(1, 1, "gnss", at=START), Position(2, 2, "installed"), "old"),
        (Position(1, 1, "gnss", at=START), Position(2, 2, "gnss", at=after(1)), "new"),
        (Position(1, 1, "gnss", at=after(1)), Position(2, 2, "gnss", at=START), "old"),
        (Position(1, 1, "gnss", at=START), Position(2, 2, "gnss"), "new"),
    ],
)
def test_the_better_position_stays(old: Position | None, new: Position, taken: str) -> None:
    case = received()
    for position in (old, new):
        if position is not None:
            body = ev.Tracked(event="x", ref="y", position=position)
            case = evolve(case, ev.Event(START, GATEWAY, body))
    assert case.position == (new if taken == "new" else old)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_every_action_of_the_api_is_in_the_table(name: str) -> None:
    assert name in TABLE


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("dispatch", b"{}"),
        ("dispatch", b'{"unit": ""}'),
        ("dispatch", b'{"unit": "A", "notes": "typo"}'),
        ("dismiss", b'{"reason": "bored"}'),
        ("dismiss", b"{}"),
        ("decline", b'{"reason": ""}'),
        ("report", b'{"actions_taken": "x", "outcome": "y", "casualties": {"dead": -1}}'),
        ("open", b"[]"),
        ("open", b"{"),
        ("open", b"\xff"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(name: str, body: bytes) -> None:
    with pytest.raises(InvalidInputError, match=f"body of {name}"):
        parse_action(name, body)


def test_an_empty_body_is_an_empty_object() -> None:
    assert parse_action("open", b"") == Open()


def test_an_unknown_action_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        parse_action("explode", b"")
