"""The journal's tables. Each entry of MIGRATIONS lifts `user_version` by one."""

from typing import Final

_FIRST: Final = """
-- A device's memory: gateway/bridge/state.py DeviceState.
CREATE TABLE device (
    id TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    top_boot INTEGER NOT NULL,
    top_seq INTEGER NOT NULL,
    recent BLOB NOT NULL,
    heard_ms INTEGER NOT NULL,
    will_ms INTEGER,
    lost_ms INTEGER,
    losses INTEGER NOT NULL,
    heartbeat BLOB,
    heartbeat_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Names of events, for ever; heartbeats are remembered in device.recent.
CREATE TABLE seen (
    device TEXT NOT NULL,
    boot INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    essence BLOB NOT NULL,
    occurred_ms INTEGER,
    PRIMARY KEY (device, boot, seq)
) WITHOUT ROWID;
CREATE TABLE conflict (id TEXT PRIMARY KEY) WITHOUT ROWID;

-- What the console has not answered for. Lane 0 alarm, drill, cancel; 1 track; 2 the rest.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lane INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    device TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX outbox_lane ON outbox (lane, id);

-- What the broker has not acknowledged: receipts (stage) and commands (counter).
CREATE TABLE downlink (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE counter (device TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- For a technician to look at, bounded, oldest out first.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    topic TEXT NOT NULL,
    message BLOB NOT NULL
);
CREATE TABLE refused (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    payload BLOB NOT NULL
);
"""
_SECOND: Final = """
-- The newest rung of each alarm of the last 90 minutes: gateway/bridge/ladder.py.
CREATE TABLE rung (
    device TEXT NOT NULL,
    boot INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (device, boot, seq)
) WITHOUT ROWID;
"""
MIGRATIONS: Final = (_FIRST, _SECOND)
