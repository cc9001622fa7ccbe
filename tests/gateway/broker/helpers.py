"""A deployment's broker side, and a foreign MQTT client to try it with."""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.broker.files import BrokerFiles
from gateway.broker.mosquitto import Mosquitto
from gateway.broker.pki import Certificates, client_context
from gateway.broker.settings import BrokerSettings
from gateway.registry.credentials import Credentials
from gateway.registry.registry import Registry

GATEWAY_PASSWORD = "gateway password"
LIMIT_S = 10.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def until(condition: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit_s} s: {what}"
        time.sleep(0.005)


@dataclass(frozen=True, slots=True)
class Deployment:
    """All that a broker is made of."""

    registry: Registry
    certificates: Certificates
    settings: BrokerSettings
    files: BrokerFiles

    @property
    def tls(self) -> ssl.SSLContext:
        return client_context(self.certificates.ca)

    async def start(self, gateway_password: str = GATEWAY_PASSWORD) -> Mosquitto:
        return await Mosquitto.start(self.settings, gateway_password, self.certificates.ca)

    def device(self, given: Credentials, client_id: str | None = None) -> "Client":
        assert given.password is not None
        name = client_id or given.device_id
        return Client(self.settings.port, name, given.device_id, given.password, self.tls)

    def gateway(self, client_id: str = "siaga-gateway") -> "Client":
        user, port = self.settings.gateway_user, self.settings.loopback_port
        tls = None if port else self.tls
        return Client(port or self.settings.port, client_id, user, GATEWAY_PASSWORD, tls)

    def topic(self, given: Credentials, lane: str) -> str:
        return f"{self.settings.prefix}/{given.device_id}/{lane}"


@dataclass
class Client:
    """paho-mqtt with its callbacks turned into things to wait for."""

    port: int
    client_id: str
    user: str
    password: str
    tls: ssl.SSLContext | None
    clean: bool = True
    connected: bool | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    received: "queue.Queue[tuple[str, bytes]]" = field(default_factory=queue.Queue)
    granted: dict[int, bool] = field(default_factory=dict)
    acknowledged: set[int] = field(default_factory=set)
    will: str | None = None

    def __enter__(self) -> Self:
        self._mqtt = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id,
            clean_session=self.clean,
            reconnect_on_failure=False,
        )
        self._mqtt.username_pw_set(self.user, self.password)
        if self.tls is not None:
            self._mqtt.tls_set_context(self.tls)
        if self.will is not None:
            self._mqtt.will_set(self.will, b"will", qos=1)
        self._mqtt.on_connect = self._on_connect
        self._mqtt.on_disconnect = self._on_disconnect
        self._mqtt.on_message = self._on_message
        self._mqtt.on_subscribe = self._on_subscribe
        self._mqtt.on_publish = self._on_publish
        self._mqtt.connect("localhost", self.port, keepalive=30)
        self._mqtt.loop_start()
        until(lambda: self.connected is not None or self.ended.is_set(), "an answer to CONNECT")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    def may_subscribe(self, topic: str) -> bool:
        _, number = self._mqtt.subscribe(topic, qos=1)
        assert number is not None
        until(lambda: number in self.granted, f"SUBACK for {topic}")
        return self.granted[number]

    def publish(self, topic: str, *payloads: bytes) -> None:
        """Return when the broker has acknowledged all, which it does for refused ones, too."""
        numbers = {self._mqtt.publish(topic, payload, qos=1).mid for payload in payloads}
        until(
            lambda: numbers <= self.acknowledged or self.ended.is_set(),
            f"PUBACK for {topic}",
        )

    def next(self, limit_s: float = LIMIT_S) -> tuple[str, bytes]:
        return self.received.get(timeout=limit_s)

    def drop(self) -> None:
        """Break the connection without a word."""
        sock = self._mqtt.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)

    def _on_connect(
        self,
        _client: mqtt.Client,
        _data: object,
        _flags: mqtt.ConnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self.connected = not code.is_failure

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _data: object,
        _flags: mqtt.DisconnectFlags,
        _code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self.ended.set()

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        self.received.put((message.topic, bytes(message.payload)))

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _data: object,
        number: int,
        codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self.granted[number] = not codes[0].is_failure

    def _on_publish(
        self,
        _client: mqtt.Client,
        _data: object,
        number: int,
        _code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self.acknowledged.add(number)


def paths(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())
