"""What gateways bring in: once each, into the right case, and nothing bad into any."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from console_api import store
from console_api.cycle.actions import Close, Dismiss, Merge, Open, Reopen
from console_api.cycle.model import DismissReason, State
from console_api.store.views import CaseFilter, CaseView, ReceiptNotice
from tests.console.store.helpers import (
    RATNA,
    START,
    acknowledge_all,
    add_units,
    after,
    alarm,
    close,
    cloudevent,
    done,
    new_case,
    position,
    sent,
    take,
    walk,
)


def cases(connection: Connection) -> tuple[CaseView, ...]:
    """All cases, the oldest first."""
    return tuple(reversed(store.cases(connection, CaseFilter(), START).cases))


def test_the_same_event_again_is_a_duplicate_without_effect(connection: Connection) -> None:
    take(connection, alarm())
    before = store.case(connection, "K-000001", START)
    assert [result.status for result in take(connection, alarm(), alarm())] == ["duplicate"] * 2
    assert store.case(connection, "K-000001", START) == before


def test_twice_in_one_batch_is_one_case(connection: Connection) -> None:
    assert [r.status for r in take(connection, alarm(), alarm())] == ["created", "duplicate"]
    assert len(cases(connection)) == 1


def test_a_second_press_joins_the_open_case_of_its_device(connection: Connection) -> None:
    take(connection, alarm(), alarm(seq=1, presses=2))
    (case,) = cases(connection)
    assert case.presses == 2


def test_a_press_after_the_end_is_a_new_case(connection: Connection) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open())
    done(connection, case_id, Dismiss(reason=DismissReason.FALSE_ALARM))
    take(connection, alarm(seq=1))
    assert [case.state for case in cases(connection)] == [State.DISMISSED, State.RECEIVED]


def test_a_real_press_never_joins_a_drill(connection: Connection) -> None:
    take(connection, alarm(drill=True), alarm(seq=1))
    assert [case.drill for case in cases(connection)] == [True, False]


def test_a_drill_never_joins_a_real_case(connection: Connection) -> None:
    take(connection, alarm(), alarm(seq=1, drill=True))
    assert [case.drill for case in cases(connection)] == [False, True]


def test_a_silent_press_makes_its_case_silent(connection: Connection) -> None:
    take(connection, alarm(), alarm(seq=1, trigger="silent"))
    assert cases(connection)[0].silent


def test_a_joining_press_gets_the_rung_that_the_case_is_on(connection: Connection) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open())
    take(connection, alarm(seq=1))
    told = store.notices(connection, None).notices
    assert [(n.ref, n.stage) for n in told if isinstance(n, ReceiptNotice)] == [
        ("TRK-1:1:0", "opened"),
        ("TRK-1:1:1", "opened"),
    ]


def test_a_track_moves_the_case(connection: Connection) -> None:
    take(
        connection,
        alarm(position=None),
        sent("track", "TRK-1", 1, 1, ref="TRK-1:1:0", position=position(40)),
    )
    case = store.case(connection, "K-000001", START)
    assert case.position == case.track[0]


def test_an_older_fix_that_comes_later_moves_nothing(connection: Connection) -> None:
    take(connection, alarm(at=after(60)), at=after(60))
    before = cases(connection)[0].position
    late = sent("track", "TRK-1", 1, 1, at=after(10), ref="TRK-1:1:0", position=position(500))
    take(connection, late, at=after(61))
    assert cases(connection)[0].position == before


def test_tracks_leave_the_version_that_an_operator_saw(connection: Connection) -> None:
    take(connection, alarm(), sent("track", "TRK-1", 1, 1, ref="TRK-1:1:0", position=position(9)))
    assert cases(connection)[0].version == 1


def test_what_comes_before_its_alarm_is_kept_for_it(connection: Connection) -> None:
    take(
        connection,
        sent("track", "TRK-1", 1, 1, ref="TRK-1:1:0", position=position(40)),
        sent("cancel", "TRK-1", 1, 2, ref="TRK-1:1:0"),
    )
    assert cases(connection) == ()
    take(connection, alarm(position=None))
    case = store.case(connection, "K-000001", START)
    assert (len(case.track), case.cancelled) == (1, True)


def test_a_cancel_is_evidence_and_closes_nothing(connection: Connection) -> None:
    take(connection, alarm(), sent("cancel", "TRK-1", 1, 1, ref="TRK-1:1:0"))
    (case,) = cases(connection)
    assert (case.state, case.cancelled, case.version) == (State.RECEIVED, True, 1)


def test_a_track_after_the_end_is_still_kept(connection: Connection) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open())
    done(connection, case_id, Dismiss(reason=DismissReason.TEST))
    take(connection, sent("track", "TRK-1", 1, 1, ref="TRK-1:1:0", position=position(9)))
    assert len(store.case(connection, case_id, START).track) == 1


def test_presses_near_in_place_and_time_are_shown_to_each_other(connection: Connection) -> None:
    take(connection, alarm("TRK-1"), alarm("TRK-2", position=position(140)))
    first, second = cases(connection)
    assert [other.case for other in first.probable_duplicates] == [second.id]
    assert [other.case for other in second.probable_duplicates] == [first.id]
    assert (first.state, second.state) == (State.RECEIVED, State.RECEIVED)


def test_a_crowd_that_presses_at_once_stays_readable_and_nobody_is_left_out(
    connection: Connection,
) -> None:
    take(connection, *(alarm(f"TRK-{n}", position=position(n)) for n in range(40)))
    shown = [len(case.probable_duplicates) for case in cases(connection)]
    assert (min(shown) >= 1, max(shown)) == (True, 5)


@pytest.mark.parametrize(
    ("metres", "seconds", "drill"), [(160, 0, False), (0, 301, False), (0, 0, True)]
)
def test_presses_apart_are_not(
    connection: Connection, metres: float, seconds: float, *, drill: bool
) -> None:
    take(connection, alarm("TRK-1"))
    other = alarm("TRK-2", at=after(seconds), position=position(metres), drill=drill)
    take(connection, other, at=after(seconds))
    assert [case.probable_duplicates for case in cases(connection)] == [(), ()]


def test_a_first_fix_that_comes_later_shows_the_neighbour(connection: Connection) -> None:
    take(connection, alarm("TRK-1"), alarm("TRK-2", position=None))
    take(connection, sent("track", "TRK-2", 1, 1, ref="TRK-2:1:0", position=position(30)))
    assert all(case.probable_duplicates for case in cases(connection))


def test_a_merged_case_s_devices_follow_the_case_merged_into(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    take(connection, alarm("TRK-1"), alarm("TRK-2"))
    done(connection, "K-000002", Merge(into="K-000001"))
    take(connection, alarm("TRK-2", seq=1))
    walk(connection, "K-000001")
    acknowledge_all(connection, after(90))
    close(connection, "K-000001", after(100))
    told = store.notices(connection, None).notices
    ends = {n.ref for n in told if isinstance(n, ReceiptNotice) and n.stage == "closed"}
    assert ends == {"TRK-1:1:0", "TRK-2:1:0", "TRK-2:1:1"}
    assert len(cases(connection)) == 2


def test_a_reopened_merged_case_gets_its_devices_back(connection: Connection) -> None:
    take(connection, alarm("TRK-1"), alarm("TRK-2"))
    done(connection, "K-000002", Merge(into="K-000001"))
    done(connection, "K-000002", Reopen(reason="lain kejadian"), RATNA)
    told = store.notices(connection, None).notices
    assert [n.ref for n in told if isinstance(n, ReceiptNotice)] == ["TRK-2:1:0"]
    assert cases(connection)[0].merged_from == ()


def test_a_silent_case_merged_makes_the_other_one_need_two_people(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    take(connection, alarm("TRK-1"), alarm("TRK-2", trigger="silent"))
    done(connection, "K-000002", Merge(into="K-000001"))
    walk(connection, "K-000001")
    acknowledge_all(connection, after(90))
    first = done(connection, "K-000001", Close(), at=after(95))
    assert (first.state, first.awaiting_second is not None) == (State.REGISTERED, True)


def test_status_is_the_device_s_health_and_no_case(connection: Connection) -> None:
    health = {"battery_v": 3.9, "battery_percent": 80, "power": "battery"}
    take(connection, sent("status", "TRK-1", 1, 0, reason="periodic", health=health))
    view = store.device(connection, "TRK-1")
    assert (view.state, view.health, cases(connection)) == ("online", health, ())


def test_an_older_status_that_comes_later_changes_no_health(connection: Connection) -> None:
    new = sent("status", "TRK-1", 1, 5, after(60), reason="periodic", health={"battery_v": 3.5})
    old = sent("status", "TRK-1", 1, 1, after(10), reason="periodic", health={"battery_v": 4.1})
    take(connection, new, old)
    assert store.device(connection, "TRK-1").health == {"battery_v": 3.5}


def test_the_history_of_a_device_is_bounded_and_holds_no_positions(connection: Connection) -> None:
    take(
        connection,
        *(
            sent("status", "TRK-1", 1, n, after(n), reason="periodic", position=position(n))
            for n in range(250)
        ),
    )
    history = store.device(connection, "TRK-1").history
    assert len(history) == 200
    assert history[0].at == after(249)
    assert not any(b"position" in bytes(item.data) for item in history)


def test_lost_and_restored_are_the_device_s_state(connection: Connection) -> None:
    known = {"occurred_at": START, "occurred_by": "unknown"}
    lost = {**known, "cause": "silence", "last_seen": None}
    restored = {**known, "lost_at": START}
    take(connection, cloudevent("lost", "TRK-1", "TRK-1:lost:1", lost))
    assert store.device(connection, "TRK-1").state == "lost"
    take(connection, cloudevent("restored", "TRK-1", "TRK-1:restored:1", restored, after(60)))
    assert store.device(connection, "TRK-1").state == "online"


def test_a_conflict_is_kept_for_ever_in_the_log(connection: Connection) -> None:
    data: dict[str, object] = {
        "occurred_at": None,
        "occurred_by": "unknown",
        "first": {"type": "alarm", "category": "fire"},
        "second": {"type": "alarm", "category": "other"},
    }
    event = cloudevent("conflict", "TRK-1", "TRK-1:1:0:conflict:0123456789abcdef", data)
    assert [r.status for r in (*take(connection, event), *take(connection, event))] == [
        "created",
        "duplicate",
    ]
    kinds = connection.exec_driver_sql("SELECT kind FROM events").scalars().all()
    assert kinds == ["device_conflict"]


def test_a_bad_event_is_refused_by_name_and_blocks_no_good_one(connection: Connection) -> None:
    bad = msgspec.json.encode({"specversion": "1.0", "id": "TRK-1:9:9", "type": "x"})
    results = take(connection, bad, b"{", alarm("TRK-2"))
    assert [(r.id, r.status) for r in results] == [
        ("TRK-1:9:9", "refused"),
        ("", "refused"),
        ("TRK-2:1:0", "created"),
    ]
    assert all(r.reason for r in results[:2])


@pytest.mark.parametrize(
    "wrong",
    [
        {"position": {**position(), "lat": 91}},
        {"position": {**position(), "source": "map"}},
        {"category": "coffee"},
        {"trigger": None},
        {"late": "no"},
        {"occurred_at": "2026-11-24T03:00:00"},
        {"boot": -1},
        {"seq": 1.5},
        {"seq": 7},
        {"device": {"id": "TRK-9", "kind": "street"}},
    ],
)
def test_a_member_of_a_wrong_kind_is_refused(
    connection: Connection, wrong: dict[str, object]
) -> None:
    event = msgspec.json.decode(alarm())
    event["data"].update(wrong)
    (result,) = take(connection, msgspec.json.encode(event))
    assert (result.status, cases(connection)) == ("refused", ())


def test_members_that_are_not_known_are_ignored(connection: Connection) -> None:
    event = msgspec.json.decode(alarm(colour="red"))
    event["extension"] = 1
    event["data"]["device"]["fleet"] = "x"
    assert take(connection, msgspec.json.encode(event))[0].status == "created"


def test_another_device_s_alarm_is_no_ref(connection: Connection) -> None:
    take(connection, alarm("TRK-1"))
    (result,) = take(connection, sent("track", "TRK-2", 1, 0, ref="TRK-1:1:0", position=position()))
    assert result.status == "refused"


def test_a_press_of_unknown_time_leaves_the_mark_empty(connection: Connection) -> None:
    take(connection, alarm(occurred_at=None, occurred_by="unknown", delay_s=None, late=True))
    (case,) = cases(connection)
    assert (case.marks.pressed, case.late, case.clocks[0].state) == (None, True, "waiting")


def test_a_device_clock_that_is_ahead_can_t_press_in_the_future(connection: Connection) -> None:
    take(connection, alarm(occurred_at=START + timedelta(days=400)))
    assert cases(connection)[0].marks.pressed == START


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(data=st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_value_of_any_member_breaks_a_batch(connection: Connection, data: st.DataObject) -> None:
    event = msgspec.json.decode(
        data.draw(
            st.sampled_from(
                [
                    alarm(),
                    sent("track", "TRK-1", 1, 0, ref="TRK-1:1:0", position=position()),
                    sent("status", "TRK-1", 1, 0, reason="boot", health={"battery_v": 3.0}),
                ]
            )
        )
    )
    target = data.draw(st.sampled_from([event, event["data"], event["data"]["device"]]))
    member = data.draw(st.sampled_from(sorted(target)))
    target[member] = data.draw(json_values)
    (result,) = take(connection, msgspec.json.encode(event))
    assert result.status in {"created", "duplicate", "refused"}
