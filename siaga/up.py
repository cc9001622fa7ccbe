"""Run broker, gateway and console together, and with them, if asked, a simulated city."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.broker.mosquitto import check_ports
from siaga.broker_files import keep_broker_files, write_broker_files
from siaga.demo import RegisteredCity, register_city
from siaga.deployment import Deployment
from siaga.parts import (
    broker_part,
    console_part,
    gateway_part,
    part_environment,
)
from siaga.ports import check_free, free_port
from siaga.processes import Child
from simulators.city import CitySettings, run_city
from simulators.table import Language

# What five patrols can attend: each is away for some ten minutes.
PRESS_EVERY_S = 120.0


@dataclass(frozen=True, slots=True)
class Demo:
    """How large a city to simulate, and over which boundaries."""

    buttons: int
    boundaries: Path | None
    language: Language


async def up(deployment: Deployment, demo: Demo | None, say: Callable[[str], None]) -> None:
    """Start all parts, say `ready`, and keep them running until SIGINT or SIGTERM.

    Raises PortTakenError, PartFailedError and what the parts' own settings raise.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    write_broker_files(deployment)
    _check_ports(deployment)
    city = register_city(deployment, demo.buttons, demo.boundaries) if demo else None
    data_centre_port = free_port()
    url = f"http://127.0.0.1:{data_centre_port}/" if demo else None
    environment = part_environment(deployment, url)
    async with _parts(deployment, environment, stop, say):
        if stop.is_set():
            return
        say(f"ready {deployment.console_url}")
        if demo is None or city is None:
            await stop.wait()
            return
        say(
            f"press a button: siaga press {city.plan.devices[0].id} --data {deployment.layout.root}"
        )
        await run_city(_city_settings(deployment, demo, city, data_centre_port), stop)


@contextlib.asynccontextmanager
async def _parts(
    deployment: Deployment,
    environment: Mapping[str, str],
    stop: asyncio.Event,
    say: Callable[[str], None],
) -> AsyncIterator[None]:
    """Start the parts in order, keep them, and end them in the opposite order."""
    started: list[Child] = []
    keepers: list[asyncio.Task[None]] = []
    try:
        for make in (broker_part, console_part, gateway_part):
            part = make(deployment, environment)
            say(f"starting {part.description}")
            child = Child(part, say)
            started.append(child)
            await child.start()
            keepers.append(asyncio.create_task(child.keep()))
            if stop.is_set():
                break
        keepers.append(asyncio.create_task(keep_broker_files(deployment, stop)))
        yield
    finally:
        stop.set()
        for child in reversed(started):
            await child.stop()
        await asyncio.gather(*keepers)


def _check_ports(deployment: Deployment) -> None:
    console, gateway = deployment.configuration.console, deployment.configuration.gateway
    check_ports(deployment.broker_settings())
    check_free(console.host, console.port, "--http-port")
    check_free(gateway.http_host, gateway.http_port, "SIAGA_GATEWAY_HTTP_PORT")


def _city_settings(
    deployment: Deployment, demo: Demo, city: RegisteredCity, data_centre_port: int
) -> CitySettings:
    return CitySettings(
        console_url=deployment.console_url,
        plan=city.plan,
        passwords=city.passwords,
        devices=[dict(given) for given in city.credentials],
        data_centre_port=data_centre_port,
        data_centre_secret=deployment.layout.data_centre_secret.read_bytes(),
        data=deployment.layout.demo,
        press_every_s=PRESS_EVERY_S,
        language=demo.language,
    )
