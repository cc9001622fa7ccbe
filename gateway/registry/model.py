"""What the registry knows about a device, as frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class DeviceKind(StrEnum):
    """How a button is installed."""

    STREET = "street"
    HANDHELD = "handheld"


class DeviceStatus(StrEnum):
    """Whether a device is believed; a suspended one is not supervised, but its alarms count."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Category(StrEnum):
    """The six services, in the order of their wire numbers 0 to 5."""

    CITY_ALARM = "city_alarm"
    AMBULANCE = "ambulance"
    FIRE = "fire"
    RESCUE = "rescue"
    HEARSE = "hearse"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Point:
    """A place on WGS 84, in degrees."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Owner:
    """The person to call about a device."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Key:
    """One generation of a device's 32-byte message key; a retired one is refused."""

    generation: int
    secret: bytes = field(repr=False)
    retired: bool


@dataclass(frozen=True, slots=True)
class Device:
    """A registered device with all its key generations, by number."""

    id: str
    kind: DeviceKind
    label: str
    address: str
    category: Category
    installed: Point | None
    owner: Owner | None
    camera_url: str | None
    supervision_interval_s: int
    status: DeviceStatus
    keys: Mapping[int, Key]


@dataclass(frozen=True, slots=True)
class Area:
    """An administrative area: a kelurahan and the kecamatan it belongs to."""

    code: str
    kelurahan: str
    kecamatan: str
