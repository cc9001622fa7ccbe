"""Bring a registry's database to the schema of this version."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from gateway.registry.database import Database, create_private_file, schema_version

_SCRIPTS = Path(__file__).resolve().parent / "migrations"


def migrate(url: str) -> None:
    """Create or upgrade the tables; does nothing where they are right.

    Runs in one transaction under the writer's lock: it is done or not begun, and of two processes
    one waits. Raises SchemaTooNewError, RegistryLockedError, RegistryFullError,
    RegistryUnavailableError.
    """
    database = Database(url)
    create_private_file(database)
    try:
        with database.write() as connection:
            schema_version(connection)
            config = Config()
            config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        database.close()
