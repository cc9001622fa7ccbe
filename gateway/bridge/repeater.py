"""Repeats all receipts after a broker has come back without its memory."""

import asyncio
from functools import partial

from gateway.bridge.ladder import repeat_all
from gateway.bridge.pipeline import Pipeline


class Repeater:
    """Waits for the broker to forget, and has everything said again."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._forgotten = asyncio.Event()
        self._now_ms = 0

    def forgotten(self, now_ms: int) -> None:
        """Learn that the broker did not know the gateway's session any more."""
        self._now_ms = now_ms
        self._forgotten.set()

    async def run(self) -> None:
        """Repeat until cancelled."""
        while True:
            await self._forgotten.wait()
            self._forgotten.clear()
            await self._pipeline.write(partial(repeat_all, now_ms=self._now_ms))
