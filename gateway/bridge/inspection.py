"""What a technician may look at while the bridge runs: what it and the console refused."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.bridge.errors import JournalError


class Quarantined(msgspec.Struct, frozen=True):
    """A message that was refused, as it came; `message` is hexadecimal."""

    at: datetime
    reason: str
    topic: str
    message: str


class RefusedEvent(msgspec.Struct, frozen=True):
    """An event that the console refused for good."""

    at: datetime
    reason: str
    event_id: str


def quarantined(journal: Path) -> list[Quarantined]:
    """Return the messages in a journal's quarantine, oldest first. Raises JournalError."""
    with _reading(journal) as connection:
        rows = connection.execute(
            "SELECT at_ms, reason, topic, message FROM quarantine ORDER BY id"
        )
        return [
            Quarantined(_moment(at_ms), reason, topic, message.hex())
            for at_ms, reason, topic, message in rows
        ]


def refused(journal: Path) -> list[RefusedEvent]:
    """Return the events that the console refused, oldest first. Raises JournalError."""
    with _reading(journal) as connection:
        rows = connection.execute("SELECT at_ms, reason, event_id FROM refused ORDER BY id")
        return [RefusedEvent(_moment(at_ms), reason, event_id) for at_ms, reason, event_id in rows]


@contextmanager
def _reading(journal: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            yield opened
    except sqlite3.Error as error:
        raise JournalError(journal, str(error)) from error


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
