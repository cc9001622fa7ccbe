"""The open cases as one person sees them, kept up to date by the stream."""

import asyncio
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import count
from random import Random
from types import MappingProxyType
from typing import Final

import httpx
import msgspec

from simulators.console import AGAIN, Console, backoff
from simulators.errors import ConsoleRefusedError
from simulators.sse import Message
from simulators.wire import Case, Gone

ENDED_KEPT: Final = 100
PASSING: Final = AGAIN | {HTTPStatus.UNAUTHORIZED}


class CaseBook:
    """Cases by id. `news` is set at every change; who waits for it clears it."""

    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._cases: dict[str, Case] = {}
        self._ended: dict[str, None] = {}

    @property
    def cases(self) -> Mapping[str, Case]:
        """All open cases, and the latest that ended."""
        return MappingProxyType(self._cases)

    def put(self, case: Case) -> None:
        """Take a case in, unless a newer version of it is known."""
        known = self._cases.get(case.id)
        if known is None or known.version <= case.version:
            self._cases[case.id] = case
            if case.ended:
                self._forget_oldest(case.id)
            self.news.set()

    def _forget_oldest(self, ended: str) -> None:
        self._ended[ended] = None
        if len(self._ended) > ENDED_KEPT:
            oldest = next(iter(self._ended))
            del self._ended[oldest]
            known = self._cases.get(oldest)
            if known is not None and known.ended:
                del self._cases[oldest]

    def drop(self, case: str) -> None:
        """Forget a case that one may no longer see."""
        self._cases.pop(case, None)
        self.news.set()

    def replace(self, cases: Iterable[Case]) -> None:
        """Take a whole list in; what is not in it is over."""
        listed = list(cases)
        for gone in self._cases.keys() - {case.id for case in listed}:
            del self._cases[gone]
        for case in listed:
            self.put(case)
        self.news.set()


async def follow(console: Console, book: CaseBook, chance: Random) -> None:
    """Keep the book up to date for ever, over restarts of the console.

    The list is read after the stream is open: what happens in between comes by the stream.
    Raises ConsoleRefusedError if this user may not listen.
    """
    for attempt in count():
        try:
            async with console.stream() as messages:
                book.replace(await console.cases())
                async for message in messages:
                    await _take(message, console, book)
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            if status not in PASSING:
                raise ConsoleRefusedError("GET", "/v1/stream", status, "no stream") from error
        except httpx.TransportError:
            pass
        await asyncio.sleep(backoff(min(attempt, 4), chance))


async def _take(message: Message, console: Console, book: CaseBook) -> None:
    if message.event == "case":
        book.put(msgspec.json.decode(message.data, type=Case))
    elif message.event == "gone":
        book.drop(msgspec.json.decode(message.data, type=Gone).id)
    elif message.event == "gap":
        book.replace(await console.cases())
