"""A broker that does what a test says, and an owner that remembers what it was told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from firmware.button.interfaces import Jitter, Owner
from firmware.button.streams import Broker

CONNACK = b"\x20\x02\x00\x00"
CONNACK_SESSION = b"\x20\x02\x01\x00"
DOWN = "siaga/v1/TRK-000123/down"
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class NoJitter(Jitter):
    def below(self, limit: int) -> int:
        del limit
        return 0


class Memory(Owner):
    def __init__(self) -> None:
        self.online: list[bool] = []
        self.offline: list[str] = []
        self.messages: list[tuple[str, bytes | None]] = []
        self.delivered: list[tuple[int, int]] = []
        self.keepalive = 30
        self.urgent = True
        self.wills = 0
        self.hold: asyncio.Event | None = None

    def keepalive_s(self) -> int:
        return self.keepalive

    def will(self) -> tuple[str, bytes]:
        self.wills += 1
        return "siaga/v1/TRK-000123/status", b"will %d" % self.wills

    def is_urgent(self) -> bool:
        return self.urgent

    def on_online(self, *, session_present: bool) -> None:
        self.online.append(session_present)

    def on_offline(self, reason: str) -> None:
        self.offline.append(reason)

    async def on_message(self, topic: str, payload: bytes | None) -> None:
        self.messages.append((topic, payload))
        if self.hold is not None:
            await self.hold.wait()

    def on_delivered(self, token: tuple[int, int]) -> None:
        self.delivered.append(token)


async def until(condition: Callable[[], object], limit_s: float = 10) -> None:
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.005)


async def packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one MQTT packet: its first byte and its body."""
    first = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return first, await reader.readexactly(length)


async def accept(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connack: bytes = CONNACK
) -> bytes:
    """Answer CONNECT and SUBSCRIBE; return CONNECT's body."""
    first, connect = await packet(reader)
    assert first == 0x10
    writer.write(connack)
    first, subscribe = await packet(reader)
    assert first == 0x82
    writer.write(b"\x90\x03" + subscribe[:2] + b"\x01")
    return connect


@asynccontextmanager
async def scripted_broker(script: Script) -> AsyncIterator[Broker]:
    """Run `script` for each connection; its failure is the test's."""
    failures: list[BaseException] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except AssertionError as error:
            failures.append(error)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Broker("127.0.0.1", port, None, client_id="TRK-000123", username="u", password="p")
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        await server.wait_closed()
    assert failures == []
