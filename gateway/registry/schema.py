"""The registry's tables, as the newest migration leaves them."""

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
    Table,
    Text,
)

# In order; the last is what this version needs. A test holds it to the migrations.
VERSIONS = ("0001",)
VERSION_TABLE = "registry_version"

METADATA = MetaData()

# One row. `revision` is taken from here under the writer's lock, so that revisions become visible
# in their order on any database.
STATE = Table(
    "registry_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Column("key_check", LargeBinary, nullable=True),
)

DEVICE = Table(
    "device",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("installed_lat", Float(53), nullable=True),
    Column("installed_lon", Float(53), nullable=True),
    Column("owner_name", Text, nullable=True),
    Column("owner_phone", Text, nullable=True),
    Column("camera_url", Text, nullable=True),
    Column("supervision_interval_s", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("mqtt_password_hash", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

DEVICE_KEY = Table(
    "device_key",
    METADATA,
    Column("device_id", Text, ForeignKey("device.id"), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

AREA = Table(
    "area",
    METADATA,
    Column("code", Text, primary_key=True),
    Column("kelurahan", Text, nullable=False),
    Column("kecamatan", Text, nullable=False),
    Column("boundary_wkb", LargeBinary, nullable=False),
)

CHANGE = Table(
    "change",
    METADATA,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("device_id", Text, nullable=True),
    Column("details", Text, nullable=False),
    Index("change_device", "device_id", "revision"),
)
