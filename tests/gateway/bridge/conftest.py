"""Fixtures of the bridge's tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.gateway.bridge.parts import Broker, FakeConsole, running_broker, running_console
from tests.gateway.bridge.site import Site


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
async def console() -> AsyncIterator[FakeConsole]:
    async with running_console(FakeConsole()) as console:
        yield console


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.add("TRK-000001")
    site.add("TRK-000002")
    yield site
    site.registry.close()
