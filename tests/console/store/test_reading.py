"""Lists, the stream, units, notices and the two kinds of transaction."""

from pathlib import Path

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from console_api import store
from console_api.accounts import tables as account_tables
from console_api.cycle.actions import DispatchTo, Open
from console_api.cycle.model import Category, Point
from console_api.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    NotMigratedError,
)
from console_api.store.schema import metadata
from console_api.store.views import CaseFilter, CommandNotice
from tests.console.store.helpers import (
    RATNA,
    SITI,
    START,
    add_units,
    after,
    alarm,
    done,
    new_case,
    sent,
    take,
)


def test_cases_are_paged_by_cursor_the_newest_first(connection: Connection) -> None:
    take(connection, *(alarm(f"TRK-{number}") for number in range(5)))
    seen: list[str] = []
    cursor = None
    while True:
        page = store.cases(connection, CaseFilter(), START, cursor=cursor, limit=2)
        seen += [case.id for case in page.cases]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [f"K-00000{number}" for number in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (CaseFilter(state="open"), {"K-000001", "K-000002"}),
        (CaseFilter(state="opened"), {"K-000001"}),
        (CaseFilter(category=Category.FIRE), {"K-000002"}),
        (CaseFilter(area="65.71.01"), {"K-000001", "K-000002"}),
        (CaseFilter(area="65.71.02"), set()),
        (CaseFilter(device="TRK-2"), {"K-000002"}),
        (CaseFilter(drill=True), {"K-000002"}),
        (CaseFilter(since=after(1)), {"K-000002"}),
        (CaseFilter(unit="AMB-1"), set()),
        (CaseFilter(q="POS trk-1"), {"K-000001"}),
        (CaseFilter(q="%"), set()),
    ],
)
def test_a_filter_holds(connection: Connection, wanted: CaseFilter, found: set[str]) -> None:
    done(connection, new_case(connection, "TRK-1"), Open())
    new_case(connection, "TRK-2", at=after(2), category="fire", drill=True)
    page = store.cases(connection, wanted, START)
    assert {case.id for case in page.cases} == found


def test_a_cursor_that_was_never_given_out_is_refused(connection: Connection) -> None:
    with pytest.raises(InvalidInputError):
        store.cases(connection, CaseFilter(), START, cursor="x")
    with pytest.raises(InvalidInputError):
        store.notices(connection, "-1")


def test_the_stream_resumes_without_a_gap_and_ids_rise(connection: Connection) -> None:
    case_id = new_case(connection)
    first = store.changes(connection, None, limit=1)
    done(connection, case_id, Open())
    take(connection, sent("status", "TRK-1", 1, 9, reason="periodic"))
    rest = store.changes(connection, first.last)
    ids = [change.id for change in (*first.changes, *rest.changes)]
    assert ids == sorted(set(ids))
    states = [
        msgspec.json.decode(change.data)["state"]
        for change in (*first.changes, *rest.changes)
        if change.kind == "case"
    ]
    assert states == ["received", "opened"]
    assert store.changes(connection, rest.last).changes == ()


def test_heartbeats_keep_one_change_a_device(connection: Connection) -> None:
    for number in range(5):
        take(connection, sent("status", "TRK-1", 1, number, after(number), reason="periodic"))
    assert [change.id for change in store.changes(connection, None).changes] == [5]


def test_a_client_that_was_away_for_too_long_learns_of_the_gap(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(store.changes.__globals__, "KEPT", 5)
    monkeypatch.setitem(store.changes.__globals__, "_PRUNE_EVERY", 10)
    add_units(connection, *(f"AMB-{number}" for number in range(12)))
    page = store.changes(connection, 1)
    assert page.gap
    assert [change.id for change in page.changes] == [6, 7, 8, 9, 10, 11, 12]
    assert not store.changes(connection, 5).gap


def test_a_command_is_a_notice_among_the_receipts(connection: Connection) -> None:
    case_id = new_case(connection)
    done(connection, case_id, Open())
    cursor = store.queue_command(
        connection, "TRK-1", "identify", {"s": 5}, after(60), actor=SITI, now=START
    )
    page = store.notices(connection, "1")
    assert page.notices == (
        CommandNotice(
            cursor="2", device="TRK-1", command="identify", args={"s": 5}, expires=after(60)
        ),
    )
    assert page.cursor == cursor
    assert msgspec.json.decode(msgspec.json.encode(page.notices[0]))["kind"] == "command"


def test_nothing_new_leaves_the_cursor_where_it_was(connection: Connection) -> None:
    assert store.notices(connection, "41").cursor == "41"


def test_a_unit_is_added_once(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    with pytest.raises(AlreadyExistsError):
        add_units(connection, "AMB-1")


def test_an_older_position_of_a_unit_changes_nothing(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    store.place_unit(connection, "AMB-1", Point(3.4, 117.6), after(20), after(21))
    view = store.place_unit(connection, "AMB-1", Point(3.5, 117.7), after(10), after(22))
    assert view.position is not None
    assert (view.position.lat, view.position.at) == (3.4, after(20))


def test_a_unit_s_clock_that_is_ahead_counts_as_now(connection: Connection) -> None:
    add_units(connection, "AMB-1")
    store.place_unit(connection, "AMB-1", Point(3.4, 117.6), after(10**6), after(5))
    view = store.place_unit(connection, "AMB-1", Point(3.5, 117.7), after(6), after(6))
    assert view.position is not None
    assert view.position.lat == 3.5


def test_units_are_paged_by_id(connection: Connection) -> None:
    add_units(connection, "A", "B", "C")
    page = store.units(connection, limit=2)
    assert ([unit.id for unit in page.units], page.next) == (["A", "B"], "B")
    assert [unit.id for unit in store.units(connection, cursor="B").units] == ["C"]


@pytest.mark.parametrize("lat", [91.0, float("nan")])
def test_a_place_that_is_not_on_earth_is_refused(connection: Connection, lat: float) -> None:
    add_units(connection, "AMB-1")
    with pytest.raises(InvalidInputError):
        store.place_unit(connection, "AMB-1", Point(lat, 117.0), None, START)


def test_proposals_name_every_unit(connection: Connection) -> None:
    add_units(connection, "AMB-1", "AMB-2")
    store.change_unit(connection, "AMB-1", RATNA, START, status="off")
    case_id = new_case(connection)
    done(connection, case_id, Open())
    done(connection, case_id, DispatchTo(unit="AMB-2"))
    assert {proposal.unit for proposal in store.proposals(connection, case_id, START)} == {
        "AMB-1",
        "AMB-2",
    }


def test_devices_are_listed_with_their_open_case(connection: Connection) -> None:
    case_id = new_case(connection)
    take(connection, sent("status", "TRK-2", 1, 0, reason="boot"))
    page = store.devices(connection)
    assert [(view.id, view.open_case) for view in page.devices] == [
        ("TRK-1", case_id),
        ("TRK-2", None),
    ]


def test_what_is_unknown_is_not_found(connection: Connection) -> None:
    for look in (store.unit, store.device, store.photo):
        with pytest.raises(NotFoundError):
            look(connection, "x")
    with pytest.raises(NotFoundError):
        store.case(connection, "x", START)


def test_the_migrations_make_the_schema_that_the_code_works_with(connection: Connection) -> None:
    assert account_tables.users.metadata is metadata
    with store.reading(connection):
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_database_without_its_schema_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotMigratedError, match="run the migration"):
        store.open_engine(f"sqlite:///{tmp_path / 'empty.db'}")


def test_migrating_again_changes_nothing(database: Path) -> None:
    store.migrate(f"sqlite:///{database}")
    store.open_engine(f"sqlite:///{database}").dispose()


def test_writing_inside_reading_is_our_mistake(connection: Connection) -> None:
    with store.reading(connection), pytest.raises(RuntimeError, match="reading"):
        new_case(connection)


def test_counts_are_by_state_and_drill(connection: Connection) -> None:
    take(connection, alarm("TRK-1"), alarm("TRK-2", drill=True), alarm("TRK-3"))
    assert store.count_by_state(connection) == {("received", False): 2, ("received", True): 1}
