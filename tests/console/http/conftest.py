"""A console for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.http.helpers import Api, Clock, Site, running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A prepared folder to copy: migrations and accounts take their time."""
    made = Site(tmp_path_factory.mktemp("template"))
    made.prepare(Clock().moment)
    return made


@pytest.fixture
def site(tmp_path: Path, template: Site) -> Site:
    return template.copy_to(tmp_path / "site")


@pytest.fixture
def api(site: Site, clock: Clock) -> Iterator[Api]:
    with running(site, clock) as client:
        yield client


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, template: Site) -> Iterator[Api]:
    """One console for many requests that need not know of each other."""
    with running(template.copy_to(tmp_path_factory.mktemp("shared") / "site"), Clock()) as client:
        yield client
