"""How much of a bare subscriber's rate the bridge reaches with its work done."""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.gateway import Gateway, free_ports, mosquitto
from benchmarks.ingest_load import publish_packet
from benchmarks.table import Row

_DEVICES = 500
_HEARTBEATS = 150_000
_ALARMS = 20_000
_ROUNDS = 3
_AIM = 0.6


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        gateway = Gateway(directory, _DEVICES)
        beats = _packets(directory / "heartbeats", gateway, _HEARTBEATS, gateway.heartbeat)
        alarms = _packets(directory / "alarms", gateway, _ALARMS, gateway.alarm)
        bare, whole, pressed = [], [], []
        for number in range(_ROUNDS):
            bare.append(_rate(directory / f"bare{number}", beats, _HEARTBEATS, None))
            whole.append(_rate(directory / f"whole{number}", beats, _HEARTBEATS, gateway))
            pressed.append(_rate(directory / f"alarms{number}", alarms, _ALARMS, gateway))
    limit, measured = statistics.median(bare), statistics.median(whole)
    ratio = statistics.median(one / other for one, other in zip(whole, bare, strict=True))
    return [
        Row(
            f"ingest: heartbeats verified, deduplicated, on disk, then acknowledged (≥ {_AIM})",
            f"{measured:,.0f}/s",
            f"bare gmqtt, acknowledging: {limit:,.0f}/s",
            f"{ratio:.2f}",
        ),
        Row(
            "ingest: alarms, each kept for ever, queued for the console and answered",
            f"{statistics.median(pressed):,.0f}/s",
            f"bare gmqtt, acknowledging: {limit:,.0f}/s",
            f"{statistics.median(pressed) / limit:.2f}",
        ),
    ]


def _packets(
    path: Path, gateway: Gateway, count: int, make: Callable[[str, int], tuple[str, bytes]]
) -> Path:
    devices = gateway.devices
    with path.open("wb") as file:
        for number in range(count):
            topic, message = make(devices[number % len(devices)], number // len(devices))
            file.write(publish_packet(topic, number % 65_535 + 1, message))
    return path


def _rate(directory: Path, packets: Path, count: int, gateway: Gateway | None) -> float:
    """Return messages a second; a bare subscriber's without a gateway."""
    directory.mkdir()
    with mosquitto(directory) as port:
        arguments = ["bare", str(port), str(count)]
        if gateway is not None:
            # Nobody at the console's port: what is measured is taking in, not passing on.
            settings = gateway.settings(directory / "journal.db", port, free_ports(1)[0])
            arguments = ["bridge", str(port), str(count), msgspec.json.encode(settings).decode()]
        with (
            _program("benchmarks.ingest_subscriber", *arguments) as subscriber,
            _program("benchmarks.ingest_load", str(port), str(packets)) as load,
        ):
            _expect(subscriber, "ready")
            _expect(load, "ready")
            _say(load)
            seconds = float(_line(subscriber))
            _say(load)
    return count / seconds


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
        process.communicate()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line, f"{process.args!r} ended"
    return line


def _expect(process: subprocess.Popen[str], word: str) -> None:
    assert _line(process) == word


def _say(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
