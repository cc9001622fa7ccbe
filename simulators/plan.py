"""The plan of a simulated city: what has to be registered before it can live."""

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, Literal

from simulators.chance import seeded
from simulators.names import address, person, site_label, telephone
from simulators.places import City, Site, read_city

Kind = Literal["street", "handheld"]
Category = Literal["city_alarm", "ambulance", "fire", "rescue", "hearse", "other"]
Role = Literal["operator", "supervisor", "officer"]

DEVICES_PER_UNIT_SET: Final = 60
OPERATORS_PER_UNIT_SET: Final = 2
NEIGHBOUR_EVERY: Final = 8  # so that two buttons now and then report one incident
NEIGHBOUR_WITHIN_M: Final = 90.0
HANDHELD_CATEGORIES: Final[tuple[Category, ...]] = (
    "city_alarm",
    "city_alarm",
    "ambulance",
    "ambulance",
    "fire",
    "rescue",
    "hearse",
    "other",
)
UNIT_SET: Final[tuple[tuple[str, str, tuple[Category, ...]], ...]] = (
    ("PATROLI", "Patroli", ("city_alarm", "other")),
    ("AMBULANS", "Ambulans", ("ambulance",)),
    ("DAMKAR", "Pemadam", ("fire", "rescue")),
    ("PATROLI", "Patroli", ("city_alarm", "other")),
    ("AMBULANS", "Ambulans", ("ambulance", "hearse")),
    ("SAR", "Regu Penyelamat", ("rescue", "fire", "other")),
    ("PATROLI", "Patroli", ("city_alarm", "other")),
    ("JENAZAH", "Mobil Jenazah", ("hearse", "ambulance")),
    ("PATROLI", "Patroli", ("city_alarm", "other")),
    ("PATROLI", "Patroli", ("city_alarm", "other")),
)


@dataclass(frozen=True, slots=True)
class PlannedOwner:
    """Whom a handheld button belongs to; never a real person."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class PlannedDevice:
    """A button to register. A handheld's position is where its owner lives.

    `twin` says that the next button stands right beside it: pressed together, they report
    one incident.
    """

    id: str
    kind: Kind
    label: str
    address: str
    lat: float
    lon: float
    category: Category
    owner: PlannedOwner | None
    twin: bool = False


@dataclass(frozen=True, slots=True)
class PlannedUnit:
    """A unit to register, at its base."""

    id: str
    name: str
    categories: tuple[Category, ...]
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class PlannedUser:
    """A person to register; `unit` is the unit's id for an officer."""

    username: str
    role: Role
    unit: str | None


@dataclass(frozen=True, slots=True)
class CityPlan:
    """Everything to register for a simulated city."""

    devices: tuple[PlannedDevice, ...]
    units: tuple[PlannedUnit, ...]
    users: tuple[PlannedUser, ...]


def plan_city(n: int, seed: int, boundaries: Path | None) -> CityPlan:
    """Return a city of `n` buttons; the same arguments give the same city.

    Raises BoundariesError if the boundary file cannot be used.
    """
    city = read_city(boundaries)
    sets = max(1, round(n / DEVICES_PER_UNIT_SET))
    units = _units(city, sets, seeded(seed, "units"))
    return CityPlan(tuple(_devices(city, n, seed)), units, _users(units, sets))


def _devices(city: City, n: int, seed: int) -> list[PlannedDevice]:
    devices: list[PlannedDevice] = []
    before: Site | None = None
    for number in range(1, n + 1):
        chance = seeded(seed, "device", number)
        if before is not None and number % NEIGHBOUR_EVERY == 0:
            site = city.near(before, chance, within_m=NEIGHBOUR_WITHIN_M)
        else:
            site = city.site(chance)
        devices.append(_device(number, site, chance))
        before = site
    return devices


def _device(number: int, site: Site, chance: Random) -> PlannedDevice:
    street = number % 2 == 1
    owner = None if street else PlannedOwner(person(chance, number), telephone(number))
    return PlannedDevice(
        id=f"DEMO-{number:04d}",
        kind="street" if street else "handheld",
        label=site_label(chance, number) if owner is None else f"Tombol {owner.name}",
        address=address(chance, site.district),
        lat=site.spot.lat,
        lon=site.spot.lon,
        category="city_alarm" if street else chance.choice(HANDHELD_CATEGORIES),
        owner=owner,
        twin=(number + 1) % NEIGHBOUR_EVERY == 0,
    )


def _units(city: City, sets: int, chance: Random) -> tuple[PlannedUnit, ...]:
    numbers: dict[str, int] = {}
    units = []
    for short, name, categories in UNIT_SET * sets:
        number = numbers[short] = numbers.get(short, 0) + 1
        spot = city.site(chance).spot
        units.append(
            PlannedUnit(f"{short}-{number}", f"{name} {number}", categories, spot.lat, spot.lon)
        )
    return tuple(units)


def _users(units: tuple[PlannedUnit, ...], sets: int) -> tuple[PlannedUser, ...]:
    operators = [
        PlannedUser(f"operator-{number}", "operator", None)
        for number in range(1, OPERATORS_PER_UNIT_SET * sets + 1)
    ]
    officers = [PlannedUser(f"petugas-{unit.id.lower()}", "officer", unit.id) for unit in units]
    return (*operators, PlannedUser("supervisor-1", "supervisor", None), *officers)
