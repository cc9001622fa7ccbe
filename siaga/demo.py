"""Register a simulated city: its buttons, units and staff, each once."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from console_api import admin
from console_api.accounts.errors import AccountExistsError
from console_api.accounts.roles import Role
from console_api.cycle.model import Category as UnitCategory
from console_api.cycle.model import Point as UnitPoint
from console_api.errors import AlreadyExistsError
from gateway.registry.credentials import CredentialsDocument
from gateway.registry.fields import Profile
from gateway.registry.model import Category, DeviceKind, Owner, Point
from gateway.registry.registry import Registry
from siaga.commands.options import me
from siaga.deployment import Deployment
from siaga.layout import write_secret
from simulators.plan import CityPlan, PlannedDevice, plan_city

SEED = 1


@dataclass(frozen=True, slots=True)
class RegisteredCity:
    """The plan, and what its buttons and people need to come in."""

    plan: CityPlan
    credentials: tuple[CredentialsDocument, ...]
    passwords: dict[str, str]


def register_city(deployment: Deployment, buttons: int, boundaries: Path | None) -> RegisteredCity:
    """Register what the plan of a city names and is not there yet.

    What was given out before is kept in the deployment's `demo` folder, mode 0600.
    """
    plan = plan_city(buttons, SEED, boundaries)
    with deployment.registry() as registry:
        if boundaries is not None and not registry.areas():
            registry.import_areas(boundaries.read_bytes(), by=me())
        credentials = _devices(deployment, registry, plan)
    return RegisteredCity(plan, credentials, _people(deployment, plan))


def _devices(
    deployment: Deployment, registry: Registry, plan: CityPlan
) -> tuple[CredentialsDocument, ...]:
    folder = deployment.layout.demo / "credentials"
    found: list[CredentialsDocument] = []
    for planned in plan.devices:
        path = folder / f"{planned.id}.json"
        if path.exists():
            known: CredentialsDocument = json.loads(path.read_bytes())
        else:
            known = _device(deployment, registry, planned)
            write_secret(path, json.dumps(known).encode())
        known["mqtt"]["host"] = deployment.endpoint.host
        known["mqtt"]["port"] = deployment.endpoint.port
        known["mqtt"]["ca_file"] = deployment.endpoint.ca_file
        found.append(known)
    return tuple(found)


def _device(
    deployment: Deployment, registry: Registry, planned: PlannedDevice
) -> CredentialsDocument:
    if registry.device(planned.id) is not None:
        # Registered, but what it was given is gone: power failed between the two.
        given = registry.rotate_key(planned.id, by=me(), new_password=True)
        return given.document(deployment.endpoint)
    street = planned.kind == "street"
    profile = Profile(
        kind=DeviceKind(planned.kind),
        label=planned.label,
        address=planned.address,
        category=Category(planned.category),
        installed=Point(planned.lat, planned.lon) if street else None,
        owner=Owner(planned.owner.name, planned.owner.phone) if planned.owner else None,
    )
    return registry.add(planned.id, profile, by=me()).document(deployment.endpoint)


def _people(deployment: Deployment, plan: CityPlan) -> dict[str, str]:
    settings = deployment.console_settings()
    for unit in plan.units:
        try:
            at = UnitPoint(lat=unit.lat, lon=unit.lon)
            categories = tuple(UnitCategory(name) for name in unit.categories)
            admin.add_unit(settings, unit.id, unit.name, categories, at)
        except AlreadyExistsError:
            continue
    path = deployment.layout.demo / "passwords.json"
    passwords: dict[str, str] = msgspec.json.decode(path.read_bytes()) if path.exists() else {}
    missing = [person for person in plan.users if person.username not in passwords]
    # Written before the accounts are: a password that nobody has yet does no harm.
    passwords |= {person.username: secrets.token_urlsafe(18) for person in missing}
    write_secret(path, msgspec.json.encode(passwords))
    for person in plan.users:
        try:
            admin.add_user(
                settings,
                person.username,
                Role(person.role),
                passwords[person.username],
                person.unit,
            )
        except AccountExistsError:
            if person in missing:
                admin.set_password(settings, person.username, passwords[person.username])
    return passwords
