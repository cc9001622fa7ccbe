"""Escalations and breaches come due by themselves, once each, into the log."""

from sqlalchemy import Connection

from console_api import store
from console_api.cycle.actions import Dismiss, DispatchTo, Open
from console_api.cycle.model import Category, DismissReason, Point
from console_api.rules import EscalationRule, Rules
from tests.console.store.helpers import RATNA, START, TARAKAN, add_units, after, done, new_case


def near(north_m: float) -> Point:
    return Point(TARAKAN[0] + north_m / 111_195, TARAKAN[1])


def actions(connection: Connection, case_id: str) -> list[tuple[str, str]]:
    view = store.case_brief(connection, case_id, START)
    return [(item.rule, item.level) for item in view.escalations]


def test_an_unopened_case_gets_louder_and_then_reaches_the_supervisors(
    connection: Connection,
) -> None:
    case_id = new_case(connection)
    assert store.tick(connection, after(14)) == 0
    assert store.tick(connection, after(15)) == 1
    assert store.tick(connection, after(60)) == 1
    assert actions(connection, case_id) == [("unopened", "louder"), ("unopened", "supervisors")]


def test_a_tick_twice_does_nothing_twice(connection: Connection) -> None:
    new_case(connection)
    assert store.tick(connection, after(1000)) > 0
    assert store.tick(connection, after(1000)) == 0


def test_the_next_nearest_unit_is_proposed_when_nobody_accepts(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    store.add_unit(
        connection, "AMB-2", "dua", [Category.AMBULANCE], actor=RATNA, now=START, at=near(500)
    )
    store.add_unit(
        connection, "AMB-3", "tiga", [Category.AMBULANCE], actor=RATNA, now=START, at=near(900)
    )
    case_id = new_case(connection)
    done(connection, case_id, Open(), at=after(1))
    done(connection, case_id, DispatchTo(unit="AMB-1"), at=after(2))
    store.tick(connection, after(62))
    (proposed,) = store.case_brief(connection, case_id, after(62)).escalations
    assert (proposed.level, proposed.unit) == ("propose", "AMB-2")


def test_a_clock_warns_at_80_percent_and_breaches_past_its_standard(
    connection: Connection,
) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open(), at=after(1))
    store.tick(connection, after(96))
    store.tick(connection, after(120))
    assert actions(connection, case_id) == [("clock_2", "yellow"), ("clock_2", "red")]
    assert store.case(connection, case_id, after(120)).events[-1].action == "breached"


def test_a_breach_between_two_ticks_is_recorded_before_what_ends_it(
    connection: Connection,
) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open(), at=after(1))
    done(connection, case_id, Dismiss(reason=DismissReason.TEST), at=after(500))
    events = [event.action for event in store.case(connection, case_id, after(500)).events]
    assert events[-2:] == ["breached", "dismissed"]


def test_the_stream_hears_of_an_escalation(connection: Connection) -> None:
    case_id = new_case(connection)
    start = store.last_change(connection)
    store.tick(connection, after(15))
    told = store.changes(connection, start).changes
    assert [(change.kind, change.subject) for change in told] == [
        ("escalation", case_id),
        ("case", case_id),
    ]


def test_the_next_tick_is_known(connection: Connection) -> None:
    assert store.next_tick(connection) is None
    new_case(connection)
    assert store.next_tick(connection) == after(15)


def test_changed_rules_hold_after_a_reschedule(connection: Connection) -> None:
    new_case(connection)
    sooner = Rules(
        escalations=(EscalationRule(name="unopened", state="received", after_s=5, level="louder"),)
    )
    store.reschedule(connection, sooner)
    assert store.tick(connection, after(5), rules=sooner) == 1
