"""Group commits: what is acknowledged, when, and in which order."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.bridge import pipeline as module
from gateway.bridge.intake import record
from gateway.bridge.journal import Journal
from gateway.bridge.pipeline import Pipeline
from gateway.bridge.transaction import Transaction
from tests.gateway.bridge.parts import NOW_MS, Devices, a_device, alarm, heartbeat, signed, until


class SlowJournal(Journal):
    """Takes its time to sync, and counts."""

    commits = 0

    def commit(self, transaction: Transaction) -> None:
        time.sleep(0.02)
        super().commit(transaction)
        self.commits += 1


class Connection:
    """Notes acknowledgements, and how many commits there had been."""

    def __init__(self, journal: SlowJournal) -> None:
        self._journal = journal
        self.acknowledged: list[int] = []
        self.commits_before: list[int] = []

    def acknowledge(self, packet_ids: list[int]) -> None:
        self.acknowledged += packet_ids
        self.commits_before += [self._journal.commits] * len(packet_ids)


class Silent:
    """Observes nothing."""

    def committed(self, transaction: Transaction) -> None:
        """Ignore."""

    def counted(self, word: str, count: int) -> None:
        """Ignore."""

    def journal_took(self, seconds: float) -> None:
        """Ignore."""

    def journal_works(self, *, works: bool) -> None:
        """Ignore."""


@contextlib.asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[tuple[Pipeline, SlowJournal, Connection]]:
    journal = SlowJournal(tmp_path / "journal.db")
    pipeline = Pipeline(journal, Devices(a_device()), Silent(), lambda: NOW_MS)
    task = asyncio.create_task(pipeline.run())
    try:
        yield pipeline, journal, Connection(journal)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        journal.close()


async def test_messages_are_acknowledged_in_order_of_arrival_after_their_commit(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as (pipeline, _, connection):
        for number in range(1, 2_501):
            message = signed(heartbeat(1, number), "status")
            pipeline.bulk_arrived(connection, number, *message)
            if number % 100 == 0:
                await asyncio.sleep(0)
        await until(lambda: len(connection.acknowledged) == 2_500, "acknowledgements")
    assert connection.acknowledged == list(range(1, 2_501))
    assert min(connection.commits_before) >= 1
    assert connection.commits_before == sorted(connection.commits_before)


async def test_what_arrives_together_shares_a_commit(tmp_path: Path) -> None:
    async with running(tmp_path) as (pipeline, journal, connection):
        for number in range(1, 51):
            pipeline.bulk_arrived(connection, number, *signed(heartbeat(1, number), "status"))
        await until(lambda: len(connection.acknowledged) == 50, "acknowledgements")
    assert journal.commits == 1


async def test_an_alarm_goes_before_heartbeats_that_came_first(tmp_path: Path) -> None:
    async with running(tmp_path) as (pipeline, _, bulk):
        alarms = Connection(bulk._journal)
        for number in range(1, 1_501):
            pipeline.bulk_arrived(bulk, number, *signed(heartbeat(1, number), "status"))
        pipeline.alarm_arrived(alarms, 1, *signed(alarm(2, 0)))
        await until(lambda: len(bulk.acknowledged) == 1_500, "acknowledgements")
    assert alarms.commits_before == [1]
    assert bulk.commits_before[-1] == 2


async def test_a_message_that_meets_a_bug_of_ours_is_kept_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(transaction: Transaction, topic: str, message: bytes, *rest: object) -> str:
        if message == poison:
            transaction.add_receipt("TRK-000123", (9, 9), 1)
            raise ZeroDivisionError
        return record(transaction, topic, message, *rest)  # type: ignore[arg-type] # passed through

    topic, poison = signed(alarm(1, 1))
    monkeypatch.setattr(module, "record", buggy)
    async with running(tmp_path) as (pipeline, journal, connection):
        for number in range(3):
            pipeline.alarm_arrived(connection, number + 1, *signed(alarm(1, number)))
        await until(lambda: len(connection.acknowledged) == 3, "acknowledgements")
        assert [event.event_id for event in journal.urgent(9)] == [
            "TRK-000123:1:0",
            "TRK-000123:1:2",
        ]
        assert [(reason, kept) for _, reason, _, kept in journal.quarantine()] == [
            ("internal", poison)
        ]
        assert len(journal.downlink()) == 2
    assert topic.endswith("/alarm")
