"""Arrives, verified, committed with its neighbours, acknowledged in order, answered."""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

import msgspec
import structlog

from gateway.bridge.errors import DirectoryError, JournalError
from gateway.bridge.intake import record
from gateway.bridge.journal import Journal
from gateway.bridge.transaction import Transaction
from gateway.bridge.verify import Event, Refusal, verify
from gateway.registry.directory import Directory
from gateway.registry.errors import RegistryError

T = TypeVar("T")
Job = Callable[[Transaction], T]
_LARGEST_BATCH: Final = 1_000  # messages of one commit; about 15 ms of work
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.02, 1.0
_SAY_AFTER_S: Final = 0.25  # a lock held for a moment is nobody's concern
_INTERNAL: Final = "internal"


class Acknowledger(Protocol):
    """The connection that a message came from."""

    def acknowledge(self, packet_ids: list[int]) -> None:
        """Send PUBACKs in this order, or nothing when the connection has ended."""


class Arrival(msgspec.Struct, gc=False):
    """A message as it came; packet id 0 wants no acknowledgement."""

    source: Acknowledger
    packet_id: int
    topic: str
    message: bytes
    received_ms: int
    verdict: Event | Refusal | None = None
    is_poison: bool = False


class Observer(Protocol):
    """Who is told of what has been committed."""

    def committed(self, transaction: Transaction) -> None:
        """Take note: this is on disk and acknowledged."""

    def counted(self, word: str, count: int) -> None:
        """Count messages by what they turned out to be."""

    def journal_took(self, seconds: float) -> None:
        """Count how long a commit took."""

    def journal_works(self, *, works: bool) -> None:
        """Learn whether the journal can be written."""


class Pipeline:
    """The only writer of the journal: group commits, one after another."""

    def __init__(
        self,
        journal: Journal,
        directory: Directory,
        observer: Observer,
        now_ms: Callable[[], int],
        *,
        gather_s: float = 0.004,
    ) -> None:
        self._journal = journal
        self._directory = directory
        self._observer = observer
        self._now_ms = now_ms
        self._gather_s = gather_s
        self._urgent: deque[Arrival] = deque()
        self._bulk: deque[Arrival] = deque()
        self._jobs: deque[tuple[Job[object], asyncio.Future[object]]] = deque()
        self._something = asyncio.Event()
        self._hurry = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._log = structlog.get_logger()

    def alarm_arrived(
        self, source: Acknowledger, packet_id: int, topic: str, message: bytes
    ) -> None:
        """Take a message that must not wait for others."""
        self._urgent.append(Arrival(source, packet_id, topic, message, self._now_ms()))
        self._hurry.set()
        self._something.set()

    def bulk_arrived(
        self, source: Acknowledger, packet_id: int, topic: str, message: bytes
    ) -> None:
        """Take a message that may share its commit with what comes in the next few ms."""
        self._bulk.append(Arrival(source, packet_id, topic, message, self._now_ms()))
        if not self._something.is_set():
            self._something.set()

    async def write(self, job: Job[T], *, hurry: bool = True) -> T:
        """Run `job` in the next commit; returns its result when it is on disk.

        A job may run more than once, when a commit fails. One that is in no hurry shares its
        commit with what comes in the next few ms.
        """
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._jobs.append((job, future))
        if hurry:
            self._hurry.set()
        self._something.set()
        result: T = await future  # type: ignore[assignment] # the job's own result
        return result

    async def run(self) -> None:
        """Commit until cancelled."""
        try:
            while True:
                await self._something.wait()
                await self._gather()
                await self._commit_next()
        finally:
            self._thread.shutdown()

    async def _gather(self) -> None:
        """Let more arrive, unless an alarm or a job waits."""
        if len(self._bulk) < _LARGEST_BATCH and not self._hurry.is_set():
            try:
                async with asyncio.timeout(self._gather_s):
                    await self._hurry.wait()
            except TimeoutError:
                return

    async def _commit_next(self) -> None:
        arrivals = _take(self._urgent, _LARGEST_BATCH)
        arrivals += _take(self._bulk, _LARGEST_BATCH - len(arrivals))
        jobs = [self._jobs.popleft() for _ in range(len(self._jobs))]
        if not self._urgent:
            self._hurry.clear()
            if not self._bulk:
                self._something.clear()
        transaction, counts, results = await self._until_committed(arrivals, jobs)
        self._journal.settle(transaction)
        _acknowledge(arrivals)
        for (_, future), result in zip(jobs, results, strict=True):
            if not future.done():
                future.set_result(result)
        for word, count in counts.items():
            self._observer.counted(word, count)
        self._observer.committed(transaction)

    async def _until_committed(
        self, arrivals: list[Arrival], jobs: list[tuple[Job[object], asyncio.Future[object]]]
    ) -> tuple[Transaction, dict[str, int], list[object]]:
        """Write and commit, again and again until it works: nothing goes on before."""
        delay_s, failing_since, said = _FIRST_RETRY_S, 0.0, False
        while True:
            started = time.perf_counter()
            try:
                transaction, counts, results = self._write(arrivals, jobs)
                await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._journal.commit, transaction
                )
            except (JournalError, DirectoryError) as error:
                self._roll_back()
                failing_since = failing_since or started
                if not said and time.perf_counter() - failing_since >= _SAY_AFTER_S:
                    said = True
                    self._observer.journal_works(works=False)
                    self._log.error("can't store; acknowledging nothing", why=str(error))
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, _LONGEST_RETRY_S)
            except _PoisonError as poison:
                self._roll_back()
                poison.arrival.is_poison = True
                self._log.error(
                    "our bug: a message can't be recorded; it is in the quarantine, report it",
                    topic=poison.arrival.topic,
                    why=poison.why,
                )
            else:
                self._observer.journal_took(time.perf_counter() - started)
                if said:
                    self._observer.journal_works(works=True)
                    self._log.info("stores and acknowledges again")
                return transaction, counts, results

    def _write(
        self, arrivals: Sequence[Arrival], jobs: Iterable[tuple[Job[object], object]]
    ) -> tuple[Transaction, dict[str, int], list[object]]:
        for arrival in arrivals:
            if arrival.verdict is None and not arrival.is_poison:
                arrival.verdict = self._verify(arrival)
        transaction = self._journal.begin()
        counts: dict[str, int] = {}
        with self._journal.working():
            for arrival in arrivals:
                word = _record(transaction, arrival)
                counts[word] = counts.get(word, 0) + 1
            results = [job(transaction) for job, _ in jobs]
        self._journal.prepare(transaction)
        return transaction, counts, results

    def _verify(self, arrival: Arrival) -> Event | Refusal:
        try:
            return verify(arrival.topic, arrival.message, self._directory)
        except RegistryError as error:
            raise DirectoryError(str(error)) from error
        except Exception as error:
            raise _PoisonError(arrival, repr(error)) from error

    def _roll_back(self) -> None:
        try:
            self._journal.rollback()
        except JournalError as error:
            self._log.error("journal can't roll back", why=error.why)


class _PoisonError(Exception):
    """Recording one message raised what it never should."""

    def __init__(self, arrival: Arrival, why: str) -> None:
        super().__init__(why)
        self.arrival = arrival
        self.why = why


def _record(transaction: Transaction, arrival: Arrival) -> str:
    verdict = arrival.verdict
    if arrival.is_poison or verdict is None:
        transaction.quarantine(arrival.received_ms, _INTERNAL, arrival.topic, arrival.message)
        return _INTERNAL
    try:
        return record(transaction, arrival.topic, arrival.message, verdict, arrival.received_ms)
    except sqlite3.Error:
        raise
    except Exception as error:
        # One message that meets a bug of ours must not stand before all others for ever.
        raise _PoisonError(arrival, repr(error)) from error


def _take(queue: deque[Arrival], limit: int) -> list[Arrival]:
    return [queue.popleft() for _ in range(min(limit, len(queue)))]


def _acknowledge(arrivals: list[Arrival]) -> None:
    """Acknowledge in order of arrival, each on the connection that it came from."""
    by_source: dict[int, tuple[Acknowledger, list[int]]] = {}
    for arrival in arrivals:
        if arrival.packet_id:
            source = arrival.source
            by_source.setdefault(id(source), (source, []))[1].append(arrival.packet_id)
    for source, packet_ids in by_source.values():
        source.acknowledge(packet_ids)
