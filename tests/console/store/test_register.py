"""The register: numbers without gaps, all marks, dismissed cases too, drills apart."""

from datetime import UTC, datetime
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from console_api import store
from console_api.cycle.actions import Dismiss, Merge, Open
from console_api.cycle.model import DismissReason
from console_api.errors import InvalidInputError
from tests.console.store.helpers import (
    START,
    acknowledge_all,
    add_units,
    after,
    alarm,
    close,
    done,
    new_case,
    take,
    walk,
)

# The database outlives an example, so no device may come twice.
DEVICES = count()


class PowerCutError(Exception):
    """What ends a transaction before its commit."""


def failing(connection: Connection, case_id: str, at: datetime = START) -> None:
    with store.writing(connection):
        done(connection, case_id, Dismiss(reason=DismissReason.TEST), at=at)
        raise PowerCutError


def dismissed(connection: Connection, device: str, at: datetime, *, drill: bool = False) -> str:
    case_id = new_case(connection, device, at=at, drill=drill)
    done(connection, case_id, Open(), at=at)
    view = done(connection, case_id, Dismiss(reason=DismissReason.TEST), at=at)
    assert view.register_number is not None
    return view.register_number


def test_a_row_holds_what_the_procedure_asks_for(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    case_id = new_case(connection)
    walk(connection, case_id)
    acknowledge_all(connection, after(90))
    close(connection, case_id, after(100))
    (row,) = store.register(connection, "2026-11", after(200))
    assert (row.register_number, row.operator, row.unit) == ("AK/2026/11/0001", "siti", "AMB-1")
    assert (row.actions_taken, row.outcome, row.remarks) == (
        "Dibawa ke RSUD",
        "selamat",
        "lengkap",
    )
    assert row.area is not None
    assert row.area.kelurahan == "Selumit"
    assert [clock.state for clock in row.clocks] == ["met"] * 7


def test_a_dismissed_case_remains_in_the_register(connection: Connection) -> None:
    number = dismissed(connection, "TRK-1", START)
    (row,) = store.register(connection, "2026-11", START)
    assert (row.register_number, row.dismiss_reason) == (number, DismissReason.TEST)


def test_a_drill_has_a_series_of_its_own(connection: Connection) -> None:
    numbers = [
        dismissed(connection, "TRK-1", START),
        dismissed(connection, "TRK-2", START, drill=True),
        dismissed(connection, "TRK-3", START),
    ]
    assert numbers == ["AK/2026/11/0001", "LT/2026/11/0001", "AK/2026/11/0002"]
    assert len(store.register(connection, "2026-11", START)) == 2
    assert [row.drill for row in store.register(connection, "2026-11", START, drill=True)] == [True]


def test_a_month_begins_at_midnight_in_the_city(connection: Connection) -> None:
    last_of_november = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)  # 23:59 in Makassar
    first_of_december = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)  # 00:00 in Makassar
    assert dismissed(connection, "TRK-1", last_of_november) == "AK/2026/11/0001"
    assert dismissed(connection, "TRK-2", first_of_december) == "AK/2026/12/0001"


def test_a_transaction_that_fails_uses_no_number(connection: Connection) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open())
    with pytest.raises(PowerCutError):
        failing(connection, case_id)
    assert store.register(connection, "2026-11", START) == ()
    assert dismissed(connection, "TRK-2", START) == "AK/2026/11/0001"


def test_a_merged_case_has_no_number_and_is_named_by_the_other(connection: Connection) -> None:
    take(connection, alarm("TRK-1"), alarm("TRK-2"))
    done(connection, "K-000002", Merge(into="K-000001"))
    done(connection, "K-000001", Open())
    done(connection, "K-000001", Dismiss(reason=DismissReason.OTHER))
    (row,) = store.register(connection, "2026-11", START)
    assert row.merged_from == ("K-000002",)


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "11/2026", "", "२०२६-११"])
def test_what_is_no_month_is_refused(connection: Connection, month: str) -> None:
    with pytest.raises(InvalidInputError, match="2026-11"):
        store.register(connection, month, START)


@given(plan=st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.booleans()), max_size=12))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_numbers_have_no_gaps_whatever_fails(
    connection: Connection, plan: list[tuple[bool, int, bool]]
) -> None:
    for drill, days, fails in plan:
        at = after(days * 86_400)
        device = f"TRK-{next(DEVICES)}"
        if not fails:
            dismissed(connection, device, at, drill=drill)
            continue
        case_id = new_case(connection, device, at=at, drill=drill)
        done(connection, case_id, Open(), at=at)
        with pytest.raises(PowerCutError):
            failing(connection, case_id, at)
    for month in ("2026-11", "2026-12", "2027-01"):
        for drill in (False, True):
            rows = store.register(connection, month, START, drill=drill)
            positions = [int(row.register_number[-4:]) for row in rows]
            assert positions == list(range(1, len(positions) + 1))


def test_the_clock_report_counts_real_cases_only(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    for device, drill in (("TRK-1", False), ("TRK-2", True)):
        case_id = new_case(connection, device, drill=drill)
        walk(connection, case_id)
        acknowledge_all(connection, after(90))
        close(connection, case_id, after(100))
    report = store.clock_report(connection, START, after(1000), after(1000))
    assert [line.count for line in report] == [1] * 8
    assert [(line.met, line.missed) for line in report[:7]] == [(1, 0)] * 7
    opened, dispatched = report[1].targets
    assert (report[1].p90, opened.within, dispatched.share) == (20.0, 1, 1.0)
