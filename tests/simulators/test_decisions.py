from datetime import timedelta

import pytest

from simulators.decisions import (
    Dismiss,
    Dispatch,
    Merge,
    Step,
    Task,
    nearest_fit,
    officer_task,
    operator_task,
    supervisor_task,
    verdict,
)
from simulators.wire import Case, Duplicate, FirstPerson, Proposal
from tests.simulators.cases import NOW, case

SEEDS = range(200)


def test_an_unopened_alarm_comes_before_everything_else_at_a_desk() -> None:
    cases = [case("A", "opened", operator="op"), case("B", "updated", operator="op"), case("C")]
    assert operator_task(cases, "op") == Task(Step.OPEN, "C", 1)


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("opened", Step.VERIFY),
        ("reported", Step.UPDATE),
        ("updated", Step.REGISTER),
        ("registered", Step.CLOSE),
    ],
)
def test_an_operator_carries_the_own_cases_on(state: str, step: Step) -> None:
    task = operator_task([case(state=state, operator="op")], "op")
    assert task is not None
    assert task.step is step


@pytest.mark.parametrize("state", ["opened", "reported", "updated", "registered"])
def test_an_operator_leaves_the_cases_of_others_to_them(state: str) -> None:
    assert operator_task([case(state=state, operator="else")], "op") is None


@pytest.mark.parametrize(
    "state", ["dispatched", "accepted", "arrived", "cleared", "registering", "closed", "merged"]
)
def test_where_others_are_at_work_an_operator_waits(state: str) -> None:
    assert operator_task([case(state=state, operator="op")], "op") is None


def test_who_closed_a_silent_alarm_first_waits_for_the_second() -> None:
    first = FirstPerson("close", "op")
    silent = case(state="registered", silent=True, operator="op", awaiting_second=first)
    assert operator_task([silent], "op") is None
    task = supervisor_task([silent], "super", NOW, 1.0)
    assert task == Task(Step.SECOND, silent.id, 1)


def test_what_a_supervisor_closed_first_an_operator_closes_second() -> None:
    first = FirstPerson("close", "super")
    silent = case(state="registered", silent=True, operator="super", awaiting_second=first)
    assert operator_task([silent], "op", {"super"}) == Task(Step.SECOND, silent.id, 1)


def test_an_operator_is_not_the_second_of_another_operator() -> None:
    first = FirstPerson("close", "else")
    silent = case(state="registered", silent=True, operator="else", awaiting_second=first)
    assert operator_task([silent], "op", {"super"}) is None


def test_nobody_is_the_second_of_oneself() -> None:
    first = FirstPerson("close", "super")
    registered = case(state="registered", silent=True, awaiting_second=first, operator="super")
    assert supervisor_task([registered], "super", NOW, 1.0) is None


def test_a_supervisor_opens_only_what_has_waited_for_a_minute() -> None:
    def received(seconds: float) -> Case:
        at = NOW - timedelta(seconds=seconds)
        return case(marks={"pressed": at, "received": at})

    assert supervisor_task([received(59)], "super", NOW, 1.0) is None
    assert supervisor_task([received(61)], "super", NOW, 1.0) is not None
    assert supervisor_task([received(7)], "super", NOW, 10.0) is not None


def test_a_unit_ends_what_it_has_begun_before_it_takes_another() -> None:
    cases = [case("A", "dispatched", unit="U"), case("B", "arrived", unit="U")]
    assert officer_task(cases, "U", seed=1) == Task(Step.WORK, "B", 1)


def test_a_unit_has_no_business_with_the_cases_of_another() -> None:
    assert officer_task([case(state="accepted", unit="V")], "U", seed=1) is None


def test_officers_mostly_accept_and_sometimes_decline() -> None:
    dispatched = case(state="dispatched", unit="U")
    steps = [task.step for seed in SEEDS if (task := officer_task([dispatched], "U", seed))]
    assert set(steps) == {Step.ACCEPT, Step.DECLINE}
    assert steps.count(Step.DECLINE) < len(SEEDS) / 5


def test_an_ordinary_alarm_is_dispatched() -> None:
    assert {verdict(case(), {}, seed) for seed in SEEDS} == {Dispatch()}


def test_a_cancelled_alarm_is_mostly_dismissed_but_never_by_itself() -> None:
    verdicts = [verdict(case(cancelled=True), {}, seed) for seed in SEEDS]
    assert set(verdicts) == {Dispatch(), Dismiss("prank"), Dismiss("false_alarm")}
    assert verdicts.count(Dispatch()) < len(SEEDS) / 3


def test_a_cancelled_silent_alarm_is_always_dispatched() -> None:
    silent = case(cancelled=True, silent=True)
    assert {verdict(silent, {}, seed) for seed in SEEDS} == {Dispatch()}


def duplicate_of(elder: Case, **members: object) -> set[object]:
    younger = case("C-2", "opened", probable_duplicates=(Duplicate(elder.id),), **members)
    known = {elder.id: elder, younger.id: younger}
    return {verdict(younger, known, seed) for seed in SEEDS}


def test_the_same_incident_joins_the_case_that_somebody_works_on() -> None:
    assert duplicate_of(case("C-1", "dispatched")) == {Merge("C-1"), Dispatch()}


@pytest.mark.parametrize("state", ["received", "registered", "closed", "dismissed"])
def test_nothing_joins_a_case_that_nobody_works_on(state: str) -> None:
    assert duplicate_of(case("C-1", state)) == {Dispatch()}


def test_a_real_alarm_never_joins_a_drill() -> None:
    assert duplicate_of(case("C-1", "dispatched", drill=True)) == {Dispatch()}


def test_a_silent_alarm_never_disappears_in_another_case() -> None:
    assert duplicate_of(case("C-1", "dispatched"), silent=True) == {Dispatch()}


def test_nothing_joins_a_silent_alarm() -> None:
    assert duplicate_of(case("C-1", "dispatched", silent=True)) == {Dispatch()}


def test_two_cases_never_join_each_other() -> None:
    a = case("A", "opened", probable_duplicates=(Duplicate("B"),))
    b = case("B", "opened", probable_duplicates=(Duplicate("A"),))
    known = {"A": a, "B": b}
    assert all(verdict(a, known, seed) == Dispatch() for seed in SEEDS)


def test_the_best_fit_and_free_unit_is_sent() -> None:
    units = [
        Proposal("busy", 1, fit=True, status="busy"),
        Proposal("unfit", 2, fit=False, status="available"),
        Proposal("second", 4, fit=True, status="available"),
        Proposal("best", 3, fit=True, status="available"),
    ]
    assert nearest_fit(units) == "best"


def test_without_a_fit_and_free_unit_nobody_is_sent() -> None:
    assert nearest_fit([Proposal("busy", 1, fit=True, status="busy")]) is None
