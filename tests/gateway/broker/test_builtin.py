"""The built-in broker, tried by a foreign client."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from gateway.broker.builtin import run_builtin_broker
from gateway.broker.errors import BrokerFilesError, PortTakenError
from gateway.broker.probe import Answer, ask_broker
from gateway.registry.credentials import Credentials
from tests.gateway.broker.helpers import GATEWAY_PASSWORD, Client, Deployment, until

LIMIT_S = 10.0


@pytest.fixture
def builtin(deployment: Deployment) -> Iterator[None]:
    """Run in a thread of its own: the foreign client blocks this one."""
    stop, ready = asyncio.Event(), threading.Event()

    def run() -> None:
        with asyncio.Runner() as runner:
            loops.append(runner.get_loop())
            runner.run(run_builtin_broker(deployment.settings, stop, on_ready=ready.set))

    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(LIMIT_S)
    yield
    loops[0].call_soon_threadsafe(stop.set)
    thread.join(LIMIT_S)
    assert not thread.is_alive()


@pytest.fixture
def given(deployment: Deployment) -> Credentials:
    made = deployment.registry.add("TRK-000001", by="test")
    deployment.registry.add("TRK-000002", by="test")
    deployment.files.refresh()
    return made


@pytest.mark.usefixtures("builtin")
async def test_the_probe_finds_it(deployment: Deployment) -> None:
    ca = deployment.certificates.ca
    assert await ask_broker(deployment.settings, GATEWAY_PASSWORD, ca) is Answer.ACCEPTED
    assert await ask_broker(deployment.settings, "wrong", ca) is Answer.REFUSED


@pytest.mark.usefixtures("builtin")
def test_messages_go_both_ways_on_a_devices_own_topics(
    deployment: Deployment, given: Credentials
) -> None:
    connected_once(deployment, given)
    with deployment.gateway() as gateway, connected(deployment.device(given)) as device:
        assert device.may_subscribe(deployment.topic(given, "down"))
        for lane in ("alarm", "track", "status"):
            assert gateway.may_subscribe(f"siaga/v1/+/{lane}")
            device.publish(deployment.topic(given, lane), b"up")
            assert gateway.next() == (deployment.topic(given, lane), b"up")
        gateway.publish(deployment.topic(given, "down"), b"receipt")
        assert device.next() == (deployment.topic(given, "down"), b"receipt")


@pytest.mark.usefixtures("builtin")
def test_what_a_device_publishes_elsewhere_reaches_nobody(
    deployment: Deployment, given: Credentials
) -> None:
    connected_once(deployment, given)
    with deployment.gateway() as gateway, connected(deployment.device(given)) as device:
        assert gateway.may_subscribe("siaga/v1/+/alarm")
        for topic in ("siaga/v1/TRK-000002/alarm", "siaga/v1/TRK-000002/down", "elsewhere"):
            device.publish(topic, b"forged")
        device.publish(deployment.topic(given, "alarm"), b"real")
        assert gateway.next() == (deployment.topic(given, "alarm"), b"real")


@pytest.mark.usefixtures("builtin")
@pytest.mark.parametrize(
    "topic", ["#", "siaga/v1/#", "siaga/v1/+/down", "siaga/v1/TRK-000002/down", "siaga/v1/+/alarm"]
)
def test_a_device_may_not_listen_elsewhere(
    deployment: Deployment, given: Credentials, topic: str
) -> None:
    connected_once(deployment, given)
    with connected(deployment.device(given)) as device:
        assert not device.may_subscribe(topic)


@pytest.mark.usefixtures("builtin")
def test_a_new_device_connects_and_a_revoked_one_is_cut_off(deployment: Deployment) -> None:
    given = deployment.registry.add("TRK-000001", by="test")
    with deployment.device(given) as early:
        assert early.connected is False
    deployment.files.refresh()
    connected_once(deployment, given)
    with connected(deployment.device(given)) as device:
        deployment.registry.revoke("TRK-000001", by="test")
        began = time.monotonic()
        deployment.files.refresh()
        until(device.ended.is_set, "the session's end")
        assert time.monotonic() - began < 1.0


@pytest.mark.usefixtures("builtin")
def test_a_client_id_must_be_the_devices_own(deployment: Deployment, given: Credentials) -> None:
    connected_once(deployment, given)
    with deployment.device(given, client_id="TRK-000002") as thief:
        assert thief.connected is False


@pytest.mark.usefixtures("builtin")
def test_a_will_goes_to_own_topics_only(deployment: Deployment, given: Credentials) -> None:
    connected_once(deployment, given)
    for topic, may in (("siaga/v1/TRK-000002/status", False), ("siaga/v1/TRK-000001/status", True)):
        device = deployment.device(given)
        device.will = topic
        with device:
            assert device.connected is may


@pytest.mark.usefixtures("builtin")
def test_the_will_of_a_device_that_breaks_off_is_delivered(
    deployment: Deployment, given: Credentials
) -> None:
    connected_once(deployment, given)
    device = deployment.device(given)
    device.will = deployment.topic(given, "status")
    with deployment.gateway() as gateway:
        assert gateway.may_subscribe("siaga/v1/+/status")
        with device:
            assert device.connected
            device.drop()
            assert gateway.next() == (deployment.topic(given, "status"), b"will")


@pytest.mark.usefixtures("builtin")
def test_a_session_keeps_messages_for_an_absent_gateway(
    deployment: Deployment, given: Credentials
) -> None:
    connected_once(deployment, given)
    for _ in range(2):
        gateway = deployment.gateway()
        gateway.clean = False
        with gateway:
            assert gateway.may_subscribe("siaga/v1/+/alarm")
            gateway.drop()
            until(gateway.ended.is_set, "the break")
        with connected(deployment.device(given)) as device:
            device.publish(deployment.topic(given, "alarm"), b"kept")
        back = deployment.gateway()
        back.clean = False
        with back:
            assert back.next() == (deployment.topic(given, "alarm"), b"kept")


@pytest.mark.usefixtures("builtin")
def test_a_client_that_falls_silent_is_cut_off(deployment: Deployment) -> None:
    with plain(deployment) as client:
        client.sendall(connect_packet("siaga-gateway", "silent", GATEWAY_PASSWORD, keepalive_s=1))
        assert client.recv(4) == b"\x20\x02\x00\x00"
        began = time.monotonic()
        assert client.recv(1) == b""
        assert 1.0 < time.monotonic() - began < 4.0


@pytest.mark.usefixtures("builtin")
@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another protocol"),
        pytest.param(b"\x10\xff\xff\xff\x7f", id="a packet of 256 MB"),
        pytest.param(b"\x10\xff\xff\xff\xff\x7f", id="a length without end"),
        pytest.param(b"\x10\x05\x00\x04MQT", id="a string that ends too early"),
        pytest.param(b"\xc0\x00", id="no CONNECT first"),
    ],
)
def test_what_is_no_mqtt_is_closed_and_others_go_on(deployment: Deployment, hostile: bytes) -> None:
    with plain(deployment) as client:
        client.sendall(hostile)
        with reset_allowed():
            assert client.recv(1) == b""
    with deployment.gateway() as gateway:
        assert gateway.connected


@pytest.mark.usefixtures("builtin")
def test_another_version_of_mqtt_is_told_so(deployment: Deployment) -> None:
    with plain(deployment) as client:
        packet = bytearray(connect_packet("siaga-gateway", "five", GATEWAY_PASSWORD))
        packet[8] = 5
        client.sendall(packet)
        assert client.recv(4) == b"\x20\x02\x00\x01"


async def test_a_taken_port_is_named(deployment: Deployment) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", deployment.settings.port))
        taken.listen()
        with pytest.raises(PortTakenError):
            await run_builtin_broker(deployment.settings, asyncio.Event())


async def test_missing_files_are_named(deployment: Deployment) -> None:
    deployment.settings.passwords.unlink()
    with pytest.raises(BrokerFilesError, match="passwords"):
        await run_builtin_broker(deployment.settings, asyncio.Event())


@contextmanager
def connected(client: Client) -> Iterator[Client]:
    with client:
        assert client.connected
        yield client


def connected_once(deployment: Deployment, given: Credentials) -> None:
    """Wait until the broker has read the password file that names this device."""

    def lets_in() -> bool:
        with deployment.device(given) as device:
            return bool(device.connected)

    until(lets_in, "the new password file")


@contextmanager
def plain(deployment: Deployment) -> Iterator[socket.socket]:
    port = deployment.settings.loopback_port
    assert port is not None
    with closing(socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)) as client:
        yield client


@contextmanager
def reset_allowed() -> Iterator[None]:
    """A close with unread bytes arrives as a reset."""
    try:
        yield
    except ConnectionResetError:
        return


def connect_packet(user: str, client_id: str, password: str, *, keepalive_s: int = 30) -> bytes:
    strings = b"".join(
        struct.pack(">H", len(text)) + text.encode() for text in (client_id, user, password)
    )
    body = b"\x00\x04MQTT\x04\xc2" + struct.pack(">H", keepalive_s) + strings
    return bytes((0x10, len(body))) + body
