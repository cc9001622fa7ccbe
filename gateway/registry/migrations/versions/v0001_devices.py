"""Devices, their keys, areas and the change log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    state = op.create_table(
        "registry_state",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("key_check", sa.LargeBinary),
    )
    op.bulk_insert(state, [{"id": 1, "revision": 0, "key_check": None}])
    op.create_table(
        "device",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("installed_lat", sa.Float(53)),
        sa.Column("installed_lon", sa.Float(53)),
        sa.Column("owner_name", sa.Text),
        sa.Column("owner_phone", sa.Text),
        sa.Column("camera_url", sa.Text),
        sa.Column("supervision_interval_s", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("mqtt_password_hash", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "device_key",
        sa.Column("device_id", sa.Text, sa.ForeignKey("device.id"), primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "area",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("kelurahan", sa.Text, nullable=False),
        sa.Column("kecamatan", sa.Text, nullable=False),
        sa.Column("boundary_wkb", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "change",
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("device_id", sa.Text),
        sa.Column("details", sa.Text, nullable=False),
    )
    op.create_index("change_device", "change", ["device_id", "revision"])
