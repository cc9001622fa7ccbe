"""Starts and ends the real console for a test."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec

from console_api.settings import ConsoleSettings
from tests.console.http.helpers import Api, Site

ROOT = Path(__file__).resolve().parents[3]
LAUNCH = Path(__file__).with_name("launch.py")
LIMIT_S = 30.0
T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def until(look: Callable[[], T], what: str) -> T:
    """Wait until `look` returns something true, and return it."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {LIMIT_S:g} s for {what}")


class Server:
    """A console process on a free port."""

    def __init__(
        self, site: Site, *arguments: str, settings: ConsoleSettings | None = None, port: int = 0
    ) -> None:
        self.site = site
        self.port = port or free_port()
        (site.root / "settings.json").write_bytes(msgspec.json.encode(settings or site.settings))
        command = [sys.executable, "-W", "error", str(LAUNCH)]
        self.process = subprocess.Popen(
            [*command, str(site.root), str(self.port), *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def await_ready(self) -> None:
        until(self._ready, "the console's readiness")

    def end(self) -> tuple[int, str]:
        """Stop it gracefully and return its exit code and what it had to say."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            _, said = self.process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode, said

    def _ready(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def serving(
    site: Site, *arguments: str, settings: ConsoleSettings | None = None, port: int = 0
) -> Iterator[tuple[Server, Api]]:
    server = Server(site, *arguments, settings=settings, port=port)
    try:
        server.await_ready()
        with httpx.Client(base_url=server.url, timeout=LIMIT_S) as client:
            yield server, Api(client, site.tokens)
    finally:
        server.end()
