"""The feed gives every change once and in order, from memory and from the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import Connection

from console_api import store
from console_api.executor import Database
from console_api.feed import Feed, Wakeup
from console_api.store.engine import open_engine
from tests.console.http.helpers import Site, alarm

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@asynccontextmanager
async def fed(site: Site) -> AsyncIterator[tuple[Database, Feed]]:
    committed = Wakeup()
    with Database(open_engine(site.settings.database)) as database:
        database.on_commit(committed.ring)
        feed = Feed(database, committed)
        await feed.start()
        running = asyncio.create_task(feed.run())
        yield database, feed
        committed.close()
        await running


async def press(database: Database, number: int) -> None:
    event = msgspec.json.encode(alarm(f"TRK-{number:06}", lat=1 + number / 10))
    await database.write(store.ingest, [event], NOW)


async def heard_from(feed: Feed, cursor: int) -> list[int]:
    heard: list[int] = []
    while True:
        changes, gap = await feed.after(heard[-1] if heard else cursor)
        assert not gap
        if not changes:
            return heard
        heard += [change.id for change in changes]


async def test_every_cursor_goes_on_without_gap_or_repetition(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console_api.feed.KEPT", 7)
    monkeypatch.setattr("console_api.feed.PAGE", 4)
    async with fed(site) as (database, feed):
        begin = feed.last
        for number in range(10):
            await press(database, number)
        last = await database.read(store.last_change)
        while feed.last < last:
            await feed.grown.wait(feed.grown.rung, 0.05)
        everything = await heard_from(feed, begin)
        assert everything == list(range(begin + 1, last + 1))
        for cursor in range(begin, last + 1):
            assert await heard_from(feed, cursor) == list(range(cursor + 1, last + 1))


async def test_a_ring_between_looking_and_waiting_is_not_missed() -> None:
    bell = Wakeup()
    seen = bell.rung
    bell.ring()
    assert await bell.wait(seen, 0)


async def test_waiting_in_vain_ends_in_time() -> None:
    bell = Wakeup()
    assert not await bell.wait(bell.rung, 0.01)


async def test_a_closed_bell_keeps_nobody_waiting() -> None:
    bell = Wakeup()
    bell.close()
    assert await bell.wait(bell.rung, 60)


async def test_a_write_that_was_given_up_on_still_wakes_those_who_wait(site: Site) -> None:
    async with fed(site) as (database, feed):
        rung, before = feed.grown.rung, feed.last
        giving_up = asyncio.create_task(press(database, 1))
        await asyncio.sleep(0)
        giving_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await giving_up
        assert await feed.grown.wait(rung, 20)
        assert feed.last > before


async def test_a_write_that_fails_leaves_nothing_and_the_next_one_works(site: Site) -> None:
    async with fed(site) as (database, feed):
        before = feed.last

        def failing(connection: Connection) -> None:
            store.ingest(connection, [msgspec.json.encode(alarm())], NOW)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await database.write(failing)
        assert await database.read(store.last_change) == before
        await press(database, 2)
        assert await database.read(store.last_change) > before
