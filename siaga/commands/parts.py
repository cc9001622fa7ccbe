"""`siaga broker`, `console` and `gateway`: each part alone, as a service manager runs it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from console_api import service as console_service
from gateway.bridge import service as bridge_service
from gateway.bridge.inspection import quarantined, refused
from gateway.broker.builtin import run_builtin_broker
from gateway.broker.mosquitto import mosquitto_command
from siaga.broker_files import broker_choice, keep_broker_files, write_broker_files
from siaga.commands.options import DATA, Data, Json, show
from siaga.deployment import Deployment

broker = typer.Typer(no_args_is_help=True, help="The MQTT broker.")
console = typer.Typer(no_args_is_help=True, help="The operator API.")
gateway = typer.Typer(no_args_is_help=True, help="The bridge from MQTT to the console.")


@console.command("run")
def run_console(data: Data = DATA) -> None:
    """Run the console until it is told to end.

    Example: siaga console run --data /srv/siaga
    """
    settings = Deployment.open(data).console_settings()
    _serve(lambda stop: console_service.run(settings, stop))


@gateway.command("run")
def run_gateway(data: Data = DATA) -> None:
    """Run the bridge until it is told to end.

    Example: siaga gateway run --data /srv/siaga
    """
    settings = Deployment.open(data).bridge_settings()
    _serve(lambda stop: bridge_service.run(settings, stop))


@gateway.command("quarantine")
def quarantine(as_json: Json = False, data: Data = DATA) -> None:
    """List the messages that were refused, with the reason and the bytes.

    Example: siaga gateway quarantine --json
    """
    journal = Deployment.open(data).layout.journal
    show(quarantined(journal), as_json=as_json, columns=("at", "reason", "topic", "message"))


@gateway.command("refused")
def refused_(as_json: Json = False, data: Data = DATA) -> None:
    """List the events that the console refused for good.

    Example: siaga gateway refused
    """
    journal = Deployment.open(data).layout.journal
    show(refused(journal), as_json=as_json, columns=("at", "reason", "event_id"))


@broker.command("run")
def run_broker(
    builtin: Annotated[
        bool, typer.Option("--builtin", help="amqtt, even where Mosquitto is installed.")
    ] = False,
    data: Data = DATA,
) -> None:
    """Run the broker until it is told to end: Mosquitto if it is on PATH, else the built-in one.

    Example: siaga broker run --data /srv/siaga
    """
    deployment = Deployment.open(data)
    write_broker_files(deployment)
    settings = deployment.broker_settings()
    program = None if builtin else broker_choice(deployment).program
    if program is not None:
        command = mosquitto_command(program, settings)
        os.execv(command[0], command)  # noqa: S606  the service manager's process is the broker itself
    _serve(lambda stop: run_builtin_broker(settings, stop))


@broker.command("config")
def config(
    watching: Annotated[
        bool, typer.Option("--watch", help="Stay, and rewrite them when the registry changes.")
    ] = False,
    data: Data = DATA,
) -> None:
    """Write the broker's configuration, password file and rules, for Mosquitto and for EMQX.

    Example: siaga broker config --watch --data /srv/siaga
    """
    deployment = Deployment.open(data)
    changed = write_broker_files(deployment)
    settings = deployment.broker_settings()
    typer.echo(f"{settings.directory}: {'written' if changed else 'all as it should be'}")
    if watching:
        _serve(lambda stop: keep_broker_files(deployment, stop))


def _serve(run: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run a part until SIGINT or SIGTERM."""

    async def serve() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await run(stop)

    asyncio.run(serve())
