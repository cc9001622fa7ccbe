"""Opening the database, migrating it, and the two kinds of transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event

from console_api.errors import NotMigratedError

_MODE = "siaga_transaction"
_BUSY_MS = 15_000


def open_engine(url: str) -> Engine:
    """Open a migrated database.

    Raises `NotMigratedError` if its schema is not the one of this version.
    """
    engine = _engine(url)
    needed = ScriptDirectory.from_config(_config()).get_current_head()
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != needed:
        engine.dispose()
        raise NotMigratedError(found, needed or "none")
    return engine


def migrate(url: str) -> None:
    """Bring the database's schema to this version's, making the database if need be."""
    engine = _engine(url)
    config = _config()
    try:
        with engine.connect() as connection, writing(connection):
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


@contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """Write in one transaction, committed at the end and rolled back by any error.

    Inside another `writing` it joins that one. On SQLite the write lock is taken at the
    start, so that what is read inside is still true at the commit.
    """
    mode = connection.get_execution_options().get(_MODE)
    if connection.in_transaction() and mode == "write":
        yield
        return
    if connection.in_transaction() and mode == "read":
        raise RuntimeError("a transaction for reading is open; write outside of reading()")
    with _transaction(connection, "write"):
        yield


@contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """Read everything inside from one state of the database; joins an open transaction."""
    if connection.in_transaction() and connection.get_execution_options().get(_MODE):
        yield
        return
    with _transaction(connection, "read"):
        yield


@contextmanager
def _transaction(connection: Connection, mode: Literal["read", "write"]) -> Iterator[None]:
    if connection.in_transaction():
        # Begun by a bare execute() outside of both kinds: nothing of it was to be kept.
        connection.rollback()
    connection.execution_options(**{_MODE: mode})
    try:
        with connection.begin():
            yield
    finally:
        connection.execution_options(**{_MODE: None})


class _Cursor(Protocol):
    def execute(self, statement: str) -> object: ...
    def close(self) -> None: ...


class _SqliteConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


def _engine(url: str) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: _SqliteConnection, record: object) -> None:
    del record
    # The driver would begin transactions by itself, too late for BEGIN IMMEDIATE.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_MODE) == "write"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
