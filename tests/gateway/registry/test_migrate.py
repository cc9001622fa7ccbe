"""Migrations, and the schema they lead to."""

import threading
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateTable

from gateway.registry import migrate as module
from gateway.registry.migrate import migrate
from gateway.registry.registry import Registry
from gateway.registry.schema import METADATA, VERSION_TABLE, VERSIONS
from tests.gateway.registry.helpers import DEPLOYMENT_KEY


def test_the_versions_are_those_of_the_migrations() -> None:
    scripts = ScriptDirectory(str(Path(module.__file__).parent / "migrations"))
    found = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(found)) == VERSIONS


def test_the_migrations_lead_to_the_schema_we_use(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_migrating_again_keeps_everything(url: str) -> None:
    devices = Registry.open(url, DEPLOYMENT_KEY)
    devices.add("TRK-000001", by="test")
    devices.close()
    migrate(url)
    devices = Registry.open(url, DEPLOYMENT_KEY)
    assert devices.device("TRK-000001") is not None
    devices.close()


def test_two_processes_may_migrate_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    failures: list[BaseException] = []

    def run() -> None:
        try:
            migrate(url)
        except BaseException as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    Registry.open(url, DEPLOYMENT_KEY).close()


def test_the_schema_can_be_written_for_postgresql() -> None:
    dialect = registry.load("postgresql")()
    texts = [str(CreateTable(table).compile(dialect=dialect)) for table in METADATA.sorted_tables]
    assert any("sealed BYTEA NOT NULL" in text for text in texts)
