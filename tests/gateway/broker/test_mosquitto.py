"""The files we write, on a real Mosquitto, tried by a foreign client."""

import asyncio
import contextlib
import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from gateway.broker.errors import BrokerFilesError, BrokerStartError, NoBrokerError, PortTakenError
from gateway.broker.files import BrokerFiles, reload_mosquitto, watch
from gateway.broker.mosquitto import Mosquitto, find_mosquitto
from gateway.broker.pki import Certificates, ensure_certificates
from gateway.broker.settings import BrokerSettings
from tests.gateway.broker.helpers import (
    GATEWAY_PASSWORD,
    Client,
    Deployment,
    free_port,
    until,
)


async def _reload(deployment: Deployment, mosquitto: Mosquitto) -> None:
    assert deployment.files.refresh()
    mosquitto.reload()


async def test_a_device_reaches_the_gateway_on_its_own_topics(
    deployment: Deployment, mosquitto: Mosquitto
) -> None:
    given = deployment.registry.add("TRK-000001", by="test")
    await _reload(deployment, mosquitto)
    with deployment.gateway() as gateway, _connected(deployment.device(given)) as device:
        for lane in ("alarm", "track", "status"):
            assert gateway.may_subscribe(f"siaga/v1/+/{lane}")
            device.publish(deployment.topic(given, lane), lane.encode())
            assert gateway.next() == (deployment.topic(given, lane), lane.encode())


async def test_the_gateway_reaches_a_device(deployment: Deployment, mosquitto: Mosquitto) -> None:
    given = deployment.registry.add("TRK-000001", by="test")
    await _reload(deployment, mosquitto)
    with deployment.gateway() as gateway, _connected(deployment.device(given)) as device:
        assert device.may_subscribe(deployment.topic(given, "down"))
        gateway.publish(deployment.topic(given, "down"), b"receipt")
        assert device.next() == (deployment.topic(given, "down"), b"receipt")


@pytest.mark.parametrize(
    "topic",
    [
        "siaga/v1/TRK-000002/alarm",
        "siaga/v1/TRK-000002/down",
        "siaga/v1/TRK-000001/down",
        "siaga/v1/TRK-000001/other",
        "elsewhere",
    ],
)
async def test_what_a_device_publishes_elsewhere_ends_its_session_and_reaches_nobody(
    deployment: Deployment, mosquitto: Mosquitto, topic: str
) -> None:
    given = deployment.registry.add("TRK-000001", by="test")
    other = deployment.registry.add("TRK-000002", by="test")
    await _reload(deployment, mosquitto)
    with (
        deployment.gateway() as gateway,
        _connected(deployment.device(other)) as victim,
        _connected(deployment.device(given)) as device,
    ):
        assert victim.may_subscribe(deployment.topic(other, "down"))
        assert gateway.may_subscribe("siaga/v1/+/alarm")
        device.publish(topic, b"forged")
        until(device.ended.is_set, "the session's end")
        victim.publish(deployment.topic(other, "alarm"), b"real")
        gateway.publish(deployment.topic(other, "down"), b"real")
        assert gateway.next() == (deployment.topic(other, "alarm"), b"real")
        assert victim.next() == (deployment.topic(other, "down"), b"real")


async def test_a_device_hears_only_what_is_for_it(
    deployment: Deployment, mosquitto: Mosquitto
) -> None:
    given = deployment.registry.add("TRK-000001", by="test")
    other = deployment.registry.add("TRK-000002", by="test")
    await _reload(deployment, mosquitto)
    with deployment.gateway() as gateway, _connected(deployment.device(given)) as device:
        for topic in ("#", "siaga/v1/+/down", deployment.topic(other, "down"), "siaga/v1/+/alarm"):
            device.may_subscribe(topic)
        device.may_subscribe(deployment.topic(given, "down"))
        gateway.publish(deployment.topic(other, "down"), b"not yours")
        gateway.publish(deployment.topic(given, "down"), b"yours")
        assert device.next() == (deployment.topic(given, "down"), b"yours")


async def test_a_new_device_connects_without_a_restart(
    deployment: Deployment, mosquitto: Mosquitto
) -> None:
    given = deployment.registry.add("TRK-000001", by="test")
    with deployment.device(given) as early:
        assert early.connected is False
    await _reload(deployment, mosquitto)
    with _connected(deployment.device(given)):
        pass


async def test_a_revoked_device_is_cut_off_within_a_second(
    deployment: Deployment, mosquitto: Mosquitto
) -> None:
    given = deployment.registry.add("TRK-000001", by="test")
    await _reload(deployment, mosquitto)
    with _connected(deployment.device(given)) as device:
        deployment.registry.revoke("TRK-000001", by="test")
        began = time.monotonic()
        await _reload(deployment, mosquitto)
        until(device.ended.is_set, "the session's end")
        assert time.monotonic() - began < 1.0
    with deployment.device(given) as again:
        assert again.connected is False


async def test_a_reload_leaves_other_sessions_alone(
    deployment: Deployment, mosquitto: Mosquitto
) -> None:
    given = deployment.registry.add("TRK-000001", by="test")
    await _reload(deployment, mosquitto)
    with deployment.gateway() as gateway, _connected(deployment.device(given)) as device:
        assert gateway.may_subscribe("siaga/v1/+/alarm")
        deployment.registry.add("TRK-000002", by="test")
        await _reload(deployment, mosquitto)
        device.publish(deployment.topic(given, "alarm"), b"after")
        assert gateway.next() == (deployment.topic(given, "alarm"), b"after")
        assert not device.ended.is_set()


async def test_no_device_takes_over_the_session_of_another(
    deployment: Deployment, mosquitto: Mosquitto
) -> None:
    victim = deployment.registry.add("TRK-000001", by="test")
    thief = deployment.registry.add("TRK-000002", by="test")
    await _reload(deployment, mosquitto)
    with (
        deployment.gateway() as gateway,
        _connected(deployment.device(victim)) as device,
        _connected(deployment.device(thief, client_id="TRK-000001")),
    ):
        assert gateway.may_subscribe("siaga/v1/+/alarm")
        device.publish(deployment.topic(victim, "alarm"), b"still here")
        assert gateway.next() == (deployment.topic(victim, "alarm"), b"still here")


@pytest.mark.usefixtures("mosquitto")
async def test_the_gateway_may_have_several_connections(
    deployment: Deployment,
) -> None:
    with deployment.gateway("a") as first, deployment.gateway("b") as second:
        assert first.may_subscribe("siaga/v1/+/alarm")
        assert second.may_subscribe("siaga/v1/+/status")


@pytest.mark.parametrize(("user", "password"), [("siaga-gateway", "wrong"), ("nobody", "x")])
@pytest.mark.usefixtures("mosquitto")
async def test_who_has_no_password_stays_out(
    deployment: Deployment, user: str, password: str
) -> None:
    with Client(deployment.settings.port, "x", user, password, deployment.tls) as client:
        assert client.connected is False


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
@pytest.mark.usefixtures("mosquitto")
async def test_tls_below_1_2_is_refused(deployment: Deployment) -> None:
    context = deployment.tls
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", deployment.settings.port)) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


async def test_a_renewed_certificate_is_served_after_a_reload(
    deployment: Deployment, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path / "own-tls")
    ensure_certificates(certificates, [], datetime.now(UTC))
    settings = _with(deployment.settings, certificates)
    BrokerFiles(settings, deployment.registry, GATEWAY_PASSWORD).write()
    own = Deployment(deployment.registry, certificates, settings, deployment.files)
    broker = await own.start()
    try:
        before = _served(own)
        ensure_certificates(certificates, [], datetime.now(UTC), renew=True)
        broker.reload()
        until(lambda: _served(own) != before, "the new certificate")
    finally:
        await broker.stop()


async def test_the_gateways_session_keeps_far_over_a_thousand_messages(
    deployment: Deployment, mosquitto: Mosquitto
) -> None:
    given = deployment.registry.add("TRK-000001", by="test")
    await _reload(deployment, mosquitto)
    away = deployment.gateway()
    away.clean = False
    with away:
        assert away.may_subscribe("siaga/v1/+/alarm")
    with _connected(deployment.device(given)) as device:
        numbers = (str(number).encode() for number in range(1500))
        device.publish(deployment.topic(given, "alarm"), *numbers)
    back = deployment.gateway()
    back.clean = False
    with back:
        received = [int(back.next()[1]) for _ in range(1500)]
    assert received == list(range(1500))


async def test_the_queue_of_an_absent_session_is_bounded_in_bytes(
    deployment: Deployment,
) -> None:
    settings = _with(deployment.settings, deployment.certificates, max_queued_bytes=10_000)
    files = BrokerFiles(settings, deployment.registry, GATEWAY_PASSWORD)
    given = deployment.registry.add("TRK-000001", by="test")
    files.write()
    broker = await deployment.start()
    try:
        away = deployment.gateway()
        away.clean = False
        with away:
            assert away.may_subscribe("siaga/v1/+/alarm")
        with _connected(deployment.device(given)) as device:
            device.publish(deployment.topic(given, "alarm"), *[b"x" * 1000] * 50)
        back = deployment.gateway()
        back.clean = False
        with back:
            assert back.may_subscribe("siaga/v1/+/status")
            with _connected(deployment.device(given)) as device:
                device.publish(deployment.topic(given, "status"), b"last")
            lanes: list[str] = []
            while not lanes or not lanes[-1].endswith("status"):
                lanes.append(back.next()[0])
        assert 10 <= len(lanes) <= 12
    finally:
        await broker.stop()


async def test_sessions_outlive_a_restart(deployment: Deployment) -> None:
    given = deployment.registry.add("TRK-000001", by="test")
    deployment.files.refresh()
    broker = await deployment.start()
    away = deployment.gateway()
    away.clean = False
    with away:
        assert away.may_subscribe("siaga/v1/+/alarm")
    with _connected(deployment.device(given)) as device:
        device.publish(deployment.topic(given, "alarm"), b"kept")
    await broker.stop()
    broker = await deployment.start()
    try:
        back = deployment.gateway()
        back.clean = False
        with back:
            assert back.next() == (deployment.topic(given, "alarm"), b"kept")
    finally:
        await broker.stop()


async def test_the_will_of_a_device_that_breaks_off_is_delivered(
    deployment: Deployment, mosquitto: Mosquitto
) -> None:
    given = deployment.registry.add("TRK-000001", by="test")
    await _reload(deployment, mosquitto)
    device = deployment.device(given)
    device.will = deployment.topic(given, "status")
    with deployment.gateway() as gateway:
        assert gateway.may_subscribe("siaga/v1/+/status")
        with _connected(device):
            device.drop()
            assert gateway.next() == (deployment.topic(given, "status"), b"will")


@pytest.mark.usefixtures("mosquitto")
async def test_watching_the_registry_reloads_by_the_pid_file(
    deployment: Deployment,
) -> None:
    stop = asyncio.Event()
    watching = asyncio.create_task(
        watch(
            deployment.files,
            lambda: reload_mosquitto(deployment.settings.pid_file),
            stop,
            interval_s=0.02,
        )
    )
    given = deployment.registry.add("TRK-000001", by="test")
    connected = False
    deadline = time.monotonic() + 5
    while not connected and time.monotonic() < deadline:
        with deployment.device(given) as device:
            connected = bool(device.connected)
        await asyncio.sleep(0)
    stop.set()
    await watching
    assert connected


def test_a_stale_pid_file_hurts_no_stranger(tmp_path: Path) -> None:
    stale = tmp_path / "mosquitto.pid"
    stale.write_text("1\n")
    with pytest.raises(BrokerFilesError, match="not mosquitto"):
        reload_mosquitto(stale)


def test_a_missing_pid_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokerFilesError, match="no Mosquitto runs"):
        reload_mosquitto(tmp_path / "mosquitto.pid")


async def test_a_taken_port_is_named(deployment: Deployment) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", deployment.settings.port))
        taken.listen()
        with pytest.raises(PortTakenError) as caught:
            await deployment.start()
    assert caught.value.port == deployment.settings.port


async def test_a_broker_that_ends_at_once_says_why(deployment: Deployment) -> None:
    deployment.settings.configuration.write_text("nonsense true\n")
    with pytest.raises(BrokerStartError, match="Unknown configuration variable"):
        await deployment.start()


async def test_a_broker_that_refuses_the_gateway_is_not_left_running(
    deployment: Deployment,
) -> None:
    with pytest.raises(BrokerStartError, match="refuses"):
        await deployment.start(gateway_password="wrong")
    with contextlib.closing(socket.socket()) as client:
        assert client.connect_ex(("127.0.0.1", deployment.settings.port)) != 0


async def test_without_mosquitto_the_way_out_is_named(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.broker.mosquitto._ALSO", ())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NoBrokerError, match="apt install mosquitto"):
        await deployment.start()


def test_mosquitto_is_found_where_only_root_would_look() -> None:
    found = find_mosquitto("/nowhere")
    assert found is not None
    assert found.name == "mosquitto"


def _connected(client: Client) -> "_Connected":
    return _Connected(client)


class _Connected:
    """A client that must have been let in."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __enter__(self) -> Client:
        client = self._client.__enter__()
        assert client.connected
        return client

    def __exit__(self, *_: object) -> None:
        self._client.__exit__(None, None, None)


def _with(
    settings: BrokerSettings,
    certificates: Certificates,
    *,
    max_queued_bytes: int = 1_000_000,
) -> BrokerSettings:
    return BrokerSettings(
        directory=settings.directory,
        certificate=certificates.broker,
        key=certificates.broker_key,
        host=settings.host,
        port=settings.port,
        loopback_port=free_port() if settings.loopback_port is None else settings.loopback_port,
        max_queued_bytes=max_queued_bytes,
    )


def _served(deployment: Deployment) -> int:
    with (
        socket.create_connection(("127.0.0.1", deployment.settings.port)) as plain,
        deployment.tls.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        der = secure.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number
