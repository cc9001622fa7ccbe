"""How long an alarm takes from PUBLISH to an operator's stream, alone and beside a flood."""

import contextlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import msgspec

from benchmarks.gateway import Gateway, free_ports, mosquitto
from benchmarks.ingest_load import connect, publish_packet
from benchmarks.table import Row
from console_api import admin
from console_api.accounts.roles import Role
from console_api.settings import ConsoleSettings

_DEVICES = 2_000
_FLOOD_PER_S = 10_000
_FLOOD_S = 22
_ALARMS = 300
_EVERY_S = 0.05
_WARM_UP = 20
_AIM = 3.0
_NAME, _PASSWORD = "operator", "a password of some length"


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        gateway = Gateway(directory, _DEVICES)
        flood = _flood(directory / "flood", gateway)
        alone = _measure(directory / "alone", gateway, None)
        beside = _measure(directory / "beside", gateway, flood)
    p50, p99 = _percentiles(alone)
    loaded_p50, loaded_p99 = _percentiles(beside)
    return [
        Row(
            "latency: alarm PUBLISH → server-sent event, nothing else",
            f"p99 {p99:.1f} ms",
            f"p50 {p50:.1f} ms",
            "1.0",
        ),
        Row(
            f"latency: the same beside {_FLOOD_PER_S:,} heartbeats/s (≤ {_AIM:g} times)",
            f"p99 {loaded_p99:.1f} ms, p50 {loaded_p50:.1f} ms",
            f"alone: p99 {p99:.1f} ms",
            f"{loaded_p99 / p99:.2f}",
        ),
    ]


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    ordered = sorted(one * 1000 for one in seconds)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)]


def _flood(path: Path, gateway: Gateway) -> Path:
    devices = gateway.devices[_ALARMS:]
    with path.open("wb") as file:
        for number in range(_FLOOD_PER_S * _FLOOD_S):
            topic, message = gateway.heartbeat(
                devices[number % len(devices)], number // len(devices)
            )
            packet = publish_packet(topic, number % 65_535 + 1, message)
            file.write(len(packet).to_bytes(4, "big") + packet)
    return path


def _measure(directory: Path, gateway: Gateway, flood: Path | None) -> list[float]:
    """Return how many seconds each of the alarms took."""
    directory.mkdir()
    with ExitStack() as running:
        port = running.enter_context(mosquitto(directory))
        console = _console_settings(directory)
        token = _prepare(console)
        (directory / "token").write_text(token, encoding="utf-8")
        running.enter_context(
            _program("benchmarks.latency_console", msgspec.json.encode(console).decode())
        )
        stream = _Stream(console.port)
        settings = gateway.settings(
            directory / "journal.db",
            port,
            console.port,
            console_token_file=str(directory / "token"),
        )
        encoded = msgspec.json.encode(settings).decode()
        bridge = running.enter_context(_program("benchmarks.latency_bridge", encoded))
        assert _line(bridge) == "ready"
        if flood is not None:
            load = running.enter_context(
                _program("benchmarks.latency_load", str(port), str(flood), str(_FLOOD_PER_S))
            )
            assert _line(load) == "ready"
        return _press(gateway, port, stream)


def _console_settings(directory: Path) -> ConsoleSettings:
    return ConsoleSettings(
        database=f"sqlite:///{directory / 'console.db'}",
        photos_dir=str(directory / "photos"),
        port=free_ports(1)[0],
    )


def _prepare(console: ConsoleSettings) -> str:
    """Make the console's database and its accounts; returns the gateway's token."""
    admin.initialise(console)
    admin.add_user(console, _NAME, Role.OPERATOR, _PASSWORD)
    return admin.create_service_token(console, "gw1", Role.GATEWAY)


def _press(gateway: Gateway, port: int, stream: "_Stream") -> list[float]:
    """Press one button after another; each one opens a case of its own."""
    connection = connect(port, b"buttons")
    pressed: dict[str, float] = {}
    for number, device in enumerate(gateway.devices[:_ALARMS]):
        topic, message = gateway.alarm(device, 1_000_000)
        pressed[device] = time.monotonic()
        connection.sendall(publish_packet(topic, number + 1, message))
        time.sleep(_EVERY_S)
    stream.wait(_ALARMS)
    connection.close()
    # The first ones meet cold caches and a console connection that is yet to be made.
    return [stream.seen[one] - at for one, at in list(pressed.items())[_WARM_UP:]]


class _Stream:
    """An operator's stream: when the case of each device was first seen."""

    def __init__(self, port: int) -> None:
        self.seen: dict[str, float] = {}
        self._more = threading.Condition()
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=None)  # noqa: S113 - a stream waits
        token = self._log_in()
        self._opened = threading.Event()
        threading.Thread(target=self._read, args=(token,), daemon=True).start()
        assert self._opened.wait(10), "the stream does not open"

    def wait(self, count: int) -> None:
        """Wait until the cases of this many devices have been seen."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.seen) >= count, 30), "alarms are missing"

    def _log_in(self) -> str:
        deadline = time.monotonic() + 15
        while True:
            try:
                answer = self._client.post(
                    "/v1/session", json={"username": _NAME, "password": _PASSWORD}
                )
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the console does not start"
                time.sleep(0.05)
            else:
                answer.raise_for_status()
                return str(answer.json()["token"])

    def _read(self, token: str) -> None:
        # The console ends before its reader: the stream then breaks off, and all has been seen.
        with contextlib.suppress(httpx.TransportError):
            self._follow(token)

    def _follow(self, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        with self._client.stream("GET", "/v1/stream", headers=headers) as response:
            self._opened.set()
            kind = ""
            for line in response.iter_lines():
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:") and kind == "case":
                    self._note(msgspec.json.decode(line[5:], type=_Case).device.id)

    def _note(self, device: str) -> None:
        now = time.monotonic()
        with self._more:
            self.seen.setdefault(device, now)
            self._more.notify()


class _Device(msgspec.Struct):
    id: str


class _Case(msgspec.Struct):
    device: _Device


@contextmanager
def _program(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
