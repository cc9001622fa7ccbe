"""The parts that `siaga up` runs: their commands, and how each shows that it answers."""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import httpx

from gateway.broker.errors import NoBrokerError
from gateway.broker.mosquitto import find_mosquitto, mosquitto_command
from gateway.broker.probe import Answer, Probe, ask
from gateway.broker.settings import GATEWAY_USER
from siaga.deployment import Deployment
from siaga.initialise import gateway_password
from siaga.processes import Part

ANSWER_LIMIT_S = 2.0


def broker_program(deployment: Deployment) -> Path | None:
    """Find Mosquitto; None stands for the built-in broker. Raises NoBrokerError."""
    kind = deployment.configuration.broker.kind
    if kind == "builtin":
        return None
    program = find_mosquitto()
    if program is None and kind == "mosquitto":
        raise NoBrokerError
    return program


def broker_part(deployment: Deployment, environment: Mapping[str, str]) -> Part:
    """Run Mosquitto where there is one and the configuration does not say otherwise."""
    program = broker_program(deployment)
    if program is None:
        command = _siaga(deployment, "broker", "run", "--builtin")
    else:
        command = tuple(mosquitto_command(program, deployment.broker_settings()))
    probe = Probe(
        host="127.0.0.1",
        port=deployment.configuration.broker.loopback_port,
        user=GATEWAY_USER,
        password=gateway_password(deployment),
        tls=None,
    )

    async def answers() -> bool:
        return await ask(probe, limit_s=ANSWER_LIMIT_S) is Answer.ACCEPTED

    return Part(
        name="broker (amqtt, built in)" if program is None else f"broker ({program})",
        command=command,
        log=deployment.layout.logs / "broker.log",
        answers=answers,
        environment=environment,
    )


def console_part(deployment: Deployment, environment: Mapping[str, str]) -> Part:
    """Run the console as a process of its own."""
    return Part(
        name="console",
        command=_siaga(deployment, "console", "run"),
        log=deployment.layout.logs / "console.log",
        answers=_ready(deployment.console_url),
        environment=environment,
    )


def gateway_part(deployment: Deployment, environment: Mapping[str, str]) -> Part:
    """Run the bridge as a process of its own."""
    return Part(
        name="gateway",
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
