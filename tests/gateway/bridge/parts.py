"""Real and small parts that the bridge's tests are put together from."""

import asyncio
import contextlib
import getpass
import itertools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec

from gateway.bridge.envelope import seal
from gateway.registry.model import (
    Area,
    Category,
    Device,
    DeviceKind,
    DeviceStatus,
    Key,
    Owner,
    Point,
)

PREFIX = "siaga/v1"
NOW_MS = 1_790_000_100_000
Json = dict[str, object]


def a_device(device_id: str = "TRK-000123", **changes: object) -> Device:
    device = Device(
        id=device_id,
        kind=DeviceKind.STREET,
        label="Pasar Gusher",
        address="Jl. Gajah Mada",
        category=Category.CITY_ALARM,
        installed=Point(3.3012, 117.589),
        owner=Owner("Siti", "+62811"),
        camera_url=None,
        supervision_interval_s=900,
        status=DeviceStatus.ACTIVE,
        keys={1: Key(1, key_of(device_id), retired=False)},
    )
    return replaced(device, **changes)


def replaced(device: Device, **changes: object) -> Device:
    fields = {name: getattr(device, name) for name in Device.__slots__}
    return Device(**{**fields, **changes})


def key_of(device_id: str, generation: int = 1) -> bytes:
    return f"{device_id}#{generation}".encode().ljust(32, b".")


class Devices:
    """A directory of the devices it is given, all in one area."""

    def __init__(self, *devices: Device, area: Area | None = None) -> None:
        self.devices = {device.id: device for device in devices}
        self.everywhere = area

    def device(self, device_id: str) -> Device | None:
        return self.devices.get(device_id)

    def area(self, at: Point) -> Area | None:
        del at
        return self.everywhere


def topic_of(device_id: str, lane: str) -> str:
    return f"{PREFIX}/{device_id}/{lane}"


def alarm(boot: int = 1, seq: int = 0, **more: object) -> dict[int, object]:
    return _body({0: 1, 1: boot, 2: seq, 3: 1_790_000_000, 4: 500, 5: 0, 6: 1}, more)


def heartbeat(boot: int = 1, seq: int = 0, **more: object) -> dict[int, object]:
    return _body({0: 4, 1: boot, 2: seq, 3: 1_790_000_000 + seq, 4: 0, 16: 1}, more)


def _body(body: dict[int, object], more: Mapping[str, object]) -> dict[int, object]:
    return body | {int(key[1:]): value for key, value in more.items()}


def signed(
    body: dict[int, object], lane: str = "alarm", device: str = "TRK-000123", generation: int = 1
) -> tuple[str, bytes]:
    topic = topic_of(device, lane)
    return topic, seal(topic, f"{device}#{generation}", key_of(device, generation), body)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def until(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        await asyncio.sleep(0.01)


class Broker:
    """A real Mosquitto on a free port, with everything allowed and sessions kept on disk."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *lines: str) -> Self:
        configuration = self._directory / "mosquitto.conf"
        text = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            # Started as root it would become somebody who can't write its store.
            f"user {getpass.getuser()}",
            "persistence true",
            f"persistence_location {self._directory}/",
            "autosave_interval 1",
            "autosave_on_changes true",
            "max_inflight_messages 1000",
            "max_queued_messages 0",
            "log_type error",
            *lines,
        ]
        configuration.write_text("\n".join(text) + "\n", encoding="utf-8")
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "mosquitto is not installed"
        self._process = subprocess.Popen([program, "-c", str(configuration)])
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return self
            time.sleep(0.01)
        message = "mosquitto does not listen"
        raise AssertionError(message)

    def stop(self, sig: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(sig)
            self._process.wait(10)
            self._process = None

    def forget(self) -> None:
        """Lose every session."""
        (self._directory / "mosquitto.db").unlink(missing_ok=True)


class Peer:
    """A plain MQTT 3.1.1 client on a raw socket: what a test publishes and hears."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.cycle(range(1, 65_536))
        self._acknowledged: dict[int, asyncio.Future[None]] = {}
        self.session_present = False
        self.heard: list[tuple[str, bytes]] = []
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, port: int, client_id: str, *, clean: bool = True) -> Self:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        peer = cls(reader, writer)
        name = client_id.encode()
        head = b"\x00\x04MQTT\x04" + bytes((2 if clean else 0,)) + b"\x00\x00"
        peer._send(0x10, head + len(name).to_bytes(2, "big") + name)
        _, answer = await peer._packet()
        assert answer[1] == 0
        peer.session_present = bool(answer[0])
        peer._reading = asyncio.create_task(peer._read())
        return peer

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1 and wait until the broker has it."""
        packet_id = next(self._ids)
        done = self._acknowledged[packet_id] = asyncio.get_running_loop().create_future()
        self._send(0x32, _string(topic) + packet_id.to_bytes(2, "big") + payload)
        await asyncio.wait_for(done, 10)

    async def subscribe(self, topic: str) -> None:
        packet_id = next(self._ids)
        done = self._acknowledged[packet_id] = asyncio.get_running_loop().create_future()
        self._send(0x82, packet_id.to_bytes(2, "big") + _string(topic) + b"\x01")
        await asyncio.wait_for(done, 10)

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head, packet = await self._packet()
                if head >> 4 == 3:
                    size = int.from_bytes(packet[:2], "big")
                    topic, rest = packet[2 : 2 + size].decode(), packet[2 + size :]
                    self.heard.append((topic, rest[2:]))
                    self._send(0x40, rest[:2])
                elif head >> 4 in (4, 9):
                    done = self._acknowledged.pop(int.from_bytes(packet[:2], "big"))
                    done.set_result(None)

    async def _packet(self) -> tuple[int, bytes]:
        head = (await self._reader.readexactly(1))[0]
        size, shift = 0, 0
        while True:
            byte = (await self._reader.readexactly(1))[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return head, await self._reader.readexactly(size)

    def _send(self, head: int, packet: bytes) -> None:
        self._writer.write(bytes((head,)) + _length(len(packet)) + packet)


def _string(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


def _length(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, low = divmod(size, 128)
        encoded.append(low | (0x80 if size else 0))
        if not size:
            return bytes(encoded)


@dataclass
class FakeConsole:
    """A console that keeps what it gets by id, over real HTTP; faults are injected by a test."""

    events: dict[str, Json] = field(default_factory=dict)
    posts: list[list[str]] = field(default_factory=list)
    arrived_at: dict[str, float] = field(default_factory=dict)
    notices: list[Json] = field(default_factory=list)
    polls: list[str | None] = field(default_factory=list)
    status_for: Callable[[list[Json]], int] = lambda _: 200
    refuse: Callable[[Json], str | None] = lambda _: None
    before_answer: Callable[[], Awaitable[None]] | None = None
    port: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    connections: dict[asyncio.Task[object], asyncio.StreamWriter] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of_type(self, word: str) -> list[Json]:
        kind = f"id.siaga.button.{word}.v1"
        return [event for event in self.events.values() if event["type"] == kind]

    def notify(self, **notice: object) -> None:
        self.notices.append({"cursor": str(len(self.notices) + 1), **notice})
        self.news.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections[task] = writer
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                size = next(
                    (
                        int(line[15:])
                        for line in head.lower().splitlines()
                        if "content-length" in line
                    ),
                    0,
                )
                content = await reader.readexactly(size)
                status, answer = await self._answer(head.split()[1], content)
                body = msgspec.json.encode(answer)
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                )
                await writer.drain()
        writer.close()
        del self.connections[task]

    async def hang_up(self) -> None:
        """Close every connection, answered or not."""
        tasks = list(self.connections)
        for task, writer in self.connections.items():
            task.cancel()
            writer.close()
        self.connections.clear()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, target: str, content: bytes) -> tuple[int, Json]:
        if target.startswith("/v1/events"):
            return await self._take(json.loads(content))
        query = dict(part.split("=") for part in target.partition("?")[2].split("&"))
        after = query.get("after")
        self.polls.append(after)
        if len(self.notices) <= int(after or 0):
            self.news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.news.wait(), float(query["wait"]))
        fresh = self.notices[int(after or 0) :]
        return 200, {"notices": fresh, "cursor": str(len(self.notices)) if fresh else after}

    async def _take(self, batch: list[Json]) -> tuple[int, Json]:
        self.posts.append([str(event["id"]) for event in batch])
        now = time.monotonic()
        if self.before_answer is not None:
            await self.before_answer()
        status = self.status_for(batch)
        if status != 200:
            return status, {}
        results: list[Json] = []
        for event in batch:
            event_id = str(event["id"])
            if reason := self.refuse(event):
                results.append({"id": event_id, "status": "refused", "reason": reason})
            elif event_id in self.events:
                results.append({"id": event_id, "status": "duplicate"})
            else:
                self.events[event_id] = event
                self.arrived_at[event_id] = now
                results.append({"id": event_id, "status": "created"})
        return 200, {"results": results}


@contextlib.asynccontextmanager
async def running_console(console: FakeConsole, port: int = 0) -> AsyncIterator[FakeConsole]:
    server = await asyncio.start_server(
        console.serve, "127.0.0.1", port or console.port, limit=2**21
    )
    console.port = server.sockets[0].getsockname()[1]
    try:
        yield console
    finally:
        server.close()
        await console.hang_up()


def _content_length(head: str) -> int:
    lines = (line.partition(":") for line in head.lower().splitlines())
    return next((int(value) for name, _, value in lines if name == "content-length"), 0)


@contextlib.contextmanager
def running_broker(directory: Path) -> Iterator[Broker]:
    directory.mkdir(exist_ok=True)
    broker = Broker(directory).start()
    try:
        yield broker
    finally:
        broker.stop()


def a_token(path: Path) -> str:
    path.write_text(secrets.token_hex(8), encoding="utf-8")
    return str(path)
