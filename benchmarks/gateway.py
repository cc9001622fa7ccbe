"""A registry, a broker and a bridge's settings for one benchmark."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from gateway.bridge.envelope import seal
from gateway.bridge.settings import BridgeSettings
from gateway.registry.migrate import migrate
from gateway.registry.registry import Registry

_PREFIX = "siaga/v1"


class Gateway:
    """Registered devices that can sign, and where the bridge finds them."""

    def __init__(self, directory: Path, devices: int) -> None:
        self._directory = directory
        self._url = f"sqlite:///{directory / 'registry.db'}"
        self._key_file = directory / "deployment.key"
        self._key_file.write_bytes(os.urandom(32))
        (directory / "token").write_text("token", encoding="utf-8")
        migrate(self._url)
        registry = Registry.open(self._url, self._key_file.read_bytes())
        self.devices = tuple(f"TRK-{number:06}" for number in range(devices))
        self._keys = {one: registry.add(one, by="benchmark").key for one in self.devices}
        registry.close()

    def heartbeat(self, device: str, seq: int) -> tuple[str, bytes]:
        """Return topic and message of a heartbeat."""
        return self._signed("status", device, {0: 4, 1: 1, 2: seq, 3: 1_790_000_000, 4: 0, 16: 1})

    def alarm(self, device: str, seq: int) -> tuple[str, bytes]:
        """Return topic and message of an alarm with a position."""
        position = {0: 33_012_345, 1: 1_175_890_123, 2: 1, 3: 2, 4: 92, 5: 11}
        body = {0: 1, 1: 1, 2: seq, 3: 1_790_000_000, 4: 0, 5: 0, 6: 1, 7: position}
        return self._signed("alarm", device, body)

    def settings(
        self, journal: Path, mqtt_port: int, console_port: int, **more: object
    ) -> BridgeSettings:
        """Return settings of a bridge on these ports."""
        fields: dict[str, object] = {
            "gateway_id": "gw1",
            "journal": str(journal),
            "registry_url": self._url,
            "deployment_key_file": str(self._key_file),
            "console_url": f"http://127.0.0.1:{console_port}",
            "console_token_file": str(self._directory / "token"),
            "mqtt_host": "127.0.0.1",
            "mqtt_port": mqtt_port,
            "mqtt_tls": False,
            "mqtt_username": None,
            **more,
        }
        return msgspec.convert(fields, BridgeSettings)

    def _signed(self, lane: str, device: str, body: dict[int, object]) -> tuple[str, bytes]:
        topic = f"{_PREFIX}/{device}/{lane}"
        return topic, seal(topic, f"{device}#1", self._keys[device], body)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def mosquitto(directory: Path) -> Iterator[int]:
    """Run Mosquitto on a free port with room for every message."""
    (port,) = free_ports(1)
    configuration = directory / "mosquitto.conf"
    lines: Sequence[str] = (
        f"listener {port} 127.0.0.1",
        "allow_anonymous true",
        "max_inflight_messages 1000",
        "max_queued_messages 0",
        "set_tcp_nodelay true",
        "log_type error",
    )
    configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "mosquitto is not installed"
    process = subprocess.Popen([program, "-c", str(configuration)])
    try:
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert time.monotonic() < deadline, "mosquitto does not listen"
            time.sleep(0.01)
        yield port
    finally:
        process.terminate()
        process.wait(10)
