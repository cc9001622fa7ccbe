"""A whole small gateway of one's own: registry, settings, and ways to run the bridge."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import msgspec

from gateway.bridge.envelope import open_envelope, seal, tag_is_valid
from gateway.bridge.service import Bridge, Parts, run
from gateway.bridge.settings import BridgeSettings
from gateway.registry.fields import Profile
from gateway.registry.migrate import migrate
from gateway.registry.model import DeviceKind, Point
from gateway.registry.registry import Registry
from tests.gateway.bridge.parts import a_token, free_port, topic_of, until

ROOT = Path(__file__).resolve().parents[3]


class Site:
    """Files and registry of one gateway."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.url = f"sqlite:///{directory / 'registry.db'}"
        self._key_file = directory / "deployment.key"
        self._key_file.write_bytes(os.urandom(32))
        migrate(self.url)
        self.registry = Registry.open(self.url, self._key_file.read_bytes())
        self.keys: dict[tuple[str, int], bytes] = {}
        self.http_port = free_port()

    def add(self, device_id: str, *, interval_s: int = 900) -> None:
        profile = Profile(
            kind=DeviceKind.STREET,
            label=f"Tiang {device_id}",
            installed=Point(3.3, 117.58),
            supervision_interval_s=interval_s,
        )
        credentials = self.registry.add(device_id, profile, by="test")
        self.keys[device_id, credentials.generation] = credentials.key

    def signed(
        self, body: dict[int, object], lane: str, device: str = "TRK-000001", generation: int = 1
    ) -> tuple[str, bytes]:
        topic = topic_of(device, lane)
        kid = f"{device}#{generation}"
        return topic, seal(topic, kid, self.keys[device, generation], body)

    def is_authentic(self, topic: str, message: bytes, generation: int = 1) -> bool:
        envelope = open_envelope(message)
        key = self.keys[topic.split("/")[-2], generation]
        return not isinstance(envelope, str) and tag_is_valid(envelope, topic, key)

    def is_serving(self, settings: BridgeSettings) -> bool:
        """Ask a bridge in another process whether it is ready."""
        connection = HTTPConnection("127.0.0.1", settings.http_port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()

    def settings(self, mqtt_port: int, console_url: str, **more: object) -> BridgeSettings:
        fields: dict[str, object] = {
            "gateway_id": "gw1",
            "journal": str(self.directory / "journal.db"),
            "registry_url": self.url,
            "deployment_key_file": str(self._key_file),
            "console_url": console_url,
            "console_token_file": a_token(self.directory / "token"),
            "mqtt_host": "127.0.0.1",
            "mqtt_port": mqtt_port,
            "mqtt_tls": False,
            "mqtt_username": None,
            "notice_wait_s": 1,
            "bulk_interval_s": 0.0,
            "longest_retry_s": 0.5,
            **more,
        }
        return msgspec.convert(fields, BridgeSettings)


@contextlib.asynccontextmanager
async def running_bridge(
    settings: BridgeSettings, parts: Parts | None = None
) -> AsyncIterator[Bridge]:
    """Run a bridge in this process, connected, and stop it cleanly."""
    bridges: list[Bridge] = []
    parts = msgspec.structs.replace(parts or Parts(), started=bridges.append)
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings, stop, parts))
    try:
        await until(lambda: task.done() or (bridges and not bridges[0].problems()), "the bridge")
        yield bridges[0]
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


def start_bridge(settings: BridgeSettings, *faults: str) -> subprocess.Popen[bytes]:
    """Run a bridge in a process of its own that kills itself where `faults` say."""
    launcher = str(Path(__file__).with_name("launch.py"))
    return subprocess.Popen(
        [sys.executable, launcher, msgspec.json.encode(settings).decode(), *faults],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
