"""The seven clocks: waiting, running, met, missed, and their warning colours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console_api.clocks import clocks, percentile
from console_api.cycle.actions import Dismiss, Open
from console_api.cycle.model import DismissReason
from console_api.rules import RULES, ClockRule, Rules
from tests.console.cycle.helpers import after, received, step


def test_the_standards_add_up_to_34_minutes() -> None:
    assert sum(rule.standard_s for rule in RULES.clocks) == 34 * 60


@pytest.mark.parametrize(
    ("seconds", "state", "level"),
    [
        (0, "running", "green"),
        (95.9, "running", "green"),
        (96, "running", "yellow"),
        (120, "running", "yellow"),
        (120.001, "missed", "red"),
    ],
)
def test_a_running_clock_warns_and_is_missed(seconds: float, state: str, level: str) -> None:
    clock = clocks(received(), after(seconds))[1]
    assert (clock.state, clock.level, clock.elapsed_s) == (state, level, seconds)


@pytest.mark.parametrize(("seconds", "state"), [(120, "met"), (120.001, "missed")])
def test_an_ended_clock_stands_still(seconds: float, state: str) -> None:
    case = received(pressed_at=after(-seconds))
    clock = clocks(case, after(10_000))[0]
    assert (clock.state, clock.elapsed_s) == (state, seconds)


def test_a_clock_waits_for_its_start() -> None:
    assert [clock.state for clock in clocks(received(), after(1))] == [
        "met",
        "running",
        *["waiting"] * 5,
    ]


def test_a_clock_without_a_known_press_waits() -> None:
    clock = clocks(received(pressed_at=None), after(1))[0]
    assert (clock.state, clock.elapsed_s) == ("waiting", None)


def test_a_clock_that_a_dismissed_case_did_not_need_waits_for_ever() -> None:
    opened = step(received(), Open(), at=after(5))
    ended = step(opened, Dismiss(reason=DismissReason.PRANK), at=after(60))
    assert clocks(ended, after(10_000))[1].state == "waiting"


def test_a_clock_that_was_over_by_the_dismissal_is_missed() -> None:
    opened = step(received(), Open(), at=after(5))
    ended = step(opened, Dismiss(reason=DismissReason.PRANK), at=after(130))
    clock = clocks(ended, after(10_000))[1]
    assert (clock.state, clock.elapsed_s) == ("missed", 130)


def test_standards_are_configuration() -> None:
    rules = Rules(clocks=(ClockRule(clock=2, start="received", end="dispatched", standard_s=10),))
    assert [clock.level for clock in clocks(received(), after(9), rules)] == ["yellow"]


@pytest.mark.parametrize(("share", "value"), [(0.5, 5), (0.9, 9), (0.95, 10), (0.1, 1)])
def test_percentiles_are_nearest_rank(share: float, value: float) -> None:
    assert percentile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], share) == value


@given(
    values=st.lists(st.floats(0, 1e6), min_size=1),
    share=st.sampled_from([0.5, 0.9, 0.95]),
)
def test_at_least_the_share_lies_within_its_percentile(values: list[float], share: float) -> None:
    limit = percentile(sorted(values), share)
    assert limit is not None
    assert sum(value <= limit for value in values) >= share * len(values)


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 0.5) is None
