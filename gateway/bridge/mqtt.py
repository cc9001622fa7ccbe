"""gmqtt 0.8 behind one adapter that makes it safe; nothing else imports it.

What gmqtt leaves open and this closes: acknowledgement is ours to give, in our order, on the
connection that the message came from; publishing waits for the broker's window and for its
acknowledgement; connecting has a time limit; reconnecting has jitter and never gives up.
"""

import asyncio
import logging
import random
import ssl
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog
from gmqtt import Client, Message
from gmqtt.mqtt.constants import MQTTv50, MQTTv311
from gmqtt.mqtt.handler import MQTTConnectError

from gateway.bridge.errors import (
    BridgeError,
    ConnectRefusedError,
    LinkLostError,
    PublishRefusedError,
)

_PUBACK: Final = struct.Struct("!BBH")  # MQTT 5 §3.4: success needs no reason code
_FAILURE: Final = 0x80  # MQTT 5 §2.4: reason codes from here on are failures
_WRONG_VERSION: Final = (1, 0x84)
_DEFAULT_WINDOW: Final = 65_535  # MQTT 5 §3.2.2.3.3
_NEVER_EXPIRES: Final = 0xFFFFFFFF  # MQTT 5 §3.1.2.11.2
# gmqtt logs lost connections with tracebacks; this module logs them in one line.
logging.getLogger("gmqtt").setLevel(logging.CRITICAL)


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is, who we are, and how much it may send before we acknowledge."""

    client_id: str
    host: str
    port: int
    tls: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = msgspec.field(default=None)
    receive_maximum: int = 2_000
    keepalive_s: int = 30
    timeout_s: float = 10.0
    first_delay_s: float = 0.2
    longest_delay_s: float = 15.0


class Session:
    """One connection to the broker, from its CONNECT to its end. Never reconnects."""

    def __init__(self, settings: LinkSettings, on_message: "MessageHandler") -> None:
        self._settings = settings
        self._on_message = on_message
        self._ended = asyncio.Event()
        self._subscribed: asyncio.Future[Sequence[int]] | None = None
        self._window = _DEFAULT_WINDOW
        self._waiting: deque[tuple[str, bytes, asyncio.Future[None]]] = deque()
        self._in_flight: dict[int, tuple[str, asyncio.Future[None]]] = {}
        self.session_present = False
        self.was_understood = True
        self._client = Client(
            settings.client_id,
            clean_session=False,
            optimistic_acknowledgement=False,
            session_expiry_interval=_NEVER_EXPIRES,
            receive_maximum=settings.receive_maximum,
        )
        self._take_over()

    async def open(self, topics: Sequence[str], version: int) -> None:
        """Connect and subscribe at QoS 1; raises ConnectRefusedError."""
        settings = self._settings
        if settings.username is not None:
            self._client.set_auth_credentials(settings.username, settings.password)
        try:
            async with asyncio.timeout(settings.timeout_s):
                await self._connect_or_end(version)
                await self._subscribe(topics)
        except MQTTConnectError as error:
            self.was_understood = error._code not in _WRONG_VERSION  # noqa: SLF001 - as below
            raise ConnectRefusedError(self._broker, str(error)) from None
        except TimeoutError:
            why = f"no answer in {settings.timeout_s:g} s"
            raise ConnectRefusedError(self._broker, why) from None
        except OSError as error:
            raise ConnectRefusedError(self._broker, error.strerror or str(error)) from None

    async def wait_ended(self) -> None:
        """Return when the connection has ended, whoever ended it."""
        await self._ended.wait()

    async def close(self) -> None:
        """Disconnect; the broker keeps the session."""
        connection = self._client._connection  # noqa: SLF001 - gmqtt has no other way in
        if connection is not None:
            if not connection.is_closing():
                connection.send_disconnect()
            await connection.close()
        self._end()

    def acknowledge(self, packet_ids: Sequence[int]) -> None:
        """Send PUBACKs in this order; nothing when the connection has ended (§4.4 redelivers)."""
        connection = self._client._connection  # noqa: SLF001 - as above
        if not self._ended.is_set() and not connection.is_closing():
            connection.send_package(b"".join([_PUBACK.pack(0x40, 2, one) for one in packet_ids]))

    def publish(self, topic: str, payload: bytes) -> asyncio.Future[None]:
        """Send at QoS 1 as soon as the broker's window has room; done when it acknowledged.

        The future raises LinkLostError when the connection ends first, PublishRefusedError when
        the broker says no.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._ended.is_set():
            future.set_exception(LinkLostError(self._settings.client_id))
        else:
            self._waiting.append((topic, payload, future))
            self._send_waiting()
        return future

    @property
    def _broker(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _take_over(self) -> None:
        """Put this class in the places where gmqtt acknowledges, counts and reconnects."""
        handler = self._client._package_handler  # noqa: SLF001 - as above
        handler._handle_qos_1_publish_packet = self._arrived  # noqa: SLF001 - as above
        handler._handle_puback_packet = self._acknowledged  # noqa: SLF001 - as above
        handler._reconnect_callback = _stay_disconnected  # noqa: SLF001 - as above
        handler.on_message = self._arrived_at_qos_0
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._granted
        self._client.on_disconnect = lambda *_: self._end()

    async def _connect_or_end(self, version: int) -> None:
        """Connect; a broker that hangs up instead of answering is an answer, too."""
        settings = self._settings
        tls: ssl.SSLContext | bool = settings.tls or False
        connecting = asyncio.ensure_future(
            self._client.connect(
                settings.host, settings.port, tls, settings.keepalive_s, version=version
            )
        )
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({connecting, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not connecting.done():
                self.was_understood = False
                raise ConnectRefusedError(self._broker, "hung up before it answered")
            await connecting
        finally:
            connecting.cancel()
            ended.cancel()

    async def _subscribe(self, topics: Sequence[str]) -> None:
        for topic in topics:
            self._subscribed = asyncio.get_running_loop().create_future()
            self._client.subscribe(topic, qos=1)
            granted = await self._subscribed
            if any(code != 1 for code in granted):
                raise ConnectRefusedError(self._broker, f"may not subscribe to {topic} at QoS 1")

    def _connected(
        self, _client: object, flags: int, _rc: int, properties: dict[str, object]
    ) -> None:
        self.session_present = bool(flags)
        # What the broker answered wins over what we asked under the same name, in gmqtt the
        # other way round.
        handler = self._client._package_handler  # noqa: SLF001 - as above
        del properties
        granted = handler._connack_properties.get("receive_maximum")  # noqa: SLF001 - as above
        self._window = granted[0] if granted else _DEFAULT_WINDOW
        # The window is kept here; gmqtt would raise OverflowError one short of it.
        handler.id_generator._max = _DEFAULT_WINDOW  # noqa: SLF001 - as above

    def _granted(
        self, _client: object, _mid: int, codes: Sequence[int], _properties: object
    ) -> None:
        if self._subscribed is not None and not self._subscribed.done():
            self._subscribed.set_result(codes)

    def _arrived(self, packet_id: int, payload: bytes, topic: str | bytes, _: object) -> None:
        name = topic if isinstance(topic, str) else topic.decode("utf-8", "replace")
        self._on_message(self, packet_id, name, payload)

    def _arrived_at_qos_0(
        self, topic: str | bytes, payload: bytes, _qos: int, _properties: object
    ) -> None:
        self._arrived(0, payload, topic, None)

    def _acknowledged(self, _command: int, packet: bytes) -> None:
        packet_id = int.from_bytes(packet[:2], "big")
        code = packet[2] if len(packet) > 2 else 0
        handler = self._client._package_handler  # noqa: SLF001 - as above
        handler.id_generator.free_id(packet_id)
        topic, future = self._in_flight.pop(packet_id, ("", None))
        if future is not None and not future.done():
            if code < _FAILURE:
                future.set_result(None)
            else:
                future.set_exception(PublishRefusedError(topic, code))
        self._send_waiting()

    def _send_waiting(self) -> None:
        connection = self._client._connection  # noqa: SLF001 - as above
        while self._waiting and len(self._in_flight) < self._window:
            topic, payload, future = self._waiting.popleft()
            if not future.done():
                packet_id, _ = connection.publish(Message(topic, payload, qos=1))
                self._in_flight[packet_id] = topic, future

    def _end(self) -> None:
        self._ended.set()
        lost = [future for _, _, future in self._waiting]
        lost += [future for _, future in self._in_flight.values()]
        self._waiting.clear()
        self._in_flight.clear()
        for future in lost:
            if not future.done():
                future.set_exception(LinkLostError(self._settings.client_id))


MessageHandler = Callable[[Session, int, str, bytes], None]


class Link:
    """Keeps a session with the broker open, one connection after another, for ever."""

    def __init__(
        self,
        settings: LinkSettings,
        topics: Sequence[str],
        on_message: MessageHandler,
        on_up: Callable[[Session], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._on_message = on_message
        self._on_up = on_up
        self._version = MQTTv50
        self._log = structlog.get_logger().bind(client=settings.client_id)
        self.session: Session | None = None

    @property
    def is_up(self) -> bool:
        """Say whether messages can flow now."""
        return self.session is not None

    async def run(self) -> None:
        """Stay connected until cancelled."""
        delay_s, failing, known = self._settings.first_delay_s, False, False
        while True:
            session = Session(self._settings, self._on_message)
            try:
                await session.open(self._topics, self._version)
                self._log.info("broker connected", host=self._settings.host)
                if known and not session.session_present:
                    self._log.warning("broker lost our session; devices send their alarms again")
                delay_s, failing, known = self._settings.first_delay_s, False, True
                self.session = session
                self._on_up(session)
                await session.wait_ended()
                self._log.warning("broker connection lost; connecting again")
                failing = True
            except BridgeError as error:
                self._try_other_version(session)
                if not failing:
                    self._log.warning("broker down; trying until it is back", why=str(error))
                failing = True
            finally:
                self.session = None
                await session.close()
            # Full jitter: gateways and devices must not all come back in the same moment.
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
            delay_s = min(delay_s * 2, self._settings.longest_delay_s)

    def _try_other_version(self, session: Session) -> None:
        """Follow a broker that refuses MQTT 5 (the built-in one speaks 3.1.1 only), and back."""
        if not session.was_understood:
            self._version = MQTTv311 if self._version == MQTTv50 else MQTTv50


async def _stay_disconnected(*, delay: bool = False) -> None:
    """Stand in for gmqtt's reconnect: a session that has ended stays ended."""
    del delay
