"""The fleet's control socket: JSON lines over a Unix domain socket in the data directory.

A request is `{"do": "press"|..., "device": ID}`, `{"do": "watch", "device": ID}` or
`{"do": "list"}`. The first line of the answer is `{"ok": true}` or `{"error": "..."}`. A list
then gives one line a button and ends; the others give a line for every change of the button's
light, the present one first, until the client leaves.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final, Literal, Protocol

import msgspec

from simulators.errors import FleetRefusedError, NoFleetError, SocketPathError
from simulators.lights import Light, Lights
from simulators.schedule import Act

SOCKET_NAME: Final = "fleet.sock"
MOST_PATH_BYTES: Final = 107  # sun_path of unix(7), less its final zero
MOST_LINE_BYTES: Final = 4096
Do = Literal["press", "hold", "multi", "silent", "cancel", "drill", "watch", "list"]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client wants."""

    do: Do
    device: str = ""


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether the fleet does it."""

    ok: bool = False
    error: str | None = None


class Panel(Protocol):
    """What the socket controls."""

    @property
    def lights(self) -> Lights:
        """The lights of all buttons."""

    def do(self, device: str, act: Act) -> None:
        """Do something to a button; raises FleetRefusedError."""


def socket_path(data: Path) -> Path:
    """Return where the control socket of a data directory is.

    Raises SocketPathError if that is too long for the operating system.
    """
    path = data / SOCKET_NAME
    if len(os.fsencode(path)) > MOST_PATH_BYTES:
        raise SocketPathError(path, MOST_PATH_BYTES)
    return path


async def serve(panel: Panel, path: Path) -> None:
    """Answer on the socket until cancelled; the socket is then removed."""
    clients: set[asyncio.Task[None]] = set()

    def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_talk(panel, reader, writer))
        clients.add(task)
        task.add_done_callback(clients.discard)

    server = await asyncio.start_unix_server(client, path, limit=MOST_LINE_BYTES)
    _only_for_owner(path)
    try:
        await server.serve_forever()
    finally:
        server.close()
        for task in tuple(clients):
            task.cancel()
        _remove(path)


async def press(data: Path, device: str, do: Do) -> AsyncGenerator[Light, None]:
    """Do something to a button of the fleet that runs in `data`, and yield its lights.

    Raises NoFleetError if none runs, FleetRefusedError if it does not know the button.
    """
    reader, writer = await _ask(data, Request(do, device))
    try:
        while line := await reader.readline():
            yield msgspec.json.decode(line, type=Light)
    finally:
        writer.close()


async def lights(data: Path) -> list[Light]:
    """Return what every button of the fleet shows. Raises as `press`."""
    return [light async for light in press(data, "", "list")]


def _only_for_owner(path: Path) -> None:
    path.chmod(0o600)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _ask(data: Path, request: Request) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    path = socket_path(data)
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NoFleetError(path) from error
    writer.write(msgspec.json.encode(request) + b"\n")
    line = await reader.readline()
    reply = msgspec.json.decode(line, type=Reply) if line else Reply(error="the fleet went away")
    if not reply.ok:
        writer.close()
        raise FleetRefusedError(reply.error or "the fleet refused without a reason")
    return reader, writer


async def _talk(panel: Panel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await _answer(panel, reader, writer)
    except (ConnectionError, ValueError):
        pass  # the client went away, or sent a line without end
    finally:
        writer.close()


async def _answer(panel: Panel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    line = await reader.readline()
    try:
        request = msgspec.json.decode(line, type=Request)
    except msgspec.MsgspecError as error:
        await _send(writer, Reply(error=f"not a request: {error}"))
        return
    if request.do == "list":
        await _send(writer, Reply(ok=True))
        for light in panel.lights.now.values():
            await _send(writer, light)
        return
    with panel.lights.watch(request.device) as changes:
        before = panel.lights.now.get(request.device)
        try:
            _act(panel, request)
        except FleetRefusedError as refusal:
            await _send(writer, Reply(error=str(refusal)))
            return
        await _send(writer, Reply(ok=True))
        if before is not None:
            await _send(writer, before)
        await _pass_on(changes, reader, writer)


def _act(panel: Panel, request: Request) -> None:
    if request.device not in panel.lights.now:
        raise FleetRefusedError(f"the fleet has no button {request.device!r}")
    if request.do != "watch":
        panel.do(request.device, Act(request.do))


async def _pass_on(
    changes: asyncio.Queue[Light], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Send changes until the client closes its side."""
    gone = asyncio.create_task(reader.read())
    try:
        while not gone.done():
            change = asyncio.create_task(changes.get())
            await asyncio.wait({gone, change}, return_when=asyncio.FIRST_COMPLETED)
            if change.done():
                await _send(writer, change.result())
            else:
                change.cancel()
    finally:
        gone.cancel()


async def _send(writer: asyncio.StreamWriter, message: Reply | Light) -> None:
    writer.write(msgspec.json.encode(message) + b"\n")
    await writer.drain()
