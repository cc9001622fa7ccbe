"""A press goes all the way to the register."""

from sqlalchemy import Connection

from console_api import store
from console_api.cycle.model import DataCentre, State
from console_api.store.views import ReceiptNotice
from tests.console.store.helpers import (
    acknowledge_all,
    add_units,
    after,
    alarm,
    close,
    new_case,
    take,
    walk,
)


def test_a_press_walks_the_seven_steps_to_a_closed_case_with_a_number(
    connection: Connection,
) -> None:
    add_units(connection, "AMB-1")
    case_id = new_case(connection)
    assert walk(connection, case_id).state is State.REGISTERING
    acknowledge_all(connection, after(90))
    closed = close(connection, case_id, after(100))
    assert (closed.state, closed.register_number, closed.data_centre) == (
        State.CLOSED,
        "AK/2026/11/0001",
        DataCentre.SENT,
    )
    assert [clock.state for clock in closed.clocks] == ["met"] * 7


def test_the_mark_registered_waits_for_the_data_centre(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    case_id = new_case(connection)
    assert walk(connection, case_id).marks.registered is None
    acknowledge_all(connection, after(90))
    assert store.case_brief(connection, case_id, after(91)).marks.registered == after(90)


def test_each_alarm_event_gets_each_rung_once_in_order(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    case_id = new_case(connection)
    take(connection, alarm(seq=1))
    walk(connection, case_id)
    acknowledge_all(connection, after(90))
    close(connection, case_id, after(100))
    found = store.notices(connection, None).notices
    stages = ["opened", "dispatched", "accepted", "arrived", "handled", "closed"]
    for ref in ("TRK-1:1:0", "TRK-1:1:1"):
        assert [n.stage for n in found if isinstance(n, ReceiptNotice) and n.ref == ref] == stages
    assert [int(notice.cursor) for notice in found] == list(range(1, 13))
