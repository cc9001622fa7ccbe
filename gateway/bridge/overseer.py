"""Turns silence into `lost` events: the edge around `supervision`."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog

from gateway.bridge.enrich import lost_data
from gateway.bridge.journal import Journal
from gateway.bridge.pipeline import Pipeline
from gateway.bridge.state import DeviceState
from gateway.bridge.supervision import Loss, Watch, after_loss
from gateway.bridge.transaction import BULK_LANE, Pending, Transaction
from gateway.registry.directory import Directory
from gateway.registry.errors import RegistryError

_LOOK_EVERY_S: Final = 1.0
_AT_ONCE: Final = 500  # devices judged without letting anything else run


class Overseer:
    """Looks once a second, while the gateway listens, at the devices that are due."""

    def __init__(
        self,
        journal: Journal,
        pipeline: Pipeline,
        directory: Directory,
        is_listening: Callable[[], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._journal = journal
        self._pipeline = pipeline
        self._directory = directory
        self._is_listening = is_listening
        self._now_ms = now_ms
        self._watch = Watch(now_ms())
        self._log = structlog.get_logger()
        for device in journal.states:
            self._watch.expect(device, now_ms())

    def listening(self) -> None:
        """Count silence from now on: nothing could be heard before."""
        self._watch.listening_since_ms = self._now_ms()

    def heard(self, states: dict[str, DeviceState]) -> None:
        """Learn what has just been committed."""
        now_ms = self._now_ms()
        for device, state in states.items():
            if state.will_ms is not None or not self._watch.is_watching(device):
                self._watch.expect(device, now_ms)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            while self._is_listening() and (due := self._watch.due(self._now_ms(), _AT_ONCE)):
                await self._report(self._judge(due))

    def _judge(self, due: Sequence[str]) -> list[Loss]:
        losses = []
        now_ms = self._now_ms()
        for device in due:
            state = self._journal.states.get(device)
            if state is None:
                continue
            try:
                verdict = self._watch.judge(device, state, self._directory, now_ms)
            except RegistryError:
                # The refresh of the directory says so in the log; here it is only too early.
                verdict = now_ms + 1000
            if isinstance(verdict, Loss):
                losses.append(verdict)
            elif verdict is not None:
                # Later than due, or a clock set back would keep this loop busy.
                self._watch.expect(device, max(verdict, now_ms + 1))
        return losses

    async def _report(self, losses: list[Loss]) -> None:
        if losses:
            job = partial(record_losses, losses=losses, now_ms=self._now_ms())
            for device in await self._pipeline.write(job, hurry=False):
                self._log.warning("device lost", device=device)


def record_losses(transaction: Transaction, losses: Sequence[Loss], now_ms: int) -> list[str]:
    """Store the losses of devices that have not spoken since; returns those devices."""
    lost = []
    for loss in losses:
        state = transaction.state(loss.device)
        if state is None or state.lost_ms is not None or state.heard_ms != loss.last_seen_ms:
            continue
        state = after_loss(state, now_ms)
        transaction.put_state(loss.device, state)
        transaction.add_event(
            Pending(
                id=0,
                lane=BULK_LANE,
                event_id=f"{loss.device}:lost:{state.losses}",
                type="lost",
                device=loss.device,
                received_ms=now_ms,
                payload=lost_data(loss.cause, loss.last_seen_ms),
            )
        )
        lost.append(loss.device)
    return lost
