"""Tables of accounts. Secrets are stored only as what can check them; times in ms since 1970."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from console_api.store.schema import metadata

users: Final = Table(
    "users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("unit", String(64)),
    Column("password", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("user", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index(None, "user"),
    Index(None, "expires_ms"),
)

service_tokens: Final = Table(
    "service_tokens",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("cases", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "actor", "id"),
    # Ids of a register are never given twice, even after the newest row is gone.
    sqlite_autoincrement=True,
)

# One list may show fifty cases: the index is its own narrow table, the row stays one.
audit_cases: Final = Table(
    "audit_cases",
    metadata,
    Column("case_id", String(64), primary_key=True),
    Column("audit_id", Integer, primary_key=True),
    sqlite_with_rowid=False,
)
