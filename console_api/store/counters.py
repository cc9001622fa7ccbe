"""Named counters that live and fall back with the transaction that moves them."""

from sqlalchemy import Connection, insert, select, update

from console_api.store.schema import counters


def read_counter(connection: Connection, name: str) -> int:
    """Return a counter's value; one that was never set is 0."""
    found = connection.execute(select(counters.c.value).where(counters.c.name == name))
    return found.scalar_one_or_none() or 0


def set_counter(connection: Connection, name: str, value: int) -> None:
    """Set a counter."""
    changed = connection.execute(
        update(counters).where(counters.c.name == name).values(value=value)
    )
    if changed.rowcount == 0:
        connection.execute(insert(counters).values(name=name, value=value))
