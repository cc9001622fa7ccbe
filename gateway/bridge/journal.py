"""What must survive: a SQLite database that is on disk before anything is acknowledged.

Synchronous. One transaction at a time: `begin`, its work, `commit` (which syncs to disk and may
run in another thread), then `settle` or `rollback` where the transaction was begun.
"""

import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import cbor2
import msgspec

from gateway.bridge.errors import JournalError, JournalVersionError
from gateway.bridge.schema import MIGRATIONS
from gateway.bridge.state import DeviceState
from gateway.bridge.transaction import Downlink, Pending, Transaction

_CURSOR: Final = "notice_cursor"
_LOG_PAGES: Final = 1_000  # 4 MB; SQLite's own default
_LONGEST_LOG_PAGES: Final = 16_000  # 64 MB, if the copying beside the writer can't keep up


class QuarantineLimits(msgspec.Struct, frozen=True):
    """How much refused input is kept."""

    rows: int = 10_000
    size_bytes: int = 4 * 1024 * 1024


class Journal:
    """The bridge's durable memory. All devices' states are held in memory as well."""

    def __init__(self, path: Path, limits: QuarantineLimits | None = None) -> None:
        self.path = path
        self._limits = limits or QuarantineLimits()
        self.states: dict[str, DeviceState] = {}
        self._rungs_ms: dict[str, int] = {}
        self.unsent_heartbeats: dict[str, None] = {}
        self._quarantined: deque[tuple[int, int]] = deque()
        self._quarantined_bytes = 0
        self._wal_nearly_copied = False
        with self._named_errors():
            _create_private(path)
            self._connection = self._connect()
            self._reader = self._connect()
            self._checkpointer = self._connect()
            self._migrate()
            self._load()

    def begin(self) -> Transaction:
        """Start to write; raises JournalError at once when another process writes."""
        with self._named_errors():
            self._connection.execute("BEGIN IMMEDIATE")
        return Transaction(self._connection, self.states, self._rungs_ms)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Turn what SQLite raises inside into JournalError."""
        with self._named_errors():
            yield

    def commit(self, transaction: Transaction) -> None:
        """Put everything of this transaction on disk; may be called from another thread."""
        del transaction
        with self._named_errors():
            self._connection.execute("COMMIT")
            if self._wal_nearly_copied:
                # Only now, with the few frames left, can the log start over.
                self._wal_nearly_copied = False
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def checkpoint(self) -> None:
        """Copy the log into the database beside the writer; for a thread of its own.

        Left to the commit that reaches the limit, the copy and its syncs would delay an alarm.
        """
        with self._named_errors():
            row = self._checkpointer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self._wal_nearly_copied = row[1] >= _LOG_PAGES

    def settle(self, transaction: Transaction) -> None:
        """Take over in memory what the committed transaction changed."""
        for device, state in transaction.staged.items():
            self.states[device] = state
            if state.heartbeat is None:
                self.unsent_heartbeats.pop(device, None)
            else:
                self.unsent_heartbeats[device] = None
        self._rungs_ms.update(transaction.raised_ms)
        self._quarantined.extend(transaction.quarantined)
        self._quarantined_bytes += sum(size for _, size in transaction.quarantined)
        for _ in range(transaction.evicted):
            self._quarantined_bytes -= self._quarantined.popleft()[1]

    def prepare(self, transaction: Transaction) -> None:
        """Write what the transaction holds in memory; last step before `commit`."""
        with self._named_errors():
            transaction.write_states()
            transaction.evicted = self._surplus(transaction)
            if transaction.evicted:
                everything = [*self._quarantined, *transaction.quarantined]
                transaction.forget_quarantine(everything[transaction.evicted - 1][0])

    def rollback(self) -> None:
        """Forget the open transaction, if there still is one."""
        with self._named_errors():
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the database; what is committed stays."""
        for connection in (self._checkpointer, self._reader, self._connection):
            connection.close()

    def urgent(self, limit: int, skip: frozenset[int] = frozenset()) -> list[Pending]:
        """Return alarms, drills and cancels, then tracks, oldest first."""
        return self._pending("lane < 2", limit, skip)

    def bulk(self, limit: int, skip: frozenset[int] = frozenset()) -> list[Pending]:
        """Return everything else that waits for the console, oldest first."""
        return self._pending("lane = 2", limit, skip)

    def postpone_heartbeat(self, device: str) -> None:
        """Put a device's heartbeat behind all others."""
        if device in self.unsent_heartbeats:
            del self.unsent_heartbeats[device]
            self.unsent_heartbeats[device] = None

    def heartbeats(self, limit: int) -> list[Pending]:
        """Return the newest heartbeats that the console has not got, longest waiting first."""
        found: list[Pending] = []
        if limit == 0:
            return found
        for device in self.unsent_heartbeats:
            state = self.states[device]
            if state.heartbeat is not None:
                found.append(
                    Pending(0, 2, "", "status", device, state.heartbeat_ms, state.heartbeat)
                )
            if len(found) == limit:
                break
        return found

    def backlog(self) -> tuple[int, int, int]:
        """Count what waits for the console: urgent, bulk, heartbeats."""
        with self._named_errors():
            row = self._reader.execute(
                "SELECT (SELECT count(*) FROM outbox WHERE lane < 2),"
                " (SELECT count(*) FROM outbox WHERE lane = 2)"
            ).fetchone()
        return row[0], row[1], len(self.unsent_heartbeats)

    def downlink(self) -> list[Downlink]:
        """Return every receipt and command still owed, oldest first."""
        with self._named_errors():
            rows = self._reader.execute(
                "SELECT id, device, body FROM downlink ORDER BY id"
            ).fetchall()
        return [Downlink(one, device, cbor2.loads(body)) for one, device, body in rows]

    def notice_cursor(self) -> str | None:
        """Return where the console's notices were read up to."""
        with self._named_errors():
            row = self._reader.execute("SELECT value FROM meta WHERE key = ?", (_CURSOR,))
            found = row.fetchone()
        return found[0] if found else None

    def quarantine(self) -> list[tuple[int, str, str, bytes]]:
        """Return time (Unix ms), reason, topic and bytes of what was refused, oldest first."""
        with self._named_errors():
            return self._reader.execute(
                "SELECT at_ms, reason, topic, message FROM quarantine ORDER BY id"
            ).fetchall()

    def refused(self) -> list[tuple[int, str, str]]:
        """Return time, reason and event id of what the console refused for good."""
        with self._named_errors():
            return self._reader.execute(
                "SELECT at_ms, reason, event_id FROM refused ORDER BY id"
            ).fetchall()

    def _pending(self, where: str, limit: int, skip: frozenset[int]) -> list[Pending]:
        with self._named_errors():
            rows = self._reader.execute(
                # `where` is one of two constants above.
                "SELECT id, lane, event_id, type, device, received_ms, payload FROM outbox"  # noqa: S608
                f" WHERE {where} ORDER BY lane, id LIMIT ?",
                (limit + len(skip),),
            ).fetchall()
        return [Pending(*row) for row in rows if row[0] not in skip][:limit]

    def _surplus(self, transaction: Transaction) -> int:
        """Count the oldest quarantined messages that no longer fit."""
        if not transaction.quarantined:
            return 0
        sizes = [size for _, size in (*self._quarantined, *transaction.quarantined)]
        rows, size, surplus = len(sizes), sum(sizes), 0
        while rows > self._limits.rows or size > self._limits.size_bytes:
            size -= sizes[surplus]
            surplus += 1
            rows -= 1
        return surplus

    def _connect(self) -> sqlite3.Connection:
        # No waiting for locks: the event loop would wait with it. The committer retries.
        connection = sqlite3.connect(
            self.path, timeout=0, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LONGEST_LOG_PAGES}")
        return connection

    def _migrate(self) -> None:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found > len(MIGRATIONS):
            raise JournalVersionError(self.path, found, len(MIGRATIONS))
        for version in range(found, len(MIGRATIONS)):
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {MIGRATIONS[version]} PRAGMA user_version = {version + 1};"
                " COMMIT;"
            )

    def _load(self) -> None:
        rows = self._connection.execute(
            "SELECT id, generation, top_boot, top_seq, recent, heard_ms, will_ms, lost_ms,"
            " losses, heartbeat, heartbeat_ms FROM device"
        )
        self.states.update((row[0], DeviceState(*row[1:])) for row in rows)
        rungs = self._connection.execute("SELECT device, max(at_ms) FROM rung GROUP BY device")
        self._rungs_ms.update(rungs.fetchall())
        waiting = sorted(
            (state.heartbeat_ms, device)
            for device, state in self.states.items()
            if state.heartbeat is not None
        )
        self.unsent_heartbeats.update((device, None) for _, device in waiting)
        self._quarantined.extend(
            self._connection.execute("SELECT id, length(message) FROM quarantine ORDER BY id")
        )
        self._quarantined_bytes = sum(size for _, size in self._quarantined)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise JournalError(self.path, str(error)) from error


def _create_private(path: Path) -> None:
    """Make the file readable by its owner only; WAL and shm inherit its mode."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
