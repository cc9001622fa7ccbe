"""The console as a process: listens, serves, and stops without losing an answer."""

import asyncio
import contextlib
import errno
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvicorn
from sqlalchemy.exc import DBAPIError

from console_api.app import create_app, stop_waiting
from console_api.errors import ConsoleError
from console_api.settings import ConsoleSettings

log: Final = logging.getLogger(__name__)
GRACE_S: Final = 10
BACKLOG: Final = 512
LARGEST_HEAD_BYTES: Final = 32 * 1024


class StartError(ConsoleError):
    """The console cannot start; the one line says what to do."""


async def run(settings: ConsoleSettings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set; answer what has begun, then return.

    Raises StartError or NotMigratedError, each with one line for the person.
    """
    _check_folder(Path(settings.photos_dir))
    with contextlib.closing(_listen(settings.host, settings.port)) as listener:
        try:
            app = create_app(settings)
        except DBAPIError as error:
            raise StartError(_about_database(settings, error)) from error
        except OSError as error:
            raise StartError(f"cannot read {error.filename}: {error.strerror}") from error
        server = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=list(settings.trusted_proxies),
                timeout_graceful_shutdown=GRACE_S,
                backlog=BACKLOG,
                h11_max_incomplete_event_size=LARGEST_HEAD_BYTES,
                lifespan="on",
                ws="none",
            ),
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            stop_waiting(app)
            server.should_exit = True
            await serving
        if not server.started:
            raise StartError("the console did not start; the log says why")


class _Server(uvicorn.Server):
    """Leaves signals to whoever composed the parts."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"cannot listen on {host}: {error}; check the host setting") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.set_inheritable(False)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} of {host} is taken; stop what holds it or choose another port"
        else:
            message = f"cannot listen on {host} port {port}: {error.strerror}"
        raise StartError(message) from error
    return listener


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"cannot make the folder of photos {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StartError(f"cannot write into the folder of photos {folder}; check its owner")


def _about_database(settings: ConsoleSettings, error: DBAPIError) -> str:
    reason = str(error.orig)
    if "locked" in reason:
        advice = "another program holds it; stop that program and start again"
    elif "full" in reason:
        advice = "make room on the disk and start again"
    elif "unable to open" in reason:
        advice = "check that the folder is there and yours, or run siaga init"
    else:
        advice = "check the file, or restore a backup"
    place = settings.database.rpartition("///")[2] if "///" in settings.database else "the server"
    return f"the database {place} cannot be used: {reason}; {advice}"
