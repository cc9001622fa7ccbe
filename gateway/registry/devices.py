"""Device rows: read and written over a connection."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import structlog
from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from gateway.registry.errors import DamagedKeyError
from gateway.registry.fields import Profile
from gateway.registry.model import (
    Category,
    Device,
    DeviceKind,
    DeviceStatus,
    Key,
    Owner,
    Point,
)
from gateway.registry.schema import DEVICE, DEVICE_KEY
from gateway.registry.vault import Vault

_LOG = structlog.get_logger(__name__)

# The columns' types are the schema's; the library doesn't know them.
_Row: TypeAlias = Row[*tuple[Any, ...]]

_CHUNK = 500  # below the parameter limit of every database


@dataclass(frozen=True, slots=True)
class Filter:
    """Which devices a listing holds; None means any. `text` is found in id, label or address."""

    kind: DeviceKind | None = None
    status: DeviceStatus | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class NewRow:
    """A device about to be stored, with its first key and the hash of its password."""

    device_id: str
    profile: Profile
    status: DeviceStatus
    sealed_key: bytes
    password_hash: str


class Login(NamedTuple):
    """A device that the broker lets in, and its password's hash."""

    device_id: str
    password_hash: str


def find(connection: Connection, vault: Vault, device_id: str) -> Device | None:
    """Return a device with those of its keys that can be read; the log tells of others."""
    rows = connection.execute(_FIND, {"wanted": device_id}).all()
    return _device(rows[0], _keys(vault, rows)) if rows else None


def page(
    connection: Connection, vault: Vault, wanted: Filter, after: str, limit: int
) -> list[Device]:
    """Return the next devices by id, with those of their keys that can be read."""
    query = select(DEVICE).where(DEVICE.c.id > after).order_by(DEVICE.c.id).limit(limit)
    if wanted.kind is not None:
        query = query.where(DEVICE.c.kind == wanted.kind.value)
    if wanted.status is not None:
        query = query.where(DEVICE.c.status == wanted.status.value)
    if wanted.text:
        columns = (DEVICE.c.id, DEVICE.c.label, DEVICE.c.address)
        query = query.where(
            or_(*(column.icontains(wanted.text, autoescape=True) for column in columns))
        )
    rows = connection.execute(query).all()
    keys = _keys_of(connection, vault, [row.id for row in rows])
    return [_device(row, keys.get(row.id, {})) for row in rows]


def generations(connection: Connection, device_id: str) -> dict[int, bool]:
    """Return all key generations of a device and whether each is retired."""
    query = select(DEVICE_KEY.c.generation, DEVICE_KEY.c.retired).where(
        DEVICE_KEY.c.device_id == device_id
    )
    return {generation: bool(retired) for generation, retired in connection.execute(query)}


def existing(connection: Connection, device_ids: Sequence[str]) -> set[str]:
    """Return those of the ids that are registered."""
    found: set[str] = set()
    for chunk in _chunks(device_ids):
        found.update(connection.scalars(select(DEVICE.c.id).where(DEVICE.c.id.in_(chunk))))
    return found


def count(connection: Connection) -> Mapping[DeviceStatus, int]:
    """Return how many devices have each status."""
    rows = connection.execute(select(DEVICE.c.status, func.count()).group_by(DEVICE.c.status))
    return dict.fromkeys(DeviceStatus, 0) | {DeviceStatus(name): number for name, number in rows}


def logins(connection: Connection) -> Iterator[Login]:
    """Give all devices that aren't revoked, by id."""
    query = (
        select(DEVICE.c.id, DEVICE.c.mqtt_password_hash)
        .where(DEVICE.c.status != DeviceStatus.REVOKED.value)
        .order_by(DEVICE.c.id)
    )
    for device_id, password_hash in connection.execute(query):
        yield Login(device_id, password_hash)


def add(connection: Connection, rows: Sequence[NewRow], at_ms: int) -> None:
    """Store new devices, each with key generation 1."""
    if not rows:
        return
    connection.execute(
        insert(DEVICE),
        [
            {
                "id": row.device_id,
                "status": row.status.value,
                "mqtt_password_hash": row.password_hash,
                "created_ms": at_ms,
                **_columns(row.profile),
            }
            for row in rows
        ],
    )
    connection.execute(
        insert(DEVICE_KEY),
        [_key_row(row.device_id, 1, row.sealed_key, at_ms) for row in rows],
    )


def add_key(
    connection: Connection, device_id: str, generation: int, sealed: bytes, at_ms: int
) -> None:
    """Store a further key generation."""
    connection.execute(insert(DEVICE_KEY), _key_row(device_id, generation, sealed, at_ms))


def retire_key(connection: Connection, device_id: str, generation: int) -> None:
    """Mark a key generation as refused from now on."""
    connection.execute(
        update(DEVICE_KEY)
        .where(DEVICE_KEY.c.device_id == device_id, DEVICE_KEY.c.generation == generation)
        .values(retired=True)
    )


def set_profile(connection: Connection, device_id: str, profile: Profile) -> None:
    """Store a device's fields."""
    connection.execute(update(DEVICE).where(DEVICE.c.id == device_id).values(_columns(profile)))


def set_status(connection: Connection, device_id: str, status: DeviceStatus) -> None:
    """Store a device's status."""
    connection.execute(update(DEVICE).where(DEVICE.c.id == device_id).values(status=status.value))


def set_password(connection: Connection, device_id: str, password_hash: str) -> None:
    """Store the hash of a new MQTT password."""
    connection.execute(
        update(DEVICE).where(DEVICE.c.id == device_id).values(mqtt_password_hash=password_hash)
    )


def profile_of(device: Device) -> Profile:
    """Return what a person may set on a device."""
    return Profile(
        kind=device.kind,
        label=device.label,
        address=device.address,
        category=device.category,
        installed=device.installed,
        owner=device.owner,
        camera_url=device.camera_url,
        supervision_interval_s=device.supervision_interval_s,
    )


def _columns(profile: Profile) -> dict[str, str | float | None]:
    at, owner = profile.installed, profile.owner
    return {
        "kind": profile.kind.value,
        "label": profile.label,
        "address": profile.address,
        "category": profile.category.value,
        "installed_lat": at.lat if at else None,
        "installed_lon": at.lon if at else None,
        "owner_name": owner.name if owner else None,
        "owner_phone": owner.phone if owner else None,
        "camera_url": profile.camera_url,
        "supervision_interval_s": profile.supervision_interval_s,
    }


def _device(row: _Row, keys: Mapping[int, Key]) -> Device:
    installed = None
    if row.installed_lat is not None and row.installed_lon is not None:
        installed = Point(row.installed_lat, row.installed_lon)
    owner = None
    if row.owner_name is not None:
        owner = Owner(row.owner_name, row.owner_phone or "")
    return Device(
        id=row.id,
        kind=DeviceKind(row.kind),
        label=row.label,
        address=row.address,
        category=Category(row.category),
        installed=installed,
        owner=owner,
        camera_url=row.camera_url,
        supervision_interval_s=row.supervision_interval_s,
        status=DeviceStatus(row.status),
        keys=keys,
    )


def _keys_of(
    connection: Connection, vault: Vault, device_ids: Sequence[str]
) -> dict[str, dict[int, Key]]:
    keys: dict[str, dict[int, Key]] = {}
    for chunk in _chunks(device_ids):
        query = select(DEVICE_KEY).where(DEVICE_KEY.c.device_id.in_(chunk))
        for row in connection.execute(query):
            keys.setdefault(row.device_id, {}).update(_keys(vault, [row]))
    return keys


def _keys(vault: Vault, rows: Iterable[_Row]) -> dict[int, Key]:
    keys: dict[int, Key] = {}
    for row in rows:
        if row.generation is None:  # the outer join of a device without keys
            continue
        try:
            secret = vault.unseal(row.device_id, row.generation, row.sealed)
        except DamagedKeyError as error:
            # One damaged key must not silence the device's other keys, nor other devices.
            _LOG.error("registry.key_damaged", problem=str(error))
        else:
            keys[row.generation] = Key(row.generation, secret, bool(row.retired))
    return keys


def _key_row(
    device_id: str, generation: int, sealed: bytes, at_ms: int
) -> dict[str, str | int | bytes | bool]:
    return {
        "device_id": device_id,
        "generation": generation,
        "sealed": sealed,
        "retired": False,
        "created_ms": at_ms,
    }


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


# Built once: the bridge runs it for each device that its cache has not met.
_FIND = (
    select(
        DEVICE,
        DEVICE_KEY.c.device_id,
        DEVICE_KEY.c.generation,
        DEVICE_KEY.c.sealed,
        DEVICE_KEY.c.retired,
    )
    .outerjoin(DEVICE_KEY, DEVICE_KEY.c.device_id == DEVICE.c.id)
    .where(DEVICE.c.id == bindparam("wanted"))
    .order_by(DEVICE_KEY.c.generation)
)
