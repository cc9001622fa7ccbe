"""Documents for the data centre: the same bytes until acknowledged, and seen on the case."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Connection

from console_api import store
from console_api.cycle.actions import Dismiss, Open
from console_api.cycle.model import DataCentre, DismissReason, State
from console_api.errors import NotFoundError
from console_api.store.check_projections import check_projections
from tests.console.store.helpers import START, add_units, after, done, new_case, walk


@pytest.fixture
def case_id(connection: Connection) -> str:
    add_units(connection, "AMB-1")
    case_id = new_case(connection)
    walk(connection, case_id)
    return case_id


def test_registering_queues_one_document_with_case_and_version(
    connection: Connection, case_id: str
) -> None:
    (item,) = store.outbox_due(connection, after(100))
    document = msgspec.json.decode(item.body)
    assert (document["id"], document["type"]) == (
        f"{case_id}:{item.version}",
        "id.siaga.case.registered.v1",
    )
    assert document["data"]["register"]["register_number"] == "AK/2026/11/0001"


def test_a_failure_shows_on_the_case_and_the_same_bytes_are_tried_again(
    connection: Connection, case_id: str
) -> None:
    (item,) = store.outbox_due(connection, after(100))
    store.outbox_failed(connection, item.id, "503", after(130), after(101))
    assert store.case_brief(connection, case_id, START).data_centre is DataCentre.FAILING
    assert store.outbox_due(connection, after(129)) == ()
    (again,) = store.outbox_due(connection, after(130))
    assert (again.body, again.attempts) == (item.body, 1)


def test_the_log_gets_the_first_failure_and_not_each_one(
    connection: Connection, case_id: str
) -> None:
    (item,) = store.outbox_due(connection, after(100))
    for second in range(5):
        store.outbox_failed(connection, item.id, "503", after(130), after(101 + second))
    actions = [event.action for event in store.case(connection, case_id, START).events]
    assert actions.count("sending_failed") == 1


def test_an_acknowledgement_after_failures_registers_the_case(
    connection: Connection, case_id: str
) -> None:
    (item,) = store.outbox_due(connection, after(100))
    store.outbox_failed(connection, item.id, "503", after(130), after(101))
    store.outbox_sent(connection, item.id, after(131))
    view = store.case_brief(connection, case_id, START)
    assert (view.state, view.data_centre) == (State.REGISTERED, DataCentre.SENT)


@pytest.mark.usefixtures("case_id")
def test_an_acknowledgement_between_two_milliseconds_leaves_what_its_event_adds_up_to(
    connection: Connection,
) -> None:
    (item,) = store.outbox_due(connection, after(100))
    store.outbox_sent(connection, item.id, after(131) + timedelta(microseconds=153))
    assert check_projections(connection)[1] == []


def test_a_second_acknowledgement_changes_nothing(connection: Connection, case_id: str) -> None:
    (item,) = store.outbox_due(connection, after(100))
    store.outbox_sent(connection, item.id, after(101))
    before = store.case(connection, case_id, START)
    store.outbox_sent(connection, item.id, after(102))
    store.outbox_failed(connection, item.id, "late", after(103), after(103))
    assert store.case(connection, case_id, START) == before


def test_a_dismissed_case_is_sent_but_has_no_mark_registered(connection: Connection) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open())
    done(connection, case_id, Dismiss(reason=DismissReason.TEST))
    (item,) = store.outbox_due(connection, START)
    store.outbox_sent(connection, item.id, after(1))
    view = store.case_brief(connection, case_id, after(1))
    assert (view.state, view.data_centre, view.marks.registered) == (
        State.DISMISSED,
        DataCentre.SENT,
        None,
    )


def test_an_unknown_document_is_not_found(connection: Connection) -> None:
    with pytest.raises(NotFoundError):
        store.outbox_sent(connection, 7, START)


def test_the_wait_doubles_up_to_five_minutes_and_is_spread() -> None:
    waits = [store.outbox_retry_s(attempts, 1.0) for attempts in range(9)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert store.outbox_retry_s(3, 0.0) == 8
    assert store.outbox_retry_s(10**6, 1.0) == 300
