"""The small city that lives beside a real broker, gateway and console."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO

import httpx

from simulators.book import CaseBook, follow
from simulators.chance import seeded
from simulators.console import Console
from simulators.data_centre import Archive, DataCentre, listen
from simulators.errors import PortTakenError, SimulatorError
from simulators.fleet import Fleet
from simulators.geodesy import Spot
from simulators.pace import Pace
from simulators.plan import CityPlan, PlannedUser, plan_city
from simulators.staff import Habits, Officer, Operator, Person, Room, Supervisor
from simulators.table import Language, show

__all__ = ["CityPlan", "CitySettings", "plan_city", "run_city"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CitySettings:
    """What a city needs that others have made.

    `plan` is registered already. `passwords` are by user name of the plan: only people in it
    come to work. `devices` are the credentials of the plan's devices as `siaga device add
    --json` printed them. `data` is a directory of the city's own. `speed` hurries people and
    the schedule, not the firmware. `press_every_s` 0 leaves all pressing to persons.
    """

    console_url: str
    plan: CityPlan
    passwords: Mapping[str, str] = field(repr=False)
    devices: Sequence[Mapping[str, object]] = field(repr=False)
    data_centre_port: int
    data_centre_secret: bytes = field(repr=False)
    data: Path
    seed: int = 1
    speed: float = 1.0
    press_every_s: float = 60.0
    habits: Habits = field(default_factory=Habits)
    table: Literal["auto", "off"] = "auto"
    language: Language = "id"
    out: TextIO | None = None


async def run_city(settings: CitySettings, stop: asyncio.Event) -> None:
    """Live until `stop`.

    Raises SimulatorError (one line that says what to do) where the city cannot go on; what is
    merely down, the console or the broker, is waited for.
    """
    fleet = Fleet(settings.plan.devices, settings.devices, settings.data, settings.seed)
    archive = Archive(settings.data / "data-centre.sqlite")
    centre = DataCentre(archive, settings.data_centre_secret)
    try:
        listener = listen(settings.data_centre_port)
    except OSError as error:
        raise PortTakenError(settings.data_centre_port, error.strerror or str(error)) from error
    try:
        with listener:
            async with _client(settings.console_url) as client:
                await _live(settings, client, fleet, centre.run(listener, stop), stop)
    except ExceptionGroup as group:
        raise _first_named(group) or group from None


async def _live(
    settings: CitySettings,
    client: httpx.AsyncClient,
    fleet: Fleet,
    centre: Coroutine[None, None, None],
    stop: asyncio.Event,
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(centre, name="data centre")
        group.create_task(fleet.run(stop), name="fleet")
        passing = [group.create_task(person.run()) for person in _people(settings, client)]
        passing.append(group.create_task(_show(settings, client, fleet), name="table"))
        if settings.press_every_s > 0:
            pace = Pace(settings.speed)
            schedule = fleet.press_by_schedule(pace, settings.press_every_s)
            passing.append(group.create_task(schedule, name="schedule"))
        await stop.wait()
        for task in passing:
            task.cancel()


def _first_named(group: BaseExceptionGroup[BaseException]) -> SimulatorError | None:
    """Return the first error in the group that a user is meant to see, however deep."""
    for error in group.exceptions:
        if isinstance(error, SimulatorError):
            return error
        if isinstance(error, BaseExceptionGroup) and (found := _first_named(error)) is not None:
            return found
    return None


def _people(settings: CitySettings, client: httpx.AsyncClient) -> list[Person]:
    supervisors = frozenset(
        user.username for user in settings.plan.users if user.role == "supervisor"
    )
    room = Room(settings.seed, Pace(settings.speed), settings.habits, supervisors)
    bases = {unit.id: Spot(unit.lat, unit.lon) for unit in settings.plan.units}
    return [
        _person(user, _console(settings, client, user.username), room, bases)
        for user in settings.plan.users
        if user.username in settings.passwords
    ]


def _person(user: PlannedUser, console: Console, room: Room, bases: Mapping[str, Spot]) -> Person:
    if user.role == "officer" and user.unit is not None:
        return Officer(console, room, user.unit, bases[user.unit])
    return Supervisor(console, room) if user.role == "supervisor" else Operator(console, room)


async def _show(settings: CitySettings, client: httpx.AsyncClient, fleet: Fleet) -> None:
    """Show the cases as a supervisor sees them."""
    watcher = next(
        (
            user.username
            for user in settings.plan.users
            if user.role == "supervisor" and user.username in settings.passwords
        ),
        None,
    )
    if settings.table == "off" or watcher is None:
        return
    book = CaseBook()
    console = _console(settings, client, watcher)
    async with asyncio.TaskGroup() as group:
        group.create_task(follow(console, book, seeded(settings.seed, "table")))
        group.create_task(show(book, fleet.lights, settings.language, settings.out or sys.stdout))


def _console(settings: CitySettings, client: httpx.AsyncClient, username: str) -> Console:
    chance = seeded(settings.seed, "line", username)
    return Console(client, username, settings.passwords[username], chance)


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client without a limit on connections: each person keeps a stream open."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=15.0) as client:
        yield client
