"""Events to the console: two lanes, each with its own connection, retried for ever."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol

import msgspec
import structlog

from gateway.bridge.console import Console, Result
from gateway.bridge.enrich import cloud_event
from gateway.bridge.errors import ConsoleError, JournalError
from gateway.bridge.journal import Journal
from gateway.bridge.pipeline import Pipeline
from gateway.bridge.transaction import Pending, Transaction
from gateway.registry.directory import Directory
from gateway.registry.errors import RegistryError

BATCH_EVENTS: Final = 500  # docs/protocol.md §5
_BATCH_BYTES: Final = 1024 * 1024 - 1024  # 1 MiB with room for the brackets and commas
_ENCODED_AT_ONCE: Final = 20  # 0.5 ms: an alarm that comes in between does not wait for 500
_FIRST_DELAY_S: Final = 0.2
_DEFERRED_S: Final = 30.0
_FIRST_SIZE: Final = 20
_REST: Final = 3.0
_REFUSED: Final = "refused"
# The console is there and doesn't take this body: another body may be taken.
_BODY_IS_TO_BLAME: Final = frozenset({400, 409, 413, 415, 422, 500})


class LaneSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a lane sends.

    With `request_s`, batches are sized so that a request takes about that long, and the lane
    rests longer than the console has worked for it: that time belongs to the alarms.
    """

    name: str
    batch: int = BATCH_EVENTS
    interval_s: float = 0.0
    request_s: float | None = None
    longest_delay_s: float = 30.0


class Encoded(msgspec.Struct, frozen=True):
    """An event, and as the console takes it."""

    pending: Pending
    id: str
    content: bytes


class Source(Protocol):
    """Where a lane's events wait."""

    def read(self, limit: int, skip: frozenset[int]) -> list[Pending]:
        """Return the next events but these, most pressing first."""

    def postpone(self, device: str) -> None:
        """Let other heartbeats go before this device's."""


class UrgentSource:
    """Alarms, cancels, drills, then tracks."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def read(self, limit: int, skip: frozenset[int]) -> list[Pending]:
        """Return the next events but these."""
        return self._journal.urgent(limit, skip)

    def postpone(self, device: str) -> None:
        """Do nothing: there are no heartbeats here."""


class BulkSource:
    """Statuses and what the gateway concluded, then the newest heartbeats."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def read(self, limit: int, skip: frozenset[int]) -> list[Pending]:
        """Return the next events but these."""
        found = self._journal.bulk(limit, skip)
        return found + self._journal.heartbeats(limit - len(found))

    def postpone(self, device: str) -> None:
        """Let other heartbeats go before this device's."""
        self._journal.postpone_heartbeat(device)


class Lane:
    """Sends one kind of events, a batch at a time, in order, until the console has answered.

    What arrives during a request goes with the next one, so an alarm waits for at most one.
    """

    def __init__(
        self,
        settings: LaneSettings,
        source: "Source",
        console: Console,
        pipeline: Pipeline,
        encode: Callable[[Pending], Encoded],
    ) -> None:
        self._settings = settings
        self._source = source
        self._console = console
        self._pipeline = pipeline
        self._encode = encode
        self._wake = asyncio.Event()
        self._wake.set()
        self._size = settings.batch if settings.request_s is None else _FIRST_SIZE
        self._deferred: dict[int, float] = {}
        self._log = structlog.get_logger().bind(lane=settings.name)
        self.is_up: bool | None = None

    def wake(self) -> None:
        """Say that there is something to send."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        delay_s = _FIRST_DELAY_S
        while True:
            await self._wait_for_work()
            try:
                await self._send_all()
                delay_s = _FIRST_DELAY_S
            except (ConsoleError, JournalError, RegistryError) as error:
                self._note(works=False, why=str(error))
                self._wake.set()
                # Full jitter, so that gateways don't all come back in the same moment.
                await asyncio.sleep(delay_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
                delay_s = min(2 * delay_s, self._settings.longest_delay_s)

    async def _wait_for_work(self) -> None:
        try:
            async with asyncio.timeout(_DEFERRED_S if self._deferred else None):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _send_all(self) -> None:
        while batch := await self._next_batch():
            started = time.perf_counter()
            try:
                results = await self._console.post_events(
                    [event.content for event in batch], [event.id for event in batch]
                )
            except ConsoleError as error:
                self._narrow(batch, error)
                raise
            self._note(works=True)
            pause_s = self._pace(len(batch), time.perf_counter() - started)
            job = partial(_settle, batch=batch, results=results, now_ms=time.time_ns() // 10**6)
            refused = await self._pipeline.write(job)
            if refused:
                self._log.error("console refuses events for good; they are kept", ids=refused)
            if pause_s:
                await asyncio.sleep(pause_s)

    def _pace(self, sent: int, took_s: float) -> float:
        """Choose the next batch's size by how long this one took; returns how long to rest."""
        wanted_s = self._settings.request_s
        if wanted_s is None or took_s < wanted_s / 2:
            self._size = min(2 * self._size, self._settings.batch)
        elif took_s > wanted_s:
            self._size = max(1, sent // 2)
        rest_s = 0.0 if wanted_s is None else _REST * took_s
        return max(rest_s, self._settings.interval_s)

    async def _next_batch(self) -> list[Encoded]:
        now = asyncio.get_running_loop().time()
        self._deferred = {one: until for one, until in self._deferred.items() if until > now}
        batch: list[Encoded] = []
        size = 0
        for at, pending in enumerate(self._source.read(self._size, frozenset(self._deferred))):
            if at % _ENCODED_AT_ONCE == _ENCODED_AT_ONCE - 1:
                await asyncio.sleep(0)
            event = self._encode(pending)
            size += len(event.content) + 1
            if batch and size > _BATCH_BYTES:
                break
            batch.append(event)
        return batch

    def _narrow(self, batch: Sequence[Encoded], error: ConsoleError) -> None:
        """Find the event that the console stumbles over, and let the others pass it."""
        if error.status not in _BODY_IS_TO_BLAME:
            return
        if len(batch) > 1:
            self._size = len(batch) // 2
            return
        pending = batch[0].pending
        if pending.id:
            self._deferred[pending.id] = asyncio.get_running_loop().time() + _DEFERRED_S
        else:
            self._source.postpone(pending.device)
        self._log.error("console can't take an event; trying again later", id=batch[0].id)

    def _note(self, *, works: bool, why: str = "") -> None:
        if works and self.is_up is False:
            self._log.info("console takes events again")
        elif not works and self.is_up is not False:
            self._log.warning("console down; keeping every event until it is back", why=why)
        self.is_up = works


def encoder(gateway_id: str, directory: Directory) -> Callable[[Pending], Encoded]:
    """Return what turns a stored event into the console's words."""

    def encode(pending: Pending) -> Encoded:
        event = cloud_event(pending, gateway_id, directory)
        return Encoded(pending, str(event["id"]), msgspec.json.encode(event))

    return encode


def _settle(
    transaction: Transaction, batch: Sequence[Encoded], results: Sequence[Result], now_ms: int
) -> list[str]:
    """Strike off what the console has answered for; returns the ids it refused."""
    refused = []
    for event, result in zip(batch, results, strict=True):
        if result.status == _REFUSED:
            refused.append(event.id)
            transaction.refuse_event(event.pending, event.id, result.reason or "", now_ms)
        if not event.pending.id:
            _settle_heartbeat(transaction, event.pending)
    transaction.forget_events(event.pending.id for event in batch if event.pending.id)
    return refused


def _settle_heartbeat(transaction: Transaction, sent: Pending) -> None:
    """Strike a heartbeat off unless a newer one has come since."""
    state = transaction.state(sent.device)
    if state is not None and state.heartbeat == sent.payload:
        transaction.put_state(sent.device, msgspec.structs.replace(state, heartbeat=None))
