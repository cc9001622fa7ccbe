"""Mosquitto as a child process."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
from pathlib import Path
from typing import Self

from gateway.broker.errors import BrokerStartError, NoBrokerError, PortTakenError
from gateway.broker.probe import Answer, ask_broker
from gateway.broker.settings import BrokerSettings

# Debian puts it where only root's PATH looks; a local build goes to the other one.
_ALSO = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
_START_LIMIT_S = 10.0
_STOP_LIMIT_S = 5.0
_POLL_S = 0.02
_TIME = re.compile(r"[0-9T:-]+: ")


def find_mosquitto(path: str | None = None) -> Path | None:
    """Return Mosquitto's program, looked for on PATH and where root would look."""
    search = os.environ.get("PATH", os.defpath) if path is None else path
    found = shutil.which("mosquitto", path=os.pathsep.join((search, *_ALSO)))
    return Path(found) if found else None


def mosquitto_command(program: Path, settings: BrokerSettings) -> list[str]:
    """Return the command line that runs Mosquitto in the foreground."""
    return [str(program), "-c", str(settings.configuration)]


def check_ports(settings: BrokerSettings) -> None:
    """Raise PortTakenError if another program listens where the broker should."""
    wanted = [(settings.host, settings.port)]
    if settings.loopback_port is not None:
        wanted.append(("127.0.0.1", settings.loopback_port))
    for host, port in wanted:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise BrokerStartError(f"no address for {host}: {error.strerror}") from None
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind(address)
                except PermissionError:
                    reason = f"this account may not listen on port {port} of {host}"
                    raise BrokerStartError(reason) from None
                except OSError:
                    raise PortTakenError(host, port) from None


class Mosquitto:
    """A Mosquitto that answers; `stop` ends it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(
        cls,
        settings: BrokerSettings,
        gateway_password: str,
        ca: Path,
        *,
        program: Path | None = None,
        log: Path | None = None,
    ) -> Self:
        """Start Mosquitto on files that are written already, and wait until it answers.

        Its words go to `log`, by default `mosquitto.log` beside its files. Raises NoBrokerError,
        PortTakenError, BrokerStartError.
        """
        found = program or find_mosquitto()
        if found is None:
            raise NoBrokerError
        check_ports(settings)
        words = log or settings.directory / "mosquitto.log"
        with words.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *mosquitto_command(found, settings),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C is for the parent, which ends its parts in order.
                start_new_session=True,
            )
        broker = cls(process)
        try:
            await broker._answers(settings, gateway_password, ca, words)
        except BaseException:
            await broker.stop()
            raise
        return broker

    @property
    def pid(self) -> int:
        """Mosquitto's process id."""
        return self._process.pid

    def reload(self) -> None:
        """Have Mosquitto read passwords, access list and certificate again."""
        self._send(signal.SIGHUP)

    async def wait(self) -> int:
        """Wait until Mosquitto ends; return its exit status."""
        return await self._process.wait()

    async def stop(self) -> None:
        """End Mosquitto: it saves its sessions first; killed if that takes over 5 s."""
        self._send(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_LIMIT_S):
                await self._process.wait()
        except TimeoutError:
            self._send(signal.SIGKILL)
            await self._process.wait()

    def kill(self) -> None:
        """End Mosquitto as a power cut would."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _answers(
        self, settings: BrokerSettings, gateway_password: str, ca: Path, words: Path
    ) -> None:
        deadline = asyncio.get_running_loop().time() + _START_LIMIT_S
        while (answer := await ask_broker(settings, gateway_password, ca)) is not Answer.ACCEPTED:
            if self._process.returncode is not None:
                raise BrokerStartError(_last_words(words))
            if answer is Answer.REFUSED:
                user = settings.gateway_user
                raise BrokerStartError(f"it refuses {user}: write its files again")
            if asyncio.get_running_loop().time() > deadline:
                reason = f"no answer on port {settings.port} in {_START_LIMIT_S:.0f} s; see {words}"
                raise BrokerStartError(reason)
            await asyncio.sleep(_POLL_S)


def _last_words(words: Path) -> str:
    lines = words.read_text(encoding="utf-8", errors="replace").splitlines()
    # Mosquitto says what is wrong in one line and where in the next, each after the time.
    last = " ".join(_TIME.sub("", line) for line in lines[-2:])
    return f"{last or 'it said nothing'} (see {words})"
