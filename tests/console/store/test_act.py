"""Actions: in one transaction, once each, for those who may, on what they saw."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine

from console_api import store
from console_api.cycle.actions import (
    Accept,
    AddNote,
    Close,
    Dismiss,
    DispatchTo,
    Merge,
    Open,
    Reopen,
)
from console_api.cycle.machine import Conflict, ConflictReason
from console_api.cycle.model import Actor, DismissReason, Role, State
from console_api.errors import NotFoundError
from tests.console.store.helpers import (
    BUDI,
    OFFICER,
    RATNA,
    SITI,
    START,
    UP_TO_REGISTER,
    acknowledge_all,
    add_units,
    after,
    alarm,
    do,
    done,
    new_case,
    refused,
    take,
    walk,
)


def test_the_second_of_two_operators_learns_who_was_first(connection: Connection) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open(), SITI, after(5))
    late = refused(connection, case_id, Open(), BUDI, after(6), seen_version=1)
    assert (late.reason, late.version, late.by, late.at) == (
        ConflictReason.STALE,
        2,
        "siti",
        after(5),
    )


def test_two_operators_at_once_are_one_and_a_conflict(engine: Engine) -> None:
    with engine.connect() as connection:
        case_id = new_case(connection)
    answers: list[str] = []
    together = threading.Barrier(2)

    def take_it(actor: Actor) -> None:
        with engine.connect() as connection:
            together.wait()
            answer = store.act(connection, case_id, Open(), actor=actor, seen_version=1, now=START)
            answers.append("conflict" if isinstance(answer, Conflict) else "opened")

    threads = [threading.Thread(target=take_it, args=(actor,)) for actor in (SITI, BUDI)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == ["conflict", "opened"]


def test_a_repeated_key_answers_the_same_and_does_nothing(connection: Connection) -> None:
    case_id = new_case(connection)
    first = done(connection, case_id, Open(), idempotency_key="k1")
    before = store.case(connection, case_id, START)
    again = done(connection, case_id, Open(), at=after(60), idempotency_key="k1", seen_version=1)
    assert again == first
    assert store.case(connection, case_id, START) == before


def test_a_key_used_for_something_else_is_a_conflict(connection: Connection) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open(), idempotency_key="k1")
    other = refused(connection, case_id, AddNote(text="x"), idempotency_key="k1")
    assert other.reason is ConflictReason.KEY_REUSED


def test_two_people_may_use_the_same_key(connection: Connection) -> None:
    case_id = new_case(connection)
    done(connection, case_id, AddNote(text="a"), SITI, idempotency_key="1")
    done(connection, case_id, AddNote(text="b"), BUDI, idempotency_key="1")
    notes = [e for e in store.case(connection, case_id, START).events if e.action == "noted"]
    assert len(notes) == 2


def test_an_action_without_effect_leaves_its_key_free(connection: Connection) -> None:
    case_id = new_case(connection)
    refused(connection, case_id, DispatchTo(unit="AMB-1"), idempotency_key="k")
    done(connection, case_id, Open(), idempotency_key="k")


@pytest.mark.parametrize("unit_state", ["missing", "off"])
def test_a_unit_that_can_t_come_can_t_be_sent(connection: Connection, unit_state: str) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open())
    if unit_state == "off":
        add_units(connection, "AMB-1")
        store.change_unit(connection, "AMB-1", RATNA, START, status="off")
    assert refused(connection, case_id, DispatchTo(unit="AMB-1")).reason is ConflictReason.TARGET


def test_a_unit_is_busy_from_dispatch_until_it_is_cleared(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    case_id = new_case(connection)
    done(connection, case_id, Open())
    done(connection, case_id, DispatchTo(unit="AMB-1"))
    busy = store.unit(connection, "AMB-1")
    assert (busy.status, busy.cases) == ("busy", (case_id,))
    done(connection, case_id, Dismiss(reason=DismissReason.FALSE_ALARM))
    assert store.unit(connection, "AMB-1").status == "available"


def test_an_officer_acts_only_on_cases_of_the_own_unit(connection: Connection) -> None:
    add_units(connection, "AMB-1", "AMB-2")
    case_id = new_case(connection)
    done(connection, case_id, Open())
    done(connection, case_id, DispatchTo(unit="AMB-2"))
    assert refused(connection, case_id, Accept(), OFFICER).reason is ConflictReason.UNIT


def test_a_merge_into_what_is_not_there_says_so(connection: Connection) -> None:
    case_id = new_case(connection)
    assert "K-000099" in refused(connection, case_id, Merge(into="K-000099")).message


def test_an_unknown_case_is_not_found(connection: Connection) -> None:
    with pytest.raises(NotFoundError, match="K-000007"):
        do(connection, "K-000007", Open())


def test_a_clock_that_went_back_is_noted_and_takes_nothing_with_it(connection: Connection) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open(), at=after(30))
    view = done(connection, case_id, AddNote(text="x"), at=after(30) - timedelta(days=1))
    assert store.case(connection, case_id, START).events[-1].at == after(30)
    assert view.marks.opened == after(30)
    wall = connection.exec_driver_sql(
        "SELECT wall_ms FROM events ORDER BY seq DESC LIMIT 1"
    ).scalar_one()
    assert wall is not None


def test_a_silent_alarm_closes_by_two_people(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    case_id = new_case(connection, trigger="silent")
    walk(connection, case_id)
    acknowledge_all(connection, after(90))
    assert done(connection, case_id, Close(), SITI, after(91)).state is State.REGISTERED
    alone = refused(connection, case_id, Close(), SITI, after(92))
    assert alone.reason is ConflictReason.SECOND_PERSON
    assert done(connection, case_id, Close(), BUDI, after(93)).state is State.CLOSED


def test_a_silent_alarm_is_dismissed_by_two_people(connection: Connection) -> None:
    case_id = new_case(connection, trigger="silent")
    done(connection, case_id, Open())
    prank = Dismiss(reason=DismissReason.PRANK)
    assert done(connection, case_id, prank, SITI).state is State.OPENED
    assert refused(connection, case_id, prank, SITI).reason is ConflictReason.SECOND_PERSON
    assert done(connection, case_id, prank, BUDI).state is State.DISMISSED


def test_a_reopened_case_keeps_its_marks_and_its_number(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    case_id = new_case(connection)
    walk(connection, case_id)
    acknowledge_all(connection, after(90))
    closed = done(connection, case_id, Close(), at=after(100))
    again = done(connection, case_id, Reopen(reason="salah"), RATNA, after(200))
    assert again.register_number == closed.register_number
    assert again.marks.closed == closed.marks.closed
    last = walk(connection, case_id, start=after(200), steps=UP_TO_REGISTER[1:])
    assert last.register_number == closed.register_number
    acknowledge_all(connection, after(400))
    assert store.case_brief(connection, case_id, after(400)).state is State.REGISTERED


def test_every_event_says_who_and_from_where(connection: Connection) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open(), Actor("siti", Role.OPERATOR, address="10.1.2.3"))
    opened = store.case(connection, case_id, START).events[-1]
    assert (opened.actor, opened.role, opened.from_address) == ("siti", "operator", "10.1.2.3")


def test_the_second_dispatch_replaces_the_first(connection: Connection) -> None:
    add_units(connection, "AMB-1", "AMB-2")
    take(connection, alarm())
    done(connection, "K-000001", Open())
    done(connection, "K-000001", DispatchTo(unit="AMB-1"))
    assert done(connection, "K-000001", DispatchTo(unit="AMB-2")).unit == "AMB-2"
    assert store.unit(connection, "AMB-1").status == "available"
