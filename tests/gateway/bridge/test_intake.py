"""What messages leave in a real journal."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.bridge.errors import JournalError, JournalVersionError
from gateway.bridge.intake import record
from gateway.bridge.journal import Journal, QuarantineLimits
from gateway.bridge.transaction import Transaction
from gateway.bridge.verify import Event, verify
from gateway.registry.model import Key
from tests.gateway.bridge.parts import NOW_MS, Devices, a_device, alarm, heartbeat, key_of, signed

DIRECTORY = Devices(a_device(), a_device("TRK-000124"))
DEVICE = "TRK-000123"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.db")
    yield journal
    journal.close()


def commit(journal: Journal, job: Callable[[Transaction], object]) -> Transaction:
    transaction = journal.begin()
    job(transaction)
    journal.prepare(transaction)
    journal.commit(transaction)
    journal.settle(transaction)
    return transaction


def arrive(
    journal: Journal, *messages: tuple[str, bytes], now_ms: int = NOW_MS
) -> tuple[list[str], Transaction]:
    words: list[str] = []

    def job(transaction: Transaction) -> None:
        for topic, message in messages:
            verdict = verify(topic, message, DIRECTORY)
            words.append(record(transaction, topic, message, verdict, now_ms))

    return words, commit(journal, job)


def waiting(journal: Journal) -> list[str]:
    return [event.event_id for event in (*journal.urgent(100), *journal.bulk(100))]


def beats(*numbers: int, **more: object) -> Sequence[tuple[str, bytes]]:
    return [signed(heartbeat(1, number, **more), "status") for number in numbers]


def test_a_new_alarm_is_queued_for_the_console_and_owed_a_receipt(journal: Journal) -> None:
    words, transaction = arrive(journal, signed(alarm(7, 3)))
    assert words == ["new"]
    assert waiting(journal) == [f"{DEVICE}:7:3"]
    assert [one.body for one in transaction.downlinks] == [{0: 16, 9: [7, 3], 11: 1}]


def test_the_same_alarm_again_has_no_effect_but_the_same_receipt(journal: Journal) -> None:
    arrive(journal, signed(alarm()))
    words, transaction = arrive(journal, signed(alarm(_4=65_000)))
    assert words == ["duplicate"]
    assert len(waiting(journal)) == 1
    assert [one.body for one in transaction.downlinks] == [{0: 16, 9: [1, 0], 11: 1}]


def test_the_same_alarm_twice_in_one_commit_is_one_event(journal: Journal) -> None:
    words, _ = arrive(journal, signed(alarm()), signed(alarm()))
    assert words == ["new", "duplicate"]
    assert len(waiting(journal)) == 1


def test_an_alarm_that_was_forwarded_long_ago_is_still_a_duplicate(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    arrive(journal, signed(alarm()))
    commit(journal, lambda tx: tx.forget_events([1]))
    arrive(journal, *(signed(alarm(1, seq)) for seq in range(1, 60)), *beats(*range(60, 120)))
    journal.close()
    journal = Journal(tmp_path / "journal.db")
    assert arrive(journal, signed(alarm()))[0] == ["duplicate"]
    journal.close()


@pytest.mark.parametrize(
    "changes",
    [{0: 5}, {5: 1}, {6: 2}, {3: 1_790_000_001}, {3: None}, {9: [1, 9]}],
)
def test_a_second_meaning_of_one_name_is_a_conflict(
    journal: Journal, changes: dict[int, object]
) -> None:
    arrive(journal, signed(alarm()))
    words, transaction = arrive(journal, signed(alarm() | changes))
    assert words == ["conflict"]
    assert not transaction.downlinks
    (conflict,) = journal.bulk(10)
    assert conflict.event_id.startswith(f"{DEVICE}:1:0:conflict:")
    assert [reason for _, reason, _, _ in journal.quarantine()] == ["conflict"]


def test_a_conflict_that_repeats_is_raised_once(journal: Journal) -> None:
    arrive(journal, signed(alarm()))
    clone = signed(alarm(_6=2))
    for _ in range(3):
        assert arrive(journal, clone)[0] == ["conflict"]
    assert len(journal.bulk(10)) == len(journal.quarantine()) == 1


def test_an_alarm_under_a_heartbeats_name_is_a_conflict(journal: Journal) -> None:
    arrive(journal, *beats(0, 1))
    assert arrive(journal, signed(alarm(1, 0)))[0] == ["conflict"]


def test_a_heartbeat_under_an_alarms_name_is_a_conflict(journal: Journal) -> None:
    arrive(journal, signed(alarm(1, 5)))
    assert arrive(journal, *beats(5))[0] == ["conflict"]


def test_two_heartbeats_of_one_name_and_different_times_are_a_conflict(journal: Journal) -> None:
    arrive(journal, *beats(4), *beats(5))
    assert arrive(journal, *beats(4, _3=9))[0] == ["conflict"]
    assert arrive(journal, *beats(4))[0] == ["duplicate"]


def test_an_alarm_that_a_later_heartbeat_has_overtaken_is_new(journal: Journal) -> None:
    arrive(journal, *beats(5))
    assert arrive(journal, signed(alarm(1, 4)))[0] == ["new"]


def test_a_heartbeat_that_an_alarm_has_overtaken_is_new(journal: Journal) -> None:
    arrive(journal, signed(alarm(1, 5)))
    assert arrive(journal, *beats(4))[0] == ["new"]


def test_only_the_newest_heartbeat_waits_for_the_console(journal: Journal) -> None:
    arrive(journal, *beats(0, 1, 2))
    (newest,) = journal.heartbeats(10)
    event = verify(*beats(2)[0], DIRECTORY)
    assert isinstance(event, Event)
    assert newest.payload == event.payload


def test_an_old_heartbeat_played_again_is_no_sign_of_life(journal: Journal) -> None:
    arrive(journal, *beats(*range(40)), now_ms=NOW_MS)
    for number in (39, 30, 0):
        words, _ = arrive(journal, *beats(number), now_ms=NOW_MS + 1_000)
        assert words[0] in ("duplicate", "stale")
    assert journal.states[DEVICE].heard_ms == NOW_MS


def test_heartbeats_take_no_room_as_they_add_up(journal: Journal, tmp_path: Path) -> None:
    def rows() -> int:
        with sqlite3.connect(tmp_path / "journal.db") as connection:
            tables = ("device", "seen", "outbox", "downlink", "quarantine")
            return sum(
                connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - constants
                for table in tables
            )

    for start in range(0, 500, 50):
        arrive(journal, *beats(*range(start, start + 50)))
    assert rows() == 1
    assert len(journal.states[DEVICE].recent) <= 16 * 24


def test_a_refused_message_is_kept_with_its_reason(journal: Journal) -> None:
    topic, message = signed(alarm())
    assert arrive(journal, (topic, message[:-1]))[0] == ["malformed"]
    assert journal.quarantine() == [(NOW_MS, "malformed", topic, message[:-1])]


def test_the_quarantine_keeps_to_its_rows_oldest_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", QuarantineLimits(rows=5))
    for number in range(12):
        arrive(journal, ("t", b"%d" % number))
    assert [message for *_, message in journal.quarantine()] == [b"7", b"8", b"9", b"10", b"11"]
    journal.close()


def test_the_quarantine_keeps_to_its_bytes_also_after_a_restart(tmp_path: Path) -> None:
    for number in range(6):
        journal = Journal(tmp_path / "journal.db", QuarantineLimits(size_bytes=1_000))
        arrive(journal, ("t", b"%d" % number * 300))
        journal.close()
    journal = Journal(tmp_path / "journal.db")
    assert [message[:1] for *_, message in journal.quarantine()] == [b"3", b"4", b"5"]
    journal.close()


def test_what_was_rolled_back_was_never_there(journal: Journal) -> None:
    transaction = journal.begin()
    for topic, message in (signed(alarm()), *beats(1), ("t", b"junk")):
        record(transaction, topic, message, verify(topic, message, DIRECTORY), NOW_MS)
    journal.prepare(transaction)
    journal.rollback()
    assert waiting(journal) == []
    assert journal.states == {}
    assert arrive(journal, signed(alarm()), *beats(1))[0] == ["new", "new"]
    assert journal.quarantine() == []


def test_everything_is_there_again_after_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    arrive(journal, signed(alarm()), *beats(1), signed(alarm(), device="TRK-000124"))
    commit(journal, lambda tx: tx.set_notice_cursor("c7"))
    commit(journal, lambda tx: tx.add_command(DEVICE, 1, {}, 5))
    before = journal.states, waiting(journal), journal.heartbeats(9), journal.downlink()
    journal.close()
    journal = Journal(tmp_path / "journal.db")
    after = journal.states, waiting(journal), journal.heartbeats(9), journal.downlink()
    assert after == before
    assert len(journal.downlink()) == 3
    assert journal.notice_cursor() == "c7"
    journal.close()


def test_a_commands_counter_rises_for_each_device_also_after_a_restart(tmp_path: Path) -> None:
    counters: list[int] = []
    for _ in range(2):
        journal = Journal(tmp_path / "journal.db")
        for device in (DEVICE, DEVICE, "TRK-000124"):
            job = partial(_command, device=device, counters=counters)
            commit(journal, job)
        journal.close()
    assert counters == [1, 2, 1, 3, 4, 2]


def _command(transaction: Transaction, device: str, counters: list[int]) -> None:
    counters.append(transaction.add_command(device, 1, {}, 5))


def test_the_newest_generation_that_a_device_used_is_remembered(journal: Journal) -> None:
    keys = {one: Key(one, key_of(DEVICE, one), retired=False) for one in (1, 2)}
    rotated = Devices(a_device(keys=keys))
    for generation, seq in ((1, 0), (2, 1), (1, 2)):
        topic, message = signed(alarm(1, seq), generation=generation)
        verdict = verify(topic, message, rotated)
        commit(journal, partial(record, topic=topic, message=message, verdict=verdict, now_ms=0))
    assert journal.states[DEVICE].generation == 2


def test_alarms_go_before_tracks_and_both_before_the_rest(journal: Journal) -> None:
    track: dict[int, object] = {
        0: 2,
        1: 1,
        2: 8,
        3: None,
        4: 0,
        7: {0: 1, 1: 2, 2: 1, 3: 0},
        9: [1, 9],
    }
    boot = signed(heartbeat(1, 7, _16=2), "status")
    arrive(journal, boot, signed(track, "track"), signed(alarm(1, 9)))
    assert waiting(journal) == [f"{DEVICE}:1:9", f"{DEVICE}:1:8", f"{DEVICE}:1:7"]


def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalVersionError):
        Journal(tmp_path / "journal.db")


def test_a_journal_that_another_process_writes_says_so_at_once(
    journal: Journal, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="locked"):
        journal.begin()
    other.execute("ROLLBACK")
    other.close()
    assert arrive(journal, signed(alarm()))[0] == ["new"]


def test_the_journal_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    Journal(tmp_path / "journal.db").close()
    assert (tmp_path / "journal.db").stat().st_mode & 0o077 == 0


_MESSAGES = st.lists(
    st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 20), st.integers(0, 1)),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(_MESSAGES, st.integers(1, 7))
def test_however_messages_repeat_each_alarm_is_queued_exactly_once(
    tmp_path_factory: pytest.TempPathFactory,
    sent: list[tuple[bool, int, int, int]],
    size: int,
) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal") / "journal.db")
    meanings: dict[tuple[int, int], set[tuple[bool, int]]] = {}
    messages = []
    for is_alarm, boot, seq, variant in sent:
        meanings.setdefault((boot, seq), set()).add((is_alarm, variant))
        make, lane = (alarm, "alarm") if is_alarm else (heartbeat, "status")
        messages.append(signed(make(boot, seq, _3=variant), lane))
    for start in range(0, len(messages), size):
        arrive(journal, *messages[start : start + size])
    alarms = [one.event_id for one in journal.urgent(1_000)]
    assert len(alarms) == len(set(alarms))
    surely = {name for name, found in meanings.items() if len(found) == 1 and next(iter(found))[0]}
    assert {f"{DEVICE}:{boot}:{seq}" for boot, seq in surely} <= set(alarms)
    journal.close()
