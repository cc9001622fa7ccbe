"""A migrated registry in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.registry.migrate import migrate
from gateway.registry.registry import Registry
from tests.gateway.registry.helpers import DEPLOYMENT_KEY


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/registry.db"
    migrate(url)
    return url


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    registry = Registry.open(url, DEPLOYMENT_KEY)
    yield registry
    registry.close()
