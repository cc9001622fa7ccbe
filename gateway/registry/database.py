"""The registry's database: how it is opened, locked, migrated, and what its errors mean."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    String,
    column,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    table,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.registry.errors import (
    RegistryError,
    RegistryFullError,
    RegistryLockedError,
    RegistryUnavailableError,
    SchemaTooNewError,
    SchemaTooOldError,
)
from gateway.registry.schema import VERSION_TABLE, VERSIONS

BUSY_TIMEOUT_S = 5.0
_PRIMARY_CODE = 0xFF  # an extended result code carries the primary one in its low byte


class Database:
    """An engine whose transactions raise this package's errors."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            self.where = _where(parsed)
            self._engine = create_engine(parsed)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise RegistryUnavailableError("this database URL", _first_line(error)) from None
        if self._engine.dialect.name == "sqlite":
            self.file = Path(parsed.database) if parsed.database else None
            _prepare_sqlite(self._engine)
        else:
            self.file = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database."""
        with _translated(self.where), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection that holds the writer's lock and commits at the end."""
        with (
            _translated(self.where),
            self._engine.connect().execution_options(siaga_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def schema_version(connection: Connection) -> str | None:
    """Return the version that the tables have, None without any; raises SchemaTooNewError."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    versions = table(VERSION_TABLE, column("version_num", String))
    found = connection.scalar(select(versions.c.version_num))
    if found is not None and found not in VERSIONS:
        raise SchemaTooNewError(found, VERSIONS[-1])
    return found


def check_schema(connection: Connection) -> None:
    """Raise SchemaTooOldError or SchemaTooNewError unless the database fits this version."""
    found = schema_version(connection)
    if found != VERSIONS[-1]:
        raise SchemaTooOldError(found, VERSIONS[-1])


def create_private_file(database: Database) -> None:
    """Create a missing SQLite file readable by its owner only; WAL and shm inherit its mode."""
    if database.file is None or database.file.exists():
        return
    try:
        os.close(os.open(database.file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise RegistryUnavailableError(database.where, str(error.strerror)) from None


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # sqlite3 opens transactions behind one's back; here BEGIN is ours.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
        cursor.execute("PRAGMA journal_mode=WAL")
        # Credentials are printed once: a committed device must survive a power cut.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns into a writer fails at once when another has written.
        writes = connection.get_execution_options().get("siaga_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated(where: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _named(error, where) from error


def _named(error: DBAPIError, where: str) -> RegistryError:
    code = getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY_CODE
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RegistryLockedError(where)
    if code == sqlite3.SQLITE_FULL:
        return RegistryFullError(where)
    return RegistryUnavailableError(where, _first_line(error.orig or error))


def _where(url: URL) -> str:
    return (
        url.database or "memory" if url.drivername.startswith("sqlite") else url.render_as_string()
    )


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
