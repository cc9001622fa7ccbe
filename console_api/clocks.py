"""The seven clocks of procedure 067/01/PB/2021, computed from a case's marks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from console_api.cycle.model import Case, Marks
from console_api.rules import RULES, ClockRule, Rules


class ClockView(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """One clock at a moment.

    `waiting`: it has not started, can't start (no trusted time of the press), or the case
    ended without it. `missed` comes as soon as the standard is past, also while it runs.
    `elapsed_s` is null while it waits. `yellow` warns while the clock still runs.
    """

    clock: int
    start: str
    end: str
    standard_s: float
    elapsed_s: float | None
    state: Literal["waiting", "running", "met", "missed"]
    level: Literal["green", "yellow", "red"]


def clocks(case: Case, now: datetime, rules: Rules = RULES) -> tuple[ClockView, ...]:
    """All clocks of a case at `now`."""
    return tuple(_clock(case, rule, now, rules.yellow_share) for rule in rules.clocks)


def between(marks: Marks, start: str, end: str) -> float | None:
    """Seconds from one mark to another, None unless both are set."""
    first, second = mark(marks, start), mark(marks, end)
    if first is None or second is None:
        return None
    return _seconds(second - first)


def mark(marks: Marks, name: str) -> datetime | None:
    """Return the mark of that name."""
    value: datetime | None = getattr(marks, name)
    return value


def percentile(values: Sequence[float], share: float) -> float | None:
    """Nearest-rank percentile of sorted values, None of none."""
    if not values:
        return None
    rank = max(1, -(-round(share * 1000) * len(values) // 1000))
    return values[min(rank, len(values)) - 1]


def _seconds(duration: timedelta) -> float:
    return max(0.0, round(duration.total_seconds(), 3))


def _clock(case: Case, rule: ClockRule, now: datetime, yellow_share: float) -> ClockView:
    start, end = mark(case.marks, rule.start), mark(case.marks, rule.end)
    if start is None:
        return _view(rule, None, "waiting", "green")
    elapsed = _seconds((end or case.ended_at or now) - start)
    if elapsed > rule.standard_s:
        return _view(rule, elapsed, "missed", "red")
    if end is not None:
        return _view(rule, elapsed, "met", "green")
    if case.ended_at is not None:
        return _view(rule, None, "waiting", "green")
    yellow = elapsed >= rule.standard_s * yellow_share
    return _view(rule, elapsed, "running", "yellow" if yellow else "green")


def _view(
    rule: ClockRule,
    elapsed: float | None,
    state: Literal["waiting", "running", "met", "missed"],
    level: Literal["green", "yellow", "red"],
) -> ClockView:
    return ClockView(rule.clock, rule.start, rule.end, rule.standard_s, elapsed, state, level)
