"""What Alembic executes: run the migrations over the connection that it was handed."""

from alembic import context

from gateway.registry.schema import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
