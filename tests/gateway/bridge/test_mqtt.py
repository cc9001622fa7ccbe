"""The adapter against a real Mosquitto."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator
from functools import partial

import pytest

from gateway.bridge.errors import LinkLostError
from gateway.bridge.mqtt import Link, LinkSettings, Session
from tests.gateway.bridge.parts import Broker, Peer, until

TOPIC = "siaga/v1/TRK-000001/alarm"


class Heard:
    """What a link brought, not acknowledged."""

    def __init__(self) -> None:
        self.messages: list[tuple[Session, int, str, bytes]] = []
        self.ups: list[Session] = []

    def __call__(self, session: Session, packet_id: int, topic: str, payload: bytes) -> None:
        self.messages.append((session, packet_id, topic, payload))

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, _, _, payload in self.messages]

    def has(self, payload: bytes) -> bool:
        return payload in self.payloads

    def acknowledge(self, *at: int) -> None:
        for one in at:
            session, packet_id, _, _ = self.messages[one]
            session.acknowledge([packet_id])


@contextlib.asynccontextmanager
async def running_link(
    broker: Broker, heard: Heard, *, window: int = 100, timeout_s: float = 5.0
) -> AsyncIterator[Link]:
    settings = LinkSettings(
        client_id="gw1-alarm",
        host="127.0.0.1",
        port=broker.port,
        receive_maximum=window,
        timeout_s=timeout_s,
        first_delay_s=0.02,
        longest_delay_s=0.2,
    )
    link = Link(settings, ("siaga/v1/+/alarm",), heard, heard.ups.append)
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish(broker: Broker, *payloads: bytes) -> None:
    peer = await Peer.connect(broker.port, "TRK-000001")
    for payload in payloads:
        await peer.publish(TOPIC, payload)
    await peer.close()


async def test_a_message_that_was_not_acknowledged_comes_again_on_the_next_connection(
    broker: Broker,
) -> None:
    heard, again = Heard(), Heard()
    async with running_link(broker, heard) as link:
        await until(lambda: link.is_up, "link")
        await publish(broker, b"one", b"two", b"three")
        await until(lambda: len(heard.messages) == 3, "messages")
        heard.acknowledge(0)
    async with running_link(broker, again):
        await until(lambda: len(again.messages) == 2, "the rest")
    assert again.payloads == [b"two", b"three"]


async def test_an_acknowledgement_for_an_ended_connection_goes_nowhere(broker: Broker) -> None:
    heard = Heard()
    async with running_link(broker, heard) as link:
        await until(lambda: link.is_up, "link")
        await publish(broker, b"one", b"two")
        await until(lambda: len(heard.messages) == 2, "messages")
        broker.stop(signal.SIGTERM)
        broker.start()
        await until(lambda: len(heard.messages) == 4, "the same again")
        heard.acknowledge(0, 1)
        heard.acknowledge(2)
    last = Heard()
    async with running_link(broker, last):
        await until(lambda: last.messages, "the one that is owed")
    assert last.payloads == [b"two"]


async def test_the_broker_sends_no_more_than_the_window_before_an_acknowledgement(
    broker: Broker,
) -> None:
    heard = Heard()
    async with running_link(broker, heard, window=3) as link:
        await until(lambda: link.is_up, "link")
        await publish(broker, *(b"%d" % number for number in range(6)))
        await until(lambda: len(heard.messages) == 3, "a window")
        # The broker answers in order: it has had its chance to send a fourth.
        assert link.session is not None
        await link.session.publish("siaga/v1/TRK-000001/down", b"ping")
        assert len(heard.messages) == 3
        heard.acknowledge(0, 1, 2)
        await until(lambda: len(heard.messages) == 6, "the rest")
    assert heard.payloads == [b"%d" % number for number in range(6)]


async def test_acknowledgements_leave_in_the_order_they_are_given() -> None:
    packets: list[bytes] = []
    async with fake_broker(packets, deliver=3) as port:
        heard = Heard()
        async with running_link(_At(port), heard) as link:
            await until(lambda: link.is_up and len(heard.messages) == 3, "messages")
            session = heard.messages[0][0]
            session.acknowledge([packet_id for _, packet_id, _, _ in heard.messages])
            await until(lambda: len(packets) == 3, "acknowledgements")
    assert [int.from_bytes(packet[2:4], "big") for packet in packets] == [1, 2, 3]


async def test_publishing_past_the_brokers_window_waits_and_loses_nothing(broker: Broker) -> None:
    broker.stop()
    broker.start("max_inflight_messages 5")
    heard = Heard()
    listener = await Peer.connect(broker.port, "listener")
    await listener.subscribe("down/#")
    async with running_link(broker, heard) as link:
        await until(lambda: link.is_up, "link")
        assert link.session is not None
        sent = [link.session.publish("down/x", b"%d" % number) for number in range(500)]
        await asyncio.wait_for(asyncio.gather(*sent), 10)
    await until(lambda: len(listener.heard) == 500, "everything")
    assert [payload for _, payload in listener.heard] == [b"%d" % number for number in range(500)]
    await listener.close()


async def test_no_more_is_in_flight_than_the_broker_takes() -> None:
    packets: list[bytes] = []
    async with (
        fake_broker(packets, window=3) as port,
        running_link(_At(port), Heard()) as link,
    ):
        await until(lambda: link.is_up, "link")
        session = link.session
        assert session is not None
        sent = [session.publish("down/x", b"%d" % number) for number in range(10)]
        session.acknowledge([7])
        await until(lambda: packets and packets[-1][0] == 0x40, "what was written last")
        assert [packet[0] for packet in packets] == [0x32] * 3 + [0x40]
        await session.close()
        await asyncio.gather(*sent, return_exceptions=True)


async def test_a_publish_that_the_broker_did_not_acknowledge_fails_by_name() -> None:
    async with fake_broker([]) as port, running_link(_At(port), Heard()) as link:
        await until(lambda: link.is_up, "link")
        session = link.session
        assert session is not None
        future = session.publish("down/x", b"1")
        await session.close()
        with pytest.raises(LinkLostError):
            await future
        with pytest.raises(LinkLostError):
            await session.publish("down/x", b"2")


async def test_a_lost_session_is_subscribed_again(broker: Broker) -> None:
    heard = Heard()
    async with running_link(broker, heard) as link:
        await until(lambda: link.is_up, "link")
        broker.stop(signal.SIGKILL)
        broker.forget()
        broker.start()
        await until(lambda: len(heard.ups) == 2 and link.is_up, "the link again")
        assert not heard.ups[1].session_present
        await publish(broker, b"after")
        await until(lambda: heard.payloads == [b"after"], "the message")


async def test_a_broker_that_restarts_again_and_again_is_followed(broker: Broker) -> None:
    heard = Heard()
    async with running_link(broker, heard) as link:
        for number in range(4):
            await until(lambda: link.is_up, "link")
            await publish(broker, b"%d" % number)
            await until(partial(heard.has, b"%d" % number), "message")
            heard.acknowledge(-1)
            broker.stop(signal.SIGTERM)
            await until(lambda: not link.is_up, "the loss to be noticed")
            broker.start()
    assert set(heard.payloads) == {b"0", b"1", b"2", b"3"}


async def test_a_broker_that_never_answers_is_given_up_and_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        accepted: list[socket.socket] = []
        silent.settimeout(0)
        port = silent.getsockname()[1]
        async with running_link(_At(port), Heard(), timeout_s=0.05) as link:

            def connections() -> int:
                with contextlib.suppress(BlockingIOError):
                    accepted.append(silent.accept()[0])
                return len(accepted)

            await until(lambda: connections() >= 3, "three attempts")
            assert not link.is_up
        for connection in accepted:
            connection.close()


async def test_a_broker_that_speaks_only_version_3_1_1_is_followed() -> None:
    async with fake_broker([], only_3_1_1=True, deliver=1) as port:
        heard = Heard()
        async with running_link(_At(port), heard) as link:
            await until(lambda: link.is_up and heard.messages, "link and message")
    assert heard.payloads == [b"1"]


class _At(Broker):
    """Something that is not Mosquitto, at this port."""

    def __init__(self, port: int) -> None:
        self.port = port


@contextlib.asynccontextmanager
async def fake_broker(
    packets: list[bytes], *, deliver: int = 0, only_3_1_1: bool = False, window: int = 65_535
) -> AsyncIterator[int]:
    """Serve a broker that records PUBLISH and PUBACK and never acknowledges."""
    connack = b"\x20\x06\x00\x00\x03\x21" + window.to_bytes(2, "big")
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = await reader.readexactly(2)
                packet = await reader.readexactly(head[1])
                version = packet[6] if head[0] == 0x10 else 0
                if head[0] == 0x10 and only_3_1_1 and version != 4:
                    writer.write(b"\x20\x02\x00\x01")
                    break
                if head[0] == 0x10:
                    writer.write(b"\x20\x02\x00\x00" if only_3_1_1 else connack)
                elif head[0] == 0x82:
                    no_properties = b"" if only_3_1_1 else b"\x00"
                    answer = packet[:2] + no_properties + b"\x01"
                    writer.write(b"\x90" + bytes((len(answer),)) + answer)
                    for number in range(1, deliver + 1):
                        content = b"\x00\x01t" + bytes((0, number)) + no_properties + b"%d" % number
                        writer.write(b"\x32" + bytes((len(content),)) + content)
                elif head[0] in (0x32, 0x40):
                    packets.append(head + packet)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
