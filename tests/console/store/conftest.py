"""A real SQLite file for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from console_api.store import migrate, open_engine


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty database's bytes: migrating costs more than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "console.db"
    migrate(f"sqlite:///{path}")
    return path.read_bytes()


@pytest.fixture
def database(tmp_path: Path, migrated: bytes) -> Path:
    path = tmp_path / "console.db"
    path.write_bytes(migrated)
    return path


@pytest.fixture
def engine(database: Path) -> Iterator[Engine]:
    opened = open_engine(f"sqlite:///{database}")
    yield opened
    opened.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as opened:
        yield opened
