"""What comes due, when, and once."""

from hypothesis import given
from hypothesis import strategies as st

from console_api.cycle.actions import Decline, Dismiss, DispatchTo, Open
from console_api.cycle.evolve import evolve
from console_api.cycle.model import Case, DismissReason
from console_api.escalation import due, next_due, schedule
from tests.console.cycle.helpers import OFFICER, after, received, step


def names(case: Case, seconds: float) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for event in due(case, after(seconds)):
        case = evolve(case, event)
        found.append((case.escalations[-1].rule, case.escalations[-1].level))
    return found


def test_nothing_is_due_at_once() -> None:
    assert due(received(), after(0)) == ()


def test_everything_that_was_slept_through_comes_in_its_order() -> None:
    assert names(received(), 3600) == [
        ("unopened", "louder"),
        ("unopened", "supervisors"),
        ("clock_2", "yellow"),
        ("clock_2", "red"),
    ]


def test_opening_ends_what_waits_for_it() -> None:
    assert names(step(received(), Open(), at=after(14)), 90) == []


def test_each_dispatch_is_waited_for_anew() -> None:
    case = step(step(received(), Open()), DispatchTo(unit="AMB-1"), at=after(10))
    for event in due(case, after(70)):
        case = evolve(case, event)
    case = step(case, Decline(reason="-"), OFFICER, after(80))
    case = step(case, DispatchTo(unit="AMB-2"), at=after(90))
    assert names(case, 149) == []
    assert names(case, 150) == [("not_accepted", "propose")]


def test_a_press_that_came_late_is_a_breach_of_the_first_clock() -> None:
    assert ("clock_1", "red") in names(received(pressed_at=after(-600)), 0)


def test_an_ended_case_has_nothing_due() -> None:
    case = step(step(received(), Open()), Dismiss(reason=DismissReason.TEST), at=after(1))
    assert schedule(case) == ()
    assert next_due(case) is None


@given(times=st.lists(st.integers(0, 5000), max_size=30))
def test_however_often_one_looks_each_comes_once(times: list[int]) -> None:
    case = received()
    for seconds in times:
        for event in due(case, after(seconds)):
            case = evolve(case, event)
        upcoming = next_due(case)
        assert upcoming is None or upcoming > after(seconds)
    keys = [escalation.key for escalation in case.escalations]
    assert len(keys) == len(set(keys))
