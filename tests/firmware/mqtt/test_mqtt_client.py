"""One connection and the link above it, against brokers that misbehave in every known way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from firmware.button import link as link_module
from firmware.button import mqtt_packets
from firmware.button.link import Link
from firmware.button.mqtt_client import Connection, PacketIds
from firmware.button.streams import Broker
from tests.firmware.mqtt.helpers import (
    CONNACK,
    CONNACK_SESSION,
    DOWN,
    Memory,
    NoJitter,
    accept,
    packet,
    scripted_broker,
    until,
)


@asynccontextmanager
async def running(broker: Broker, owner: Memory) -> AsyncIterator[Link]:
    link = Link(broker, DOWN, owner, NoJitter())
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        await link.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten every time limit of a connection to a fraction of a second."""
    made = Connection.__init__

    def make(self: Connection, *args: object, **kwargs: object) -> None:
        made(self, *args, **{**kwargs, "response_s": 0.3})  # type: ignore[arg-type]

    monkeypatch.setattr(Connection, "__init__", make)
    monkeypatch.setattr(link_module, "FIRST_MS", 20)


@pytest.mark.parametrize(("connack", "present"), [(CONNACK, False), (CONNACK_SESSION, True)])
async def test_a_session_that_is_still_there_is_accepted(connack: bytes, present: bool) -> None:  # noqa: FBT001 - a table
    owner = Memory()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer, connack)
        await packet(reader)

    async with scripted_broker(script) as broker, running(broker, owner):
        await until(lambda: owner.online == [present])


def test_packet_ids_wrap_and_skip_those_in_use() -> None:
    ids = PacketIds()
    in_use: dict[int, object] = {1: None, 2: None, 65_535: None}
    seen = [ids.next(in_use) for _ in range(65_532 * 2)]  # type: ignore[arg-type]
    assert seen[:65_532] == list(range(3, 65_535))
    assert seen[65_532:] == seen[:65_532]


@pytest.mark.usefixtures("quick")
async def test_a_clean_close_by_the_broker_is_noticed_and_another_connection_made() -> None:
    owner = Memory()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        await writer.drain()
        writer.close()

    async with scripted_broker(script) as broker, running(broker, owner):
        await until(lambda: len(owner.online) >= 2)
    assert owner.offline[0] == "no connection: the broker closed it; trying again"
    assert owner.wills >= 2


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del writer
    while await reader.read(100):
        pass


async def _deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await accept(reader, writer)
    await _silent(reader, writer)


async def _no_suback(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await packet(reader)
    writer.write(CONNACK)
    await _silent(reader, writer)


async def _refused(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await packet(reader)
    writer.write(b"\x20\x02\x00\x04")
    await writer.drain()


async def _no_topic(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await packet(reader)
    writer.write(CONNACK)
    _, subscribe = await packet(reader)
    writer.write(b"\x90\x03" + subscribe[:2] + b"\x80")
    await _silent(reader, writer)


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await packet(reader)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await _silent(reader, writer)


async def _other_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await packet(reader)
    writer.write(b"\xd0\x00")
    await _silent(reader, writer)


async def _second_connack(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await accept(reader, writer)
    writer.write(CONNACK)
    await _silent(reader, writer)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param(_silent, "does not answer CONNECT", id="no CONNACK"),
        pytest.param(_no_suback, "stopped answering", id="no SUBACK"),
        pytest.param(_refused, "wrong username or password", id="refused"),
        pytest.param(_no_topic, "refuses the subscription", id="subscription refused"),
        pytest.param(_garbage, "is this an MQTT port", id="not MQTT"),
        pytest.param(_other_answer, "with another packet", id="no CONNACK first"),
        pytest.param(_second_connack, "second CONNACK", id="a second CONNACK"),
    ],
)
@pytest.mark.usefixtures("quick")
async def test_each_fault_of_a_broker_is_told_and_tried_again(
    script: Callable[[asyncio.StreamReader, asyncio.StreamWriter], "asyncio.Future[None]"],
    reason: str,
) -> None:
    owner = Memory()
    async with scripted_broker(script) as broker, running(broker, owner):
        await until(lambda: len(owner.offline) >= 2)
    assert all(reason in told for told in owner.offline[:2])


@pytest.mark.usefixtures("quick")
async def test_a_port_that_nobody_listens_on_is_told() -> None:
    owner = Memory()
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    broker = Broker("127.0.0.1", port, None, client_id="c", username="u", password="p")
    async with running(broker, owner):
        await until(lambda: owner.offline)
    assert f"127.0.0.1:{port}" in owner.offline[0]


@pytest.mark.usefixtures("quick")
async def test_a_half_open_connection_is_noticed_by_an_unanswered_publish() -> None:
    owner = Memory()
    async with scripted_broker(_deaf) as broker, running(broker, owner) as link:
        await until(lambda: owner.online)
        assert link.publish("t", b"help", (1, 1))
        await until(lambda: owner.offline, limit_s=2)
    assert "stopped answering" in owner.offline[0]
    assert owner.delivered == []


@pytest.mark.usefixtures("quick")
async def test_a_half_open_connection_is_noticed_by_an_unanswered_ping() -> None:
    owner = Memory()
    owner.keepalive = 1
    async with scripted_broker(_deaf) as broker, running(broker, owner):
        await until(lambda: owner.offline, limit_s=4)
    assert "stopped answering" in owner.offline[0]


@pytest.mark.usefixtures("quick")
async def test_pings_keep_an_idle_connection() -> None:
    owner = Memory()
    owner.keepalive = 1
    pings = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal pings
        await accept(reader, writer)
        while True:
            first, _ = await packet(reader)
            if first == 0xC0:
                pings += 1
                writer.write(b"\xd0\x00")

    async with scripted_broker(script) as broker, running(broker, owner):
        await until(lambda: pings >= 3)
    assert owner.offline == []


async def test_a_message_is_acknowledged_only_after_it_has_been_handled() -> None:
    owner = Memory()
    owner.hold = asyncio.Event()
    acknowledged: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write(mqtt_packets.publish(DOWN, b"receipt", 77))
        first, body = await packet(reader)
        assert first == 0x40
        acknowledged.append(body)

    async with scripted_broker(script) as broker, running(broker, owner):
        await until(lambda: owner.messages == [(DOWN, b"receipt")])
        assert acknowledged == []
        owner.hold.set()
        await until(lambda: acknowledged == [b"\x00\x4d"])


async def test_a_message_that_is_too_long_is_acknowledged_and_the_next_one_read() -> None:
    owner = Memory()
    acknowledged: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.write(mqtt_packets.publish(DOWN, bytes(100_000), 1))
        writer.write(mqtt_packets.publish(DOWN, b"good", 2))
        acknowledged.extend([(await packet(reader))[1] for _ in range(2)])

    async with scripted_broker(script) as broker, running(broker, owner):
        await until(lambda: len(acknowledged) == 2)
    assert owner.messages == [(DOWN, None), (DOWN, b"good")]


async def test_messages_queued_for_us_may_come_before_the_suback() -> None:
    owner = Memory()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(CONNACK_SESSION + mqtt_packets.publish(DOWN, b"queued", 5))
        _, subscribe = await packet(reader)
        writer.write(b"\x90\x03" + subscribe[:2] + b"\x01")
        await _silent(reader, writer)

    async with scripted_broker(script) as broker, running(broker, owner):
        await until(lambda: owner.messages == [(DOWN, b"queued")])
    assert owner.offline == []


async def test_the_subscription_leaves_before_anything_is_published() -> None:
    owner = Memory()
    firsts: list[int] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(CONNACK)
        firsts.extend([(await packet(reader))[0] for _ in range(2)])

    async with scripted_broker(script) as broker, running(broker, owner) as link:
        await until(lambda: owner.online)
        link.publish("t", b"help", (1, 1))
        await until(lambda: len(firsts) == 2)
    assert firsts == [0x82, 0x32]


async def test_a_full_window_refuses_and_an_acknowledgement_opens_it() -> None:
    owner = Memory()
    go_on = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        first, body = await packet(reader)
        assert first == 0x32
        await go_on.wait()
        writer.write(b"\x40\x02" + body[3:5])
        await _silent(reader, writer)

    async with scripted_broker(script) as broker, running(broker, owner) as link:
        await until(lambda: owner.online)
        taken = [link.publish("t", b"x", (1, n)) for n in range(40)]
        assert taken == [True] * 32 + [False] * 8
        go_on.set()
        await until(lambda: owner.delivered == [(1, 0)])
        assert link.publish("t", b"x", (1, 99))


async def test_leaving_says_so_to_the_broker() -> None:
    owner = Memory()
    last: list[int] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        while True:
            last.append((await packet(reader))[0])

    async with scripted_broker(script) as broker:
        async with running(broker, owner) as link:
            await until(lambda: owner.online)
            link.publish("t", b"last words", (1, 1))
        await until(lambda: last[-1:] == [0xE0])
    assert last == [0x32, 0xE0]


async def test_a_press_does_not_wait_for_the_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "FIRST_MS", 60_000)
    monkeypatch.setattr(link_module, "URGENT_MS", 60_000)
    owner = Memory()
    async with scripted_broker(_refused) as broker, running(broker, owner) as link:
        await until(lambda: len(owner.offline) == 1)
        link.hurry()
        await until(lambda: len(owner.offline) == 2, limit_s=2)


class UntellableError(Exception):
    """Stands for a heap so full that not even the fault can be told."""

    def __repr__(self) -> str:
        raise MemoryError


async def test_a_part_that_ends_untold_ends_the_connection_and_the_link_connects_again(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del quick
    owner = Memory()

    async def fail(topic: str, payload: bytes | None) -> None:
        del topic, payload
        raise UntellableError

    monkeypatch.setattr(owner, "on_message", fail)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        if len(owner.online) == 1:
            writer.write(mqtt_packets.publish(DOWN, b"receipt", 1))
        await reader.read()

    async with scripted_broker(script) as broker, running(broker, owner):
        await until(lambda: len(owner.online) == 2)
    assert owner.offline[0] == "a fault of ours, MemoryError()"
