"""The broker's files, kept true to the registry."""

import asyncio
import os
import pwd
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import structlog

from gateway.broker.access import render_emqx_acl, render_mosquitto_acl
from gateway.broker.atomic import write_private_if_changed
from gateway.broker.errors import BrokerError, BrokerFilesError
from gateway.broker.mosquitto_conf import render_mosquitto_conf, render_passwords
from gateway.broker.settings import BrokerSettings
from gateway.registry.errors import RegistryError
from gateway.registry.passwords import SALT_BYTES, hash_password, verify_password

_LOG = structlog.get_logger(__name__)

WATCH_INTERVAL_S = 0.25


class Logins(Protocol):
    """The part of the registry that the broker needs."""

    def revision(self) -> int:
        """Return a number that rises with every change."""

    def logins(self) -> Iterable[tuple[str, str]]:
        """Give device id and password hash of all devices that may connect."""


class BrokerFiles:
    """Writes the files of one broker and rewrites the passwords when the registry has moved."""

    def __init__(self, settings: BrokerSettings, logins: Logins, gateway_password: str) -> None:
        self._settings = settings
        self._logins = logins
        self._gateway_password = gateway_password
        self._gateway_hash: str | None = None
        self._revision: int | None = None
        self._text: str | None = None

    def write(self) -> bool:
        """Write all files; tell whether any has changed. Raises BrokerFilesError, RegistryError."""
        settings = self._settings
        settings.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {"prefix": settings.prefix, "gateway_user": settings.gateway_user}
        texts = {
            settings.configuration: render_mosquitto_conf(
                settings, run_as=owner_of(settings.directory)
            ),
            settings.acl: render_mosquitto_acl(**names),
            settings.emqx_acl: render_emqx_acl(**names),
        }
        changed = [write_private_if_changed(path, text.encode()) for path, text in texts.items()]
        return self._write_passwords() or any(changed)

    def refresh(self) -> bool:
        """Rewrite the password file if the registry has moved; tell whether to reload the broker.

        That doesn't hang on who wrote the file: another process may have been first with the
        same text, and would not have told the broker. So the first call says yes, too.
        """
        if self._logins.revision() == self._revision:
            return False
        before = self._text
        self._write_passwords()
        return self._text != before

    def _write_passwords(self) -> bool:
        # Read before the logins: what changes in between is written next time.
        revision = self._logins.revision()
        if self._gateway_hash is None:
            self._gateway_hash = self._known_hash() or hash_password(
                self._gateway_password, os.urandom(SALT_BYTES)
            )
        text = render_passwords(
            self._settings.gateway_user, self._gateway_hash, self._logins.logins()
        )
        changed = write_private_if_changed(self._settings.passwords, text.encode())
        # Only now: a full disk must not pass for a change that has been written.
        self._text, self._revision = text, revision
        return changed

    def _known_hash(self) -> str | None:
        # A new salt would look like a new password, and cost the gateway its connection.
        try:
            with self._settings.passwords.open(encoding="utf-8") as file:
                user, _, stored = file.readline().strip().partition(":")
        except (OSError, UnicodeDecodeError):
            return None
        fits = verify_password(self._gateway_password, stored)
        return stored if fits and user == self._settings.gateway_user else None


async def watch(
    files: BrokerFiles,
    reload: Callable[[], object],
    stop: asyncio.Event,
    *,
    interval_s: float = WATCH_INTERVAL_S,
) -> None:
    """Refresh the files and reload the broker after each change, until stopped.

    A registry that is locked and a broker that is down are told of once and tried again.
    """
    problem = ""
    pending = False
    while not stop.is_set():
        try:
            pending = await asyncio.to_thread(files.refresh) or pending
            if pending:
                await asyncio.to_thread(reload)
                pending = False
            problem = ""
        except (BrokerError, RegistryError) as error:
            if str(error) != problem:
                problem = str(error)
                _LOG.warning("broker.files", problem=problem)
        try:
            await asyncio.wait_for(stop.wait(), interval_s)
        except TimeoutError:
            continue


def reload_mosquitto(pid_file: Path) -> int:
    """Have Mosquitto read its files again; return its process id. Raises BrokerFilesError."""
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise BrokerFilesError(pid_file, "no Mosquitto runs with this file") from None
    except (OSError, ValueError) as error:
        raise BrokerFilesError(pid_file, str(error)) from None
    # A file left over from a crash may name another program by now; SIGHUP would end that.
    if name != "mosquitto":
        raise BrokerFilesError(pid_file, f"process {pid} is {name!r}, not mosquitto")
    try:
        os.kill(pid, signal.SIGHUP)
    except PermissionError:
        reason = f"process {pid} belongs to another account: run this as that account"
        raise BrokerFilesError(pid_file, reason) from None
    except ProcessLookupError:
        raise BrokerFilesError(pid_file, "no Mosquitto runs with this file") from None
    return pid


def owner_of(directory: Path) -> str:
    """Return the name of the account that a folder belongs to."""
    uid = directory.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise BrokerFilesError(directory, f"its owner {uid} has no account name") from None
