"""The console's tables. Times are whole milliseconds since 1970 UTC in `*_ms` columns.

`events` is the truth and never changes; `cases`, `alarms`, `register` and `photos` are
what it adds up to, kept for reading. The rest is the console's own bookkeeping.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up by itself only a primary key that is declared INTEGER.
RisingId = BigInteger().with_variant(Integer, "sqlite")

events = Table(
    "events",
    metadata,
    Column("seq", RisingId, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("wall_ms", BigInteger),
    Column("case_id", String(32)),
    Column("version", Integer),
    Column("kind", String(32), nullable=False),
    Column("actor", String(128), nullable=False),
    Column("role", String(16), nullable=False),
    Column("unit", String(64)),
    Column("address", String(64)),
    Column("device", String(64)),
    Column("cause", String(128), unique=True),
    Column("data", Text, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Index(None, "case_id", "seq"),
)

cases = Table(
    "cases",
    metadata,
    Column("number", RisingId, primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("category", String(16), nullable=False),
    Column("device", String(64), nullable=False),
    Column("area", String(32)),
    Column("unit", String(64)),
    Column("received_ms", BigInteger, nullable=False),
    Column("pressed_ms", BigInteger, nullable=False),
    Column("lat", Float),
    Column("due_ms", BigInteger),
    Column("search", Text, nullable=False),
    Column("snapshot", Text, nullable=False),
    Index(None, "due_ms"),
    Index(None, "received_ms"),
    Index(None, "pressed_ms"),
    Index(None, "open", "number"),
    Index(None, "unit", "open"),
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
    Column("device", String(64), nullable=False, index=True),
    Column("rung", Integer, nullable=False),
)

orphans = Table(
    "orphans",
    metadata,
    Column("event", String(128), primary_key=True),
    Column("ref", String(128), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("data", Text, nullable=False),
)

register = Table(
    "register",
    metadata,
    Column("number", String(32), primary_key=True),
    Column("series", String(16), nullable=False),
    Column("month", String(7), nullable=False),
    Column("position", Integer, nullable=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False, unique=True),
    UniqueConstraint("series", "month", "position"),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

photos = Table(
    "photos",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("case_id", ForeignKey("cases.id"), nullable=False, index=True),
    Column("data", Text, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("cursor", RisingId, primary_key=True, autoincrement=False),
    Column("data", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", RisingId, primary_key=True, autoincrement=False),
    Column("case_id", ForeignKey("cases.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("status", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("retry_ms", BigInteger, nullable=False),
    Column("error", Text),
    Column("created_ms", BigInteger, nullable=False),
    Column("sent_ms", BigInteger),
    UniqueConstraint("case_id", "version"),
    Index(None, "status", "retry_ms"),
)

units = Table(
    "units",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("categories", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Column("position_ms", BigInteger),
)

devices = Table(
    "devices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("state_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger),
    Column("health_ms", BigInteger),
    Column("health", Text),
    Column("info_ms", BigInteger, nullable=False),
    Column("info", Text, nullable=False),
    Column("history_count", BigInteger, nullable=False),
    Column("search", Text, nullable=False),
)

device_history = Table(
    "device_history",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("event", String(128), nullable=False, unique=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("occurred_ms", BigInteger),
    Column("kind", String(32), nullable=False),
    Column("data", Text, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    Column("id", RisingId, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("unit", String(64)),
    Column("data", Text, nullable=False),
    Index(None, "kind", "subject"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor", String(128), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request", LargeBinary(32), nullable=False),
    Column("answer", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
