"""One transaction of the journal: what may be written, and what it leaves to do after."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

import cbor2
import msgspec

from gateway.bridge.state import DeviceState, Essence
from gateway.bridge.wire import Field, Stage, Type

_SAVE_STATE: Final = """
INSERT INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    generation = excluded.generation, top_boot = excluded.top_boot, top_seq = excluded.top_seq,
    recent = excluded.recent, heard_ms = excluded.heard_ms, will_ms = excluded.will_ms,
    lost_ms = excluded.lost_ms, losses = excluded.losses, heartbeat = excluded.heartbeat,
    heartbeat_ms = excluded.heartbeat_ms
"""
URGENT_LANE: Final = 1  # and below
BULK_LANE: Final = 2
REFUSED_ROWS: Final = 10_000


class Pending(msgspec.Struct, frozen=True):
    """An event that waits for the console; a heartbeat has id 0 and lives in its device's state.

    `payload` is the body as the device sent it, or JSON data for what the gateway concluded.
    """

    id: int
    lane: int
    event_id: str
    type: str
    device: str
    received_ms: int
    payload: bytes


class Downlink(msgspec.Struct, frozen=True):
    """A receipt or command that the broker has not acknowledged; `body` has no time yet."""

    id: int
    device: str
    body: dict[int, object]


class Transaction:
    """Writes of one group commit. Lives between `Journal.begin` and `commit`."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        states: Mapping[str, DeviceState],
        rungs_ms: Mapping[str, int],
    ) -> None:
        self._connection = connection
        self._states = states
        self._rungs_ms = rungs_ms
        self.staged: dict[str, DeviceState] = {}
        self.raised_ms: dict[str, int] = {}
        self.quarantined: list[tuple[int, int]] = []
        self.evicted = 0
        self.downlinks: list[Downlink] = []
        self.touched_urgent = False
        self.touched_bulk = False

    def state(self, device: str) -> DeviceState | None:
        """Return the device's memory as this transaction leaves it so far."""
        return self.staged.get(device) or self._states.get(device)

    def put_state(self, device: str, state: DeviceState) -> None:
        """Remember a device; written once per transaction however often it changes."""
        self.staged[device] = state
        if state.heartbeat is not None:
            self.touched_bulk = True

    def write_states(self) -> None:
        """Write all changed states."""
        self._connection.executemany(
            _SAVE_STATE,
            [(device, *msgspec.structs.astuple(state)) for device, state in self.staged.items()],
        )

    def first(self, device: str, boot: int, seq: int) -> Essence | None:
        """Return what has been seen under this identity."""
        row = self._connection.execute(
            "SELECT essence, occurred_ms FROM seen WHERE device = ? AND boot = ? AND seq = ?",
            (device, boot, seq),
        ).fetchone()
        return Essence.unpacked(*row) if row else None

    def remember(self, device: str, boot: int, seq: int, essence: Essence) -> None:
        """Keep an identity for ever."""
        self._connection.execute(
            "INSERT INTO seen VALUES (?, ?, ?, ?, ?)",
            (device, boot, seq, essence.packed(), essence.occurred_ms),
        )

    def add_conflict(self, conflict_id: str) -> bool:
        """Note a conflict; False when it was noted before."""
        added = self._connection.execute(
            "INSERT OR IGNORE INTO conflict VALUES (?)", (conflict_id,)
        ).rowcount
        return added > 0

    def add_event(self, event: Pending) -> None:
        """Queue an event for the console; the journal gives it its id."""
        self._connection.execute(
            "INSERT INTO outbox (lane, event_id, type, device, received_ms, payload)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            msgspec.structs.astuple(event)[1:],
        )
        if event.lane <= URGENT_LANE:
            self.touched_urgent = True
        else:
            self.touched_bulk = True

    def forget_events(self, ids: Iterable[int]) -> None:
        """Drop events that the console has answered for."""
        self._connection.executemany("DELETE FROM outbox WHERE id = ?", [(one,) for one in ids])

    def refuse_event(self, event: Pending, event_id: str, reason: str, now_ms: int) -> None:
        """Keep an event that the console refused for good, where a technician can look."""
        self._connection.execute(
            "INSERT INTO refused (at_ms, reason, event_id, type, payload) VALUES (?, ?, ?, ?, ?)",
            (now_ms, reason, event_id, event.type, event.payload),
        )
        self._connection.execute(
            "DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?", (REFUSED_ROWS,)
        )

    def add_receipt(self, device: str, ref: tuple[int, int], stage: int) -> None:
        """Owe a device a receipt."""
        self._add_downlink(
            device,
            {
                int(Field.TYPE): int(Type.RECEIPT),
                int(Field.REF): list(ref),
                int(Field.STAGE): int(Stage(stage)),
            },
        )

    def keep_rung(self, device: str, ref: tuple[int, int], stage: int, now_ms: int) -> None:
        """Remember how far help has come for an alarm."""
        self._connection.execute(
            "INSERT INTO rung VALUES (?, ?, ?, ?, ?) ON CONFLICT (device, boot, seq)"
            " DO UPDATE SET stage = excluded.stage, at_ms = excluded.at_ms",
            (device, *ref, stage, now_ms),
        )
        self.raised_ms[device] = now_ms

    def rung_ms(self, device: str) -> int | None:
        """Return when a device's ladder rose last, if it ever did."""
        return self.raised_ms.get(device, self._rungs_ms.get(device))

    def rungs(self, since_ms: int, device: str | None = None) -> list[tuple[str, int, int, int]]:
        """Return device, boot, seq and stage of alarms whose ladder has risen since."""
        rows: list[tuple[str, int, int, int]] = self._connection.execute(
            "SELECT device, boot, seq, stage FROM rung"
            " WHERE at_ms >= ? AND (? IS NULL OR device = ?) ORDER BY at_ms",
            (since_ms, device, device),
        ).fetchall()
        return rows

    def forget_rungs(self, before_ms: int) -> None:
        """Drop what no device shows any more."""
        self._connection.execute("DELETE FROM rung WHERE at_ms < ?", (before_ms,))

    def add_command(self, device: str, command: int, args: dict[str, object], expires: int) -> int:
        """Owe a device a command, under the next number of its counter; returns the number."""
        (counter,) = self._connection.execute(
            "INSERT INTO counter VALUES (?, 1)"
            " ON CONFLICT (device) DO UPDATE SET value = value + 1 RETURNING value",
            (device,),
        ).fetchone()
        body: dict[int, object] = {
            int(Field.TYPE): int(Type.COMMAND),
            int(Field.COUNTER): counter,
            int(Field.COMMAND): command,
            int(Field.EXPIRES): expires,
        }
        if args:
            body[int(Field.ARGS)] = args
        self._add_downlink(device, body)
        return int(counter)

    def forget_downlinks(self, ids: Iterable[int]) -> None:
        """Drop what the broker has acknowledged or what has expired."""
        self._connection.executemany("DELETE FROM downlink WHERE id = ?", [(one,) for one in ids])

    def set_notice_cursor(self, cursor: str) -> None:
        """Remember where to read on, together with what was read."""
        self._connection.execute(
            "INSERT INTO meta VALUES ('notice_cursor', ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (cursor,),
        )

    def quarantine(self, at_ms: int, reason: str, topic: str, message: bytes) -> None:
        """Keep a refused message's bytes."""
        added = self._connection.execute(
            "INSERT INTO quarantine (at_ms, reason, topic, message) VALUES (?, ?, ?, ?)",
            (at_ms, reason, topic, message),
        )
        self.quarantined.append((int(added.lastrowid or 0), len(message)))

    def forget_quarantine(self, through: int) -> None:
        """Drop the oldest refused messages."""
        self._connection.execute("DELETE FROM quarantine WHERE id <= ?", (through,))

    def _add_downlink(self, device: str, body: dict[int, object]) -> None:
        added = self._connection.execute(
            "INSERT INTO downlink (device, body) VALUES (?, ?)", (device, cbor2.dumps(body))
        )
        self.downlinks.append(Downlink(int(added.lastrowid or 0), device, body))
