"""Alembic's entry: runs the migrations over the connection that `migrate` hands in."""

from alembic import context
from sqlalchemy import Connection

from console_api.store.schema import metadata

connection = context.config.attributes["connection"]
if not isinstance(connection, Connection):
    raise TypeError(connection)
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
