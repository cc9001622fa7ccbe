"""Any change of any byte of the log is found, and of what follows from it."""

import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from console_api import store
from console_api.cycle.actions import AddNote, Dismiss, Open
from console_api.cycle.model import DismissReason
from console_api.store.anchor import write_anchor
from console_api.store.log import COVERED, link
from console_api.store.views import PhotoView
from console_api.verify import VerifyReport, verify
from tests.console.store.helpers import (
    SITI,
    acknowledge_all,
    add_units,
    after,
    alarm,
    close,
    done,
    new_case,
    position,
    sent,
    take,
    walk,
)

PICTURE = b"\xff\xd8\xff" + bytes(range(200))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    photos.mkdir()
    return photos


@pytest.fixture
def worked(connection: Connection, database: Path, folder: Path) -> Path:
    """A database in which much has happened, and nothing wrong."""
    add_units(connection, "AMB-1")
    case_id = new_case(connection)
    take(connection, sent("track", "TRK-1", 1, 1, ref="TRK-1:1:0", position=position(20)))
    walk(connection, case_id)
    acknowledge_all(connection, after(90))
    close(connection, case_id, after(100))
    prank = new_case(connection, "TRK-2", at=after(200))
    done(connection, prank, Open(), at=after(210))
    done(connection, prank, AddNote(text="anak-anak"), at=after(215))
    done(connection, prank, Dismiss(reason=DismissReason.PRANK), at=after(220))
    take(connection, alarm("TRK-3", at=after(300)), at=after(300))
    store.tick(connection, after(400))
    (folder / "satu.jpg").write_bytes(PICTURE)
    picture = PhotoView(
        id="foto-1",
        case=case_id,
        file="satu.jpg",
        sha256=sha256(PICTURE).hexdigest(),
        media_type="image/jpeg",
        bytes=len(PICTURE),
        width=10,
        height=10,
        by="",
        at=after(0),
    )
    store.attach_photo(connection, picture, actor=SITI, now=after(500))
    connection.close()
    return database


def check(database: Path, folder: Path, anchors: Path | None = None) -> VerifyReport:
    return verify(f"sqlite:///{database}", photos=folder, anchors=anchors)


def tamper(database: Path, *statements: str) -> None:
    """Do what an administrator with a SQLite shell can do."""
    with sqlite3.connect(database) as raw:
        for statement in statements:
            raw.execute(statement)
    raw.close()


WITHOUT_GUARDS = ("DROP TRIGGER events_no_update", "DROP TRIGGER events_no_delete")
GUARDS = (
    "CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, ''); END",
    "CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, ''); END",
)

APPEND_COPY = (
    "INSERT INTO events SELECT seq + 1, at_ms, wall_ms, case_id, version, kind, actor, role,"
    " unit, address, device, NULL, data, hash FROM events ORDER BY seq DESC LIMIT 1"
)


def test_an_untouched_deployment_is_sound(worked: Path, folder: Path) -> None:
    report = check(worked, folder)
    assert report.problems == ()
    assert (report.cases, report.photos) == (3, 1)


@pytest.mark.parametrize("statement", ["UPDATE events SET actor = 'x'", "DELETE FROM events"])
def test_the_database_itself_refuses_to_change_the_log(worked: Path, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        tamper(worked, statement)


@given(data=st.data())
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_byte_of_any_field_of_any_event_is_found(
    worked: Path, folder: Path, tmp_path: Path, data: st.DataObject
) -> None:
    copy = tmp_path / "copy.db"
    with sqlite3.connect(worked) as source, sqlite3.connect(copy) as target:
        source.backup(target)
        target.execute("PRAGMA foreign_keys=OFF")
        for statement in WITHOUT_GUARDS:
            target.execute(statement)
        columns = [row[1] for row in target.execute("PRAGMA table_info(events)")]
        column = data.draw(st.sampled_from(columns))
        (count,) = target.execute("SELECT count(*) FROM events").fetchone()
        seq = data.draw(st.integers(1, count))
        kind, old = target.execute(
            f"SELECT typeof({column}), CAST({column} AS BLOB) FROM events WHERE seq = ?",  # noqa: S608 - a column of ours
            (seq,),
        ).fetchone()
        if kind == "integer":
            # A number that another row has would be refused by the primary key.
            lowest = 6 if column == "seq" else 0
            new: object = int(old) ^ (1 << data.draw(st.integers(lowest, 40)))
        elif kind == "null":
            new = data.draw(st.sampled_from(["", "x", 0]))
        else:
            index = data.draw(st.integers(0, len(old) - 1))
            flipped = bytearray(old)
            flipped[index] ^= 1 << data.draw(st.integers(0, 7))
            new = bytes(flipped)
        value = "CAST(? AS TEXT)" if kind == "text" else "?"
        target.execute(
            f"UPDATE events SET {column} = {value} WHERE seq = ?",  # noqa: S608 - a column of ours
            (new, seq),
        )
        for statement in GUARDS:
            target.execute(statement)
        target.commit()
    source.close()
    target.close()
    report = check(copy, folder)
    copy.unlink()
    assert not report.sound


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET data = CAST(data AS BLOB) WHERE seq = 3",
        "UPDATE events SET at_ms = CAST(at_ms AS REAL) + 0.5 WHERE seq = 3",
        "DELETE FROM events WHERE seq = 4",
        "UPDATE events SET seq = 1000 WHERE seq = 4",
        APPEND_COPY,
    ],
)
def test_a_row_changed_removed_moved_or_added_is_found(
    worked: Path, folder: Path, statement: str
) -> None:
    tamper(worked, *WITHOUT_GUARDS, statement, *GUARDS)
    assert any(problem.kind == "log" for problem in check(worked, folder).problems)


def forge(database: Path, *, later_too: bool) -> None:
    """Change event 3 as one would who knows how the hashes are made."""
    with sqlite3.connect(database) as raw:
        for statement in WITHOUT_GUARDS:
            raw.execute(statement)
        raw.execute("UPDATE events SET actor = 'mallory' WHERE seq = 3")
        (previous,) = raw.execute("SELECT hash FROM events WHERE seq = 2").fetchone()
        rows = raw.execute(f"SELECT {', '.join(COVERED)} FROM events WHERE seq >= 3").fetchall()  # noqa: S608 - columns of ours
        for row in rows if later_too else rows[:1]:
            previous = link(previous, row)
            raw.execute("UPDATE events SET hash = ? WHERE seq = ?", (previous, row[0]))
        for statement in GUARDS:
            raw.execute(statement)
    raw.close()


def test_a_forged_event_with_a_hash_of_its_own_breaks_the_one_after_it(
    worked: Path, folder: Path
) -> None:
    forge(worked, later_too=False)
    places = [problem.where for problem in check(worked, folder).problems]
    assert "event 4" in places


def test_a_log_rewritten_to_its_end_is_found_by_an_anchor(
    worked: Path, folder: Path, tmp_path: Path, engine: Engine
) -> None:
    anchors = tmp_path / "anchors.jsonl"
    with engine.connect() as connection:
        write_anchor(connection, anchors, after(600))
    forge(worked, later_too=True)
    assert {problem.kind for problem in check(worked, folder, anchors).problems} >= {"anchor"}


def test_a_removed_guard_is_found(worked: Path, folder: Path) -> None:
    tamper(worked, WITHOUT_GUARDS[0])
    assert [problem.where for problem in check(worked, folder).problems] == ["events_no_update"]


def test_a_removed_tail_is_found_by_what_the_cases_add_up_to(worked: Path, folder: Path) -> None:
    tamper(
        worked,
        *WITHOUT_GUARDS,
        "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
        *GUARDS,
    )
    assert not check(worked, folder).sound


def test_a_removed_tail_without_a_trace_in_the_database_is_found_by_its_anchor(
    worked: Path, folder: Path, tmp_path: Path, engine: Engine
) -> None:
    anchors = tmp_path / "anchors.jsonl"
    with engine.connect() as connection:
        add_units(connection, "AMB-9")
        write_anchor(connection, anchors, after(600))
    assert check(worked, folder, anchors).sound
    tamper(
        worked,
        *WITHOUT_GUARDS,
        "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
        *GUARDS,
    )
    assert check(worked, folder).sound
    assert [problem.kind for problem in check(worked, folder, anchors).problems] == ["anchor"]


def test_a_half_written_anchor_is_no_problem(
    worked: Path, folder: Path, tmp_path: Path, engine: Engine
) -> None:
    anchors = tmp_path / "anchors.jsonl"
    with engine.connect() as connection:
        write_anchor(connection, anchors, after(600))
    with anchors.open("ab") as file:
        file.write(b'{"seq": 12')
    assert check(worked, folder, anchors).sound


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE cases SET state = 'closed' WHERE number = 3", "case"),
        ("UPDATE cases SET snapshot = replace(snapshot, 'siti', 'budi') WHERE number = 1", "case"),
        ("UPDATE alarms SET case_id = 'K-000002' WHERE case_id = 'K-000003'", "alarm"),
        ("UPDATE register SET number = 'AK/2026/11/0009' WHERE position = 2", "register"),
        ("DELETE FROM register WHERE position = 1", "register"),
        ("UPDATE photos SET data = replace(data, 'satu', 'dua')", "photo"),
    ],
)
def test_what_differs_from_the_log_is_found(
    worked: Path, folder: Path, statement: str, kind: str
) -> None:
    tamper(worked, statement)
    assert {problem.kind for problem in check(worked, folder).problems} == {kind}


def test_a_changed_photo_is_found(worked: Path, folder: Path) -> None:
    (folder / "satu.jpg").write_bytes(PICTURE[:-1] + b"x")
    assert [problem.kind for problem in check(worked, folder).problems] == ["photo"]


def test_a_lost_photo_is_found(worked: Path, folder: Path) -> None:
    (folder / "satu.jpg").unlink()
    assert [problem.kind for problem in check(worked, folder).problems] == ["photo"]


def test_a_damaged_file_is_reported_and_not_raised(worked: Path, folder: Path) -> None:
    tamper(worked, "PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(worked.read_bytes())
    start = content.rfind(b'"kind":"received"')
    page = start // 4096 * 4096
    content[page : page + 64] = b"\x00" * 64
    worked.write_bytes(bytes(content))
    assert not check(worked, folder).sound


def test_the_progress_ends_at_its_total(worked: Path, folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    verify(f"sqlite:///{worked}", photos=folder, progress=lambda *pair: seen.append(pair))
    assert seen[-1][0] == seen[-1][1] == len(seen)


def test_the_log_accepts_an_event_id_once(connection: Connection) -> None:
    new_case(connection)
    with pytest.raises(IntegrityError), store.writing(connection):
        connection.exec_driver_sql(
            "INSERT INTO events SELECT 99, at_ms, wall_ms, case_id, version, kind, actor, role,"
            " unit, address, device, cause, data, hash FROM events WHERE cause IS NOT NULL"
        )
