"""Devices: their health, their history, and commands to them."""

from datetime import timedelta
from typing import Final

from litestar import Response

from console_api import store
from console_api.http.answers import CommandAnswer
from console_api.http.bodies import DevicesQuery, NewCommand, Nothing
from console_api.http.connection import AnyRequest
from console_api.http.context import actor_of, console_of, json_answer, put_on_record
from console_api.http.decode import read_query
from console_api.http.problem import at_pointer
from console_api.http.read import json_body
from console_api.http.route import route

COMMAND_LASTS: Final = timedelta(minutes=15)


@route("list_devices")
async def list_devices(request: AnyRequest) -> Response[bytes]:
    """List devices by id."""
    query = read_query(request, DevicesQuery)
    page = await console_of(request).database.read(
        store.devices, state=query.state, q=query.q, cursor=query.cursor, limit=query.limit
    )
    return json_answer(page)


@route("show_device")
async def show_device(request: AnyRequest) -> Response[bytes]:
    """Show a device; its owner and cases are in it, so the read goes on record."""
    read_query(request, Nothing)
    device = await console_of(request).database.read(store.device, request.path_params["device"])
    await put_on_record(request, "show_device", device.cases, {"device": device.id})
    return json_answer(device)


@route("command_device")
async def command_device(request: AnyRequest) -> Response[bytes]:
    """Queue a command for a device."""
    console = console_of(request)
    identity: str = request.path_params["device"]
    new = await json_body(request, NewCommand)
    now = console.now()
    expires = new.expires or now + COMMAND_LASTS
    if expires <= now:
        raise at_pointer("/expires", "this moment is over; give one to come")
    await console.database.read(store.device, identity)
    cursor = await console.database.write(
        store.queue_command,
        identity,
        new.command,
        new.args,
        expires,
        actor=actor_of(request),
        now=now,
    )
    await put_on_record(request, "command_device", (), {"device": identity, "command": new.command})
    return json_answer(CommandAnswer(cursor, identity, new.command, expires), 202)
