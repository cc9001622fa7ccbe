"""How long an alarm takes from PUBLISH to the console, alone and beside a flood of heartbeats."""

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from benchmarks.gateway import Gateway, mosquitto
from benchmarks.ingest_load import connect, publish_packet
from benchmarks.table import Row

_DEVICES = 2_000
_FLOOD_PER_S = 10_000
_FLOOD_S = 22
_ALARMS = 300
_EVERY_S = 0.05
_AIM = 3.0


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
            "latency: alarm PUBLISH → console has it, nothing else",
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
    devices = gateway.devices[1:]
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
        console = running.enter_context(_program("benchmarks.latency_console"))
        arrivals = _Arrivals(console)
        settings = gateway.settings(directory / "journal.db", port, arrivals.port)
        encoded = msgspec.json.encode(settings).decode()
        bridge = running.enter_context(_program("benchmarks.latency_bridge", encoded))
        assert _line(bridge) == "ready"
        if flood is not None:
            load = running.enter_context(
                _program("benchmarks.latency_load", str(port), str(flood), str(_FLOOD_PER_S))
            )
            assert _line(load) == "ready"
        return _press(gateway, port, arrivals)


def _press(gateway: Gateway, port: int, arrivals: "_Arrivals") -> list[float]:
    device = gateway.devices[0]
    connection = connect(port, b"button")
    sent: dict[str, float] = {}
    for seq in range(_ALARMS):
        packet = publish_packet(*_swap(gateway.alarm(device, seq), seq + 1))
        sent[f"{device}:1:{seq}"] = time.monotonic()
        connection.sendall(packet)
        time.sleep(_EVERY_S)
    arrivals.wait(_ALARMS)
    connection.close()
    # The first ones meet cold caches and a console connection that is yet to be made.
    warm = list(sent)[20:]
    return [arrivals.at[one] - sent[one] for one in warm]


def _swap(signed: tuple[str, bytes], packet_id: int) -> tuple[str, int, bytes]:
    return signed[0], packet_id, signed[1]


class _Arrivals:
    """Reads what the console notes."""

    def __init__(self, console: subprocess.Popen[str]) -> None:
        self.port = int(_line(console))
        self.at: dict[str, float] = {}
        self._more = threading.Condition()
        threading.Thread(target=self._read, args=(console,), daemon=True).start()

    def wait(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.at) >= count, 30), "alarms are missing"

    def _read(self, console: subprocess.Popen[str]) -> None:
        assert console.stdout is not None
        for line in console.stdout:
            event_id, seconds = line.split()
            with self._more:
                self.at[event_id] = float(seconds)
                self._more.notify()


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
