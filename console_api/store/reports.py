"""The register of a month, and how the clocks were kept."""

import re
from datetime import datetime

from sqlalchemy import Connection, select

from console_api.clocks import between, clocks, percentile
from console_api.cycle.model import Case, State
from console_api.errors import InvalidInputError
from console_api.rules import RULES, ClockRule, Rules, SubTarget
from console_api.store.engine import reading
from console_api.store.projection import decode_case
from console_api.store.render import register_row
from console_api.store.schema import cases
from console_api.store.schema import register as table
from console_api.store.times import to_ms
from console_api.store.views import ClockReport, RegisterRow, TargetReport

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


def register(
    connection: Connection,
    month: str,
    now: datetime,
    *,
    drill: bool = False,
    rules: Rules = RULES,
) -> tuple[RegisterRow, ...]:
    """Return the register of a month (`2026-11`, in the city's zone) by number.

    Dismissed cases are in it; drills have a register of their own.
    Raises `InvalidInputError`.
    """
    if not _MONTH.fullmatch(month):
        raise InvalidInputError("month", f"{month!r} is no month; write it like 2026-11")
    series = rules.drill_series if drill else rules.register_series
    with reading(connection):
        rows = connection.execute(
            select(table.c.number, cases.c.snapshot)
            .join(cases, cases.c.id == table.c.case_id)
            .where(table.c.month == month, table.c.series == series)
            .order_by(table.c.position)
        ).all()
    return tuple(register_row(decode_case(row.snapshot), row.number, now, rules) for row in rows)


def clock_report(
    connection: Connection,
    start: datetime,
    end: datetime,
    now: datetime,
    *,
    rules: Rules = RULES,
) -> tuple[ClockReport, ...]:
    """Return how each clock was kept by the real cases received from `start` until `end`.

    Drills don't count; a merged case counts as the case that it was merged into. A clock
    counts once it has ended. The last row, without a number, is the work itself
    (arrived to cleared), which has no standard.
    """
    with reading(connection):
        rows = connection.execute(
            select(cases.c.snapshot).where(
                cases.c.received_ms >= to_ms(start),
                cases.c.received_ms < to_ms(end),
                cases.c.drill.is_(False),
                cases.c.state != State.MERGED.value,
            )
        ).all()
    real = [decode_case(row.snapshot) for row in rows]
    kept = {rule.clock: _ended(real, rule, now, rules) for rule in rules.clocks}
    return (*(_clock(real, rule, kept[rule.clock]) for rule in rules.clocks), _work(real))


def _ended(
    real: list[Case], rule: ClockRule, now: datetime, rules: Rules
) -> list[tuple[float, bool]]:
    """Seconds and whether they were within the standard, of the cases where it has ended."""
    return [
        (view.elapsed_s, view.state == "met")
        for case in real
        if between(case.marks, rule.start, rule.end) is not None or not case.open
        for view in clocks(case, now, rules)
        if view.clock == rule.clock and view.elapsed_s is not None
    ]


def _clock(real: list[Case], rule: ClockRule, ended: list[tuple[float, bool]]) -> ClockReport:
    seconds = sorted(elapsed for elapsed, _ in ended)
    met = sum(1 for _, kept in ended if kept)
    return ClockReport(
        clock=rule.clock,
        start=rule.start,
        end=rule.end,
        standard_s=rule.standard_s,
        count=len(seconds),
        met=met,
        missed=len(seconds) - met,
        p50=percentile(seconds, 0.50),
        p90=percentile(seconds, 0.90),
        p95=percentile(seconds, 0.95),
        targets=tuple(_target(real, target) for target in rule.targets),
    )


def _target(real: list[Case], target: SubTarget) -> TargetReport:
    seconds = [
        elapsed
        for case in real
        if (elapsed := between(case.marks, target.start, target.end)) is not None
    ]
    within = sum(1 for elapsed in seconds if elapsed <= target.target_s)
    return TargetReport(
        start=target.start,
        end=target.end,
        target_s=target.target_s,
        share_wanted=target.share,
        count=len(seconds),
        within=within,
        share=round(within / len(seconds), 4) if seconds else None,
    )


def _work(real: list[Case]) -> ClockReport:
    seconds = sorted(
        elapsed
        for case in real
        if (elapsed := between(case.marks, "arrived", "cleared")) is not None
    )
    return ClockReport(
        clock=None,
        start="arrived",
        end="cleared",
        standard_s=None,
        count=len(seconds),
        met=None,
        missed=None,
        p50=percentile(seconds, 0.50),
        p90=percentile(seconds, 0.90),
        p95=percentile(seconds, 0.95),
        targets=(),
    )
