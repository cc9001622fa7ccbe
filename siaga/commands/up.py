"""`siaga up` and `siaga press`: everything together, and a finger on a simulated button."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from siaga.commands.options import DATA, Data, Json, show
from siaga.deployment import Deployment
from siaga.initialise import HTTP_PORT, MQTT_PORT, initialise
from siaga.layout import Layout
from siaga.logs import log_to_file
from siaga.ports import free_port
from siaga.up import Demo, up
from simulators.control import Do, lights, press
from simulators.table import Language

app = typer.Typer()


@app.command("up")
def up_(
    data: Data = DATA,
    http_port: Annotated[
        int | None, typer.Option(help="Port of the console; 0 takes a free one.")
    ] = None,
    mqtt_port: Annotated[
        int | None, typer.Option(help="Port that buttons connect to; 0 takes a free one.")
    ] = None,
    demo: Annotated[
        int, typer.Option(min=0, help="Simulate so many buttons, with units and staff.")
    ] = 0,
    boundaries: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="GeoJSON that the demo spreads over."),
    ] = None,
    language: Annotated[Language, typer.Option(help="Of the live table.")] = "id",
) -> None:
    """Run broker, gateway and console together until Ctrl-C; makes the deployment if need be.

    Example: siaga up --data demo-data --demo 12
    """
    if not Layout(data).configuration.is_file():
        initialise(data, http_port=http_port or HTTP_PORT, mqtt_port=mqtt_port or MQTT_PORT)
        typer.echo(f"made {data}")
    deployment = Deployment.open(data, _ports(http_port, mqtt_port))
    wanted = Demo(demo, boundaries, language) if demo else None
    log_to_file(deployment.layout.logs / "up.log")
    asyncio.run(up(deployment, wanted, typer.echo))


@app.command("press")
def press_(
    device: Annotated[str | None, typer.Argument(help="Button; all are listed without.")] = None,
    hold: Annotated[bool, typer.Option("--hold", help="Hold it down.")] = False,
    silent: Annotated[bool, typer.Option("--silent", help="Call without any sign.")] = False,
    drill: Annotated[bool, typer.Option("--drill", help="A drill.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Take the alarm back.")] = False,
    as_json: Json = False,
    data: Data = DATA,
) -> None:
    """Press a simulated button of `siaga up --demo`, and watch its light until help is done.

    Example: siaga press DEMO-0001 --data demo-data
    """
    asked: dict[Do, bool] = {"hold": hold, "silent": silent, "drill": drill, "cancel": cancel}
    chosen = [do for do, wanted in asked.items() if wanted]
    if len(chosen) > 1:
        raise typer.BadParameter("choose one of --hold, --silent, --drill and --cancel")
    folder = Layout(data).demo
    if device is None:
        known = asyncio.run(lights(folder))
        show(msgspec.to_builtins(known), as_json=as_json)
        return
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_watch(folder, device, chosen[0] if chosen else "press", as_json))


async def _watch(folder: Path, device: str, do: Do, as_json: bool) -> None:  # noqa: FBT001  an option's value, passed on
    async for light in press(folder, device, do):
        typer.echo(
            msgspec.json.encode(light).decode() if as_json else f"{light.device}: {light.rung}"
        )


def _ports(http_port: int | None, mqtt_port: int | None) -> dict[tuple[str, ...], object]:
    """Give the options over the configuration; 0 moves all that belongs to it out of the way."""
    options: dict[tuple[str, ...], object] = {}
    if http_port is not None:
        options[("console", "port")] = http_port or free_port()
    if http_port == 0:
        options[("gateway", "http_port")] = free_port()
    if mqtt_port is not None:
        options[("broker", "port")] = mqtt_port or free_port()
    if mqtt_port == 0:
        options[("broker", "loopback_port")] = free_port()
    return options
