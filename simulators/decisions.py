"""What somebody in the control room or on the road does next: plain functions of what they see."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from simulators.chance import seeded
from simulators.wire import Case, Proposal

SUPERVISOR_STEPS_IN: Final = timedelta(seconds=60)  # escalation of the dispatch cycle
DISMISSED_SHARE: Final = 0.85
MERGED_SHARE: Final = 0.8
DECLINED_SHARE: Final = 0.06


class Step(Enum):
    """What is done to a case; the order is the order of urgency at a desk."""

    OPEN = 1
    VERIFY = 2
    SECOND = 3
    CLOSE = 4
    REGISTER = 5
    UPDATE = 6
    ACCEPT = 7
    DECLINE = 8
    DRIVE = 9
    WORK = 10
    REPORT = 11


@dataclass(frozen=True, slots=True)
class Task:
    """One step for one case in the version that was seen."""

    step: Step
    case: str
    version: int


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A real alarm: send somebody."""


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Nothing to be handled."""

    reason: str


@dataclass(frozen=True, slots=True)
class Merge:
    """The same incident as another case."""

    into: str


Verdict = Dispatch | Dismiss | Merge
OWN_STEPS: Final[Mapping[str, Step]] = {
    "opened": Step.VERIFY,
    "reported": Step.UPDATE,
    "updated": Step.REGISTER,
    "registered": Step.CLOSE,
}
ROAD_STEPS: Final[Mapping[str, Step]] = {
    "dispatched": Step.ACCEPT,
    "accepted": Step.DRIVE,
    "arrived": Step.WORK,
    "cleared": Step.REPORT,
}


def operator_task(cases: Iterable[Case], me: str, supervisors: Collection[str] = ()) -> Task | None:
    """Return the most urgent step: unopened alarms first, then what one has opened oneself.

    The second signature is a supervisor's, but for what a supervisor has signed first.
    """
    return _first(
        Task(step, case.id, case.version)
        for case in cases
        if (step := _second(case, me, supervisors) or _desk_step(case, me))
    )


def supervisor_task(cases: Iterable[Case], me: str, now: datetime, patience: float) -> Task | None:
    """Return a second signature, an alarm nobody opens, or a step of one's own cases.

    `patience` shortens the time until the supervisor steps in where life runs faster.
    """
    return _first(
        Task(step, case.id, case.version)
        for case in cases
        if (step := _second(case, me, None) or _desk_step(case, me))
        and (step is not Step.OPEN or _unopened_for(case, now) * patience > SUPERVISOR_STEPS_IN)
    )


def officer_task(cases: Iterable[Case], unit: str, seed: int) -> Task | None:
    """Return the next step of the own unit; what is furthest comes first."""
    tasks = [
        Task(_road_step(case, seed), case.id, case.version)
        for case in sorted(cases, key=lambda case: case.id)
        if case.unit == unit and case.state in ROAD_STEPS
    ]
    return max(tasks, key=lambda task: task.step.value, default=None)


def verdict(case: Case, cases: Mapping[str, Case], seed: int) -> Verdict:
    """Return what an operator makes of an alarm after calling back and looking at the map."""
    chance = seeded(seed, "verdict", case.id)
    if case.cancelled and not case.silent and chance.random() < DISMISSED_SHARE:
        return Dismiss(chance.choice(("prank", "false_alarm")))
    elder = [
        known
        for duplicate in case.probable_duplicates
        if (known := cases.get(duplicate.case)) is not None
    ]
    fit = [other for other in elder if _takes_up(other, case)]
    if fit and chance.random() < MERGED_SHARE:
        return Merge(min(fit, key=lambda other: other.id).id)
    return Dispatch()


def nearest_fit(proposals: Iterable[Proposal]) -> str | None:
    """Return the unit to send: the best proposed one that is fit and free."""
    free = [unit for unit in proposals if unit.fit and unit.status == "available"]
    return min(free, key=lambda unit: unit.rank).unit if free else None


def _first(tasks: Iterable[Task]) -> Task | None:
    return min(tasks, key=lambda task: (task.step.value, task.case), default=None)


def _desk_step(case: Case, me: str) -> Step | None:
    if case.state == "received":
        return Step.OPEN
    if case.operator != me or case.awaiting_second is not None:
        return None
    return OWN_STEPS.get(case.state)


def _second(case: Case, me: str, after: Collection[str] | None) -> Step | None:
    """Return the second signature if it is mine to give: after those people, or after anybody."""
    first = case.awaiting_second
    if first is None or first.by == me or case.ended:
        return None
    return Step.SECOND if after is None or first.by in after else None


def _unopened_for(case: Case, now: datetime) -> timedelta:
    received = case.marks.get("received")
    return timedelta() if received is None else now - received


def _road_step(case: Case, seed: int) -> Step:
    step = ROAD_STEPS[case.state]
    if step is not Step.ACCEPT:
        return step
    declines = seeded(seed, "decline", case.id, case.unit or "").random() < DECLINED_SHARE
    return Step.DECLINE if declines else Step.ACCEPT


def _takes_up(elder: Case, case: Case) -> bool:
    """Whether `case` may join `elder`: somebody works on it, for the same kind of help."""
    working = elder.state in {"opened", *ROAD_STEPS}
    seen = not (case.silent or elder.silent)
    alike = elder.drill == case.drill and seen and elder.category == case.category
    return working and alike and elder.id < case.id
