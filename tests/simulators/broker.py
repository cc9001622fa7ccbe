"""A real Mosquitto with TLS, and a gateway's ear at it that verifies by means of its own."""

import asyncio
import base64
import hashlib
import hmac
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import cbor2
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from gateway.broker.pki import Certificates, ensure_certificates
from tests.simulators.console_process import free_port

ALARM, DRILL, CANCEL, TRACK, STATUS = 1, 5, 3, 2, 4
Body = dict[int, object]


@dataclass(frozen=True)
class RealBroker:
    """A broker that lets anybody in, by TLS and, for tests only, without."""

    port: int
    plain_port: int
    ca: Path

    def printed(self, device: str, kind: str = "handheld") -> dict[str, object]:
        """Credentials as `siaga device add --json` prints them."""
        return {
            "device_id": device,
            "key": base64.urlsafe_b64encode(key_of(device)).decode().rstrip("="),
            "generation": 1,
            "kind": kind,
            "category": "ambulance",
            "mqtt": {
                "host": "localhost",
                "port": self.port,
                "tls": True,
                "ca_file": str(self.ca),
                "client_id": device,
                "username": device,
                "password": "made up",
                "prefix": "siaga/v1",
            },
        }


def key_of(device: str) -> bytes:
    return hashlib.sha256(device.encode()).digest()


@contextmanager
def mosquitto(folder: Path) -> Iterator[RealBroker]:
    certificates = Certificates(folder)
    ensure_certificates(certificates, ("localhost", "127.0.0.1"), datetime.now(UTC))
    broker = RealBroker(free_port(), free_port(), certificates.ca)
    configuration = folder / "mosquitto.conf"
    configuration.write_text(
        f"""
listener {broker.plain_port} 127.0.0.1
listener {broker.port} 127.0.0.1
cafile {certificates.ca}
certfile {certificates.broker}
keyfile {certificates.broker_key}
allow_anonymous true
user root
"""
    )
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert program, "apt install mosquitto"
    with (folder / "mosquitto.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", str(configuration)], stdout=log, stderr=log)
    try:
        yield broker
    finally:
        process.terminate()
        process.wait(10)


class Ear:
    """Hears what buttons say, refuses what is not theirs, and answers with receipts."""

    def __init__(self, broker: RealBroker) -> None:
        self.bodies: list[tuple[str, Body]] = []
        self._heard = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="ear")
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe("siaga/v1/+/+", qos=1)
        self._port = broker.plain_port

    async def __aenter__(self) -> Self:
        async with asyncio.timeout(10):
            while not self._connected():
                await asyncio.sleep(0.05)
        self._client.loop_start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def answer(self, device: str, boot: int, seq: int, stage: int) -> None:
        topic = f"siaga/v1/{device}/down"
        body = {0: 16, 3: int(time.time()), 9: [boot, seq], 11: stage}
        self._client.publish(topic, _sealed(device, topic, body), qos=1)

    async def hears(self, device: str, *kinds: int) -> AsyncIterator[Body]:
        """Yield what a device has said and says, of these kinds."""
        told = 0
        async with asyncio.timeout(20):
            while True:
                self._heard.clear()
                for sender, body in self.bodies[told:]:
                    told += 1
                    if sender == device and body[0] in kinds:
                        yield body
                await self._heard.wait()

    async def first(self, device: str, *kinds: int) -> Body:
        return await anext(self.hears(device, *kinds))

    def _connected(self) -> bool:
        try:
            self._client.connect("127.0.0.1", self._port)
        except ConnectionRefusedError:
            return False
        return True

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        device, lane = message.topic.split("/")[-2:]
        if lane != "down":
            self._loop.call_soon_threadsafe(
                self._take, device, message.topic, bytes(message.payload)
            )

    def _take(self, device: str, topic: str, payload: bytes) -> None:
        self.bodies.append((device, _opened(device, topic, payload)))
        self._heard.set()


def _mac(device: str, protected: bytes, topic: str, payload: bytes) -> bytes:
    structure = cbor2.dumps(["MAC0", protected, topic.encode(), payload])
    return hmac.new(key_of(device), structure, hashlib.sha256).digest()


def _sealed(device: str, topic: str, body: Body) -> bytes:
    protected, payload = cbor2.dumps({1: 5}), cbor2.dumps(body, canonical=True)
    tag = _mac(device, protected, topic, payload)
    kid = {4: f"{device}#1".encode()}
    return cbor2.dumps(cbor2.CBORTag(17, [protected, kid, payload, tag]))


def _opened(device: str, topic: str, message: bytes) -> Body:
    tagged = cbor2.loads(message)
    protected, unprotected, payload, tag = tagged.value
    assert unprotected == {4: f"{device}#1".encode()}
    assert hmac.compare_digest(tag, _mac(device, protected, topic, payload))
    body: Body = cbor2.loads(payload)
    return body
