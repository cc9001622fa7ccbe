"""Who waits for a commit is woken by it, and nobody polls the database."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from console_api import store
from console_api.executor import Database
from console_api.store.views import Change

KEPT: Final = 1_000
PAGE: Final = 200


class Wakeup:
    """A bell that any number can wait for; a ring between two waits is not missed."""

    def __init__(self) -> None:
        self._rung = 0
        self._closed = False
        self._event = asyncio.Event()

    @property
    def rung(self) -> int:
        """How often it rang: read this before looking, hand it to `wait` after."""
        return self._rung

    @property
    def closed(self) -> bool:
        """Whether there is nothing more to wait for, because the console stops."""
        return self._closed

    def ring(self) -> None:
        """Wake everybody."""
        self._rung += 1
        self._event.set()
        self._event = asyncio.Event()

    def close(self) -> None:
        """Wake everybody for the last time."""
        self._closed = True
        self.ring()

    async def wait(self, seen: int, seconds: float) -> bool:
        """Wait until it has rung since `seen`; say whether it has within these seconds."""
        event = self._event
        if self._rung == seen and not self._closed:
            try:
                async with asyncio.timeout(seconds):
                    await event.wait()
            except TimeoutError:
                return False
        return True


class Feed:
    """The latest changes, read once after each commit for all streams together.

    A stream keeps only the id of the last change that it sent. Within the last 1,000
    it goes on from memory, behind that from the database, so that no client, however
    slow, makes anything grow.
    """

    def __init__(self, database: Database, committed: Wakeup) -> None:
        self._database = database
        self._committed = committed
        self._recent: deque[Change] = deque(maxlen=KEPT)
        self._floor = 0
        self._last = 0
        self.grown = Wakeup()

    @property
    def last(self) -> int:
        """Id of the newest change."""
        return self._last

    async def start(self) -> None:
        """Take the present as the beginning."""
        self._last = self._floor = await self._database.read(store.last_change)

    async def run(self) -> None:
        """Follow the commits until the console stops."""
        while not self._committed.closed:
            rung = self._committed.rung
            await self._catch_up()
            await self._committed.wait(rung, 3600)
        self.grown.close()

    async def after(self, cursor: int) -> tuple[Sequence[Change], bool]:
        """Return the next changes behind a cursor, and whether some are no longer kept."""
        if cursor >= self._last:
            return (), False
        if cursor >= self._floor:
            skipped = next(
                (index for index, change in enumerate(self._recent) if change.id > cursor),
                len(self._recent),
            )
            recent = [self._recent[i] for i in range(skipped, len(self._recent))]
            return recent[:PAGE], False
        page = await self._database.read(store.changes, cursor, limit=PAGE)
        return page.changes, page.gap

    async def _catch_up(self) -> None:
        while True:
            page = await self._database.read(store.changes, self._last, limit=PAGE)
            for change in page.changes:
                if len(self._recent) == KEPT:
                    self._floor = self._recent[0].id
                self._recent.append(change)
                self._last = change.id
            if page.changes:
                self.grown.ring()
            if len(page.changes) < PAGE:
                return
