"""The one thin place where synchronous database work meets the event loop.

SQLite has one writer at a time, so there is one writer thread: writes queue here in
order instead of fighting for a lock there. Readers see the last commit and never wait.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection, Engine

from console_api.store.engine import reading, writing

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """Runs functions over a connection in threads: writes one by one, reads a few at a time."""

    def __init__(self, engine: Engine, readers: int = 3) -> None:
        self._engine = engine
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="console-writer")
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="console-reader")
        self._on_commit: list[Callable[[], None]] = []

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Have `callback` run on the event loop after every commit; it must not block."""
        self._on_commit.append(callback)

    async def write(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `function` in a transaction of its own and return once it is durable."""
        loop = asyncio.get_running_loop()

        def work() -> T:
            result = self._in_transaction(function, *args, **kwargs)
            # Told from here, not after the await: a request that was given up on has
            # still changed what the others wait for.
            loop.call_soon_threadsafe(self._committed)
            return result

        return await loop.run_in_executor(self._writer, work)

    async def write_quietly(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Write what nobody waits for: `on_commit` is not told."""

        def work() -> T:
            return self._in_transaction(function, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    async def read(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `function` over a connection that only reads."""

        def work() -> T:
            with self._engine.connect() as connection, reading(connection):
                return function(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    def close(self) -> None:
        """Finish what is queued and let go of the database."""
        self._writer.shutdown()
        self._readers.shutdown()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _in_transaction(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with self._engine.connect() as connection, writing(connection):
            return function(connection, *args, **kwargs)

    def _committed(self) -> None:
        for callback in self._on_commit:
            callback()
