"""The parts that `siaga up` runs: their commands, and how each shows that it answers."""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping

import httpx

from gateway.broker.mosquitto import mosquitto_command
from gateway.broker.probe import Answer, ask_broker
from siaga.broker_files import broker_choice, gateway_password
from siaga.deployment import Deployment
from siaga.processes import Part

ANSWER_LIMIT_S = 2.0


def broker_part(deployment: Deployment, environment: Mapping[str, str]) -> Part:
    """Run the broker that was chosen; it answers when devices and the gateway get in."""
    choice = broker_choice(deployment)
    settings = deployment.broker_settings()
    if choice.program is None:
        command = _siaga(deployment, "broker", "run", "--builtin")
    else:
        command = tuple(mosquitto_command(choice.program, settings))
    password, ca = gateway_password(deployment), deployment.certificates.ca

    async def answers() -> bool:
        return await ask_broker(settings, password, ca, limit_s=ANSWER_LIMIT_S) is Answer.ACCEPTED

    return Part(
        name="broker",
        description=choice.description,
        command=command,
        log=deployment.layout.logs / "broker.log",
        answers=answers,
        environment=environment,
    )


def console_part(deployment: Deployment, environment: Mapping[str, str]) -> Part:
    """Run the console as a process of its own."""
    return Part(
        name="console",
        description="console",
        command=_siaga(deployment, "console", "run"),
        log=deployment.layout.logs / "console.log",
        answers=_ready(deployment.console_url),
        environment=environment,
    )


def gateway_part(deployment: Deployment, environment: Mapping[str, str]) -> Part:
    """Run the bridge as a process of its own."""
    return Part(
        name="gateway",
        description="gateway",
        command=_siaga(deployment, "gateway", "run"),
        log=deployment.layout.logs / "gateway.log",
        answers=_ready(deployment.gateway_url),
        environment=environment,
    )


def part_environment(deployment: Deployment, data_centre_url: str | None) -> dict[str, str]:
    """Give the environment in which a part reads the same configuration as its parent has."""
    found = deployment.configuration
    ports = {
        "SIAGA_BROKER_PORT": str(found.broker.port),
        "SIAGA_BROKER_LOOPBACK_PORT": str(found.broker.loopback_port),
        "SIAGA_CONSOLE_PORT": str(found.console.port),
        "SIAGA_GATEWAY_HTTP_PORT": str(found.gateway.http_port),
    }
    if data_centre_url is not None:
        ports["SIAGA_DATA_CENTRE_URL"] = data_centre_url
    return {**os.environ, **ports, "PYTHONUNBUFFERED": "1"}


def _siaga(deployment: Deployment, *words: str) -> tuple[str, ...]:
    data = str(deployment.layout.root.resolve())
    return (sys.executable, "-m", "siaga.cli", *words, "--data", data)


def _ready(url: str) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        async with httpx.AsyncClient(timeout=ANSWER_LIMIT_S) as client:
            try:
                return (await client.get(f"{url}/readyz")).status_code == httpx.codes.OK
            except httpx.HTTPError:
                return False

    return answers
