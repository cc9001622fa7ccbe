"""One MQTT 3.1.1 connection over a pair of streams: nothing is waited for without a limit.

Sans-I/O packets below (`mqtt_packets`), reconnecting above (`link`). What is sent waits
while a drain is under way: MicroPython's `Stream.drain` loses what is written meanwhile.
"""

import asyncio

from . import mqtt_packets
from .compat import TYPE_CHECKING, const, monotonic_ms
from .errors import ButtonError, ConnectionLostError, RefusedByBrokerError
from .mqtt_packets import Decoder
from .values import Value

if TYPE_CHECKING:
    from .interfaces import Handler

_READ = const(256)
_WINDOW = const(32)
"""Unacknowledged publishes; at 200 bytes each they bound what waits in a full socket."""

_READING = const(0)
_WRITING = const(1)
_WATCHING = const(2)


class _Publish:
    """A publish that waits for its PUBACK."""

    def __init__(self, token: "tuple[int, int]", sent_ms: int) -> None:
        self.token = token
        self.sent_ms = sent_ms


class PacketIds:
    """Packet identifiers 1 to 65535 that wrap and skip those in use (2.3.1)."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, in_use: "dict[int, _Publish]") -> int:
        """Return the next free identifier."""
        while True:
            self._last = self._last % 65_535 + 1
            if self._last not in in_use:
                return self._last


class Connection:
    """A connection from its first byte to its last; make a new one to connect again.

    `response_s` limits every answer of the broker: CONNACK, SUBACK, PUBACK, PINGRESP, and
    how long a full socket may stay full. Raises `ConnectionLostError` where it ends.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handler: "Handler",
        packet_ids: PacketIds,
        *,
        keepalive_s: int,
        response_s: int = 10,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._packet_ids = packet_ids
        self._keepalive_ms = keepalive_s * 1000
        self._response_ms = response_s * 1000
        self._decoder = Decoder()
        self._early: list[Value] = []
        self._outgoing: list[bytes] = []
        self._to_write = asyncio.Event()
        self._ended = asyncio.Event()
        self.proven = False
        """Whether the broker has taken a publish: this connection is worth something."""
        self._end: Exception | None = None
        self._unacknowledged: dict[int, _Publish] = {}
        self._subscribing: tuple[int, int] | None = None
        self._ping_ms: int | None = None
        self._writing_ms: int | None = None
        self._sent_ms = self._received_ms = monotonic_ms()

    async def open(self, connect: bytes) -> bool:
        """Send CONNECT and return whether the broker still had our session.

        On MicroPython this is where the TLS handshake happens: not blocking, and within
        the time limit of the answer.
        """
        try:
            return await asyncio.wait_for(self._open(connect), self._response_ms / 1000)
        except asyncio.TimeoutError:
            raise ConnectionLostError("the broker does not answer CONNECT") from None
        except (OSError, ValueError) as error:
            # MicroPython raises ValueError where it does not believe a certificate.
            raise ConnectionLostError(_told(error)) from None

    async def _open(self, connect: bytes) -> bool:
        self._writer.write(connect)
        await self._writer.drain()
        while not self._early:
            self._early = self._decoder.feed(await self._read())
        accepted = self._early.pop(0)
        if not isinstance(accepted, mqtt_packets.ConnectionAccepted):
            raise ConnectionLostError("the broker answered CONNECT with another packet")
        if accepted.code:
            raise RefusedByBrokerError(accepted.code)
        return accepted.session_present

    async def run(self, topic: str, *, session_present: bool) -> None:
        """Subscribe and serve until the connection ends; then raise why.

        The subscription leaves before anything that the handler publishes, so that no
        answer can come before it.
        """
        packet_id = self._packet_ids.next(self._unacknowledged)
        self._subscribing = (packet_id, monotonic_ms())
        self._send(mqtt_packets.subscribe(topic, packet_id))
        self._handler.on_online(session_present=session_present)
        tasks = [asyncio.create_task(self._guard(part)) for part in (_READING, _WRITING, _WATCHING)]
        try:
            await self._ended.wait()
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                try:
                    await task
                except asyncio.CancelledError:
                    pass
        if self._end is not None:
            raise self._end

    def publish(self, topic: str, payload: bytes, token: "tuple[int, int]") -> bool:
        """Queue a publish; return False if too many wait for the broker already."""
        if len(self._unacknowledged) >= _WINDOW or self._ended.is_set():
            return False
        packet_id = self._packet_ids.next(self._unacknowledged)
        self._unacknowledged[packet_id] = _Publish(token, monotonic_ms())
        self._send(mqtt_packets.publish(topic, payload, packet_id))
        return True

    async def disconnect(self) -> None:
        """Send what is queued and DISCONNECT, so that the broker drops the will; end `run`."""
        self._send(mqtt_packets.DISCONNECT_BYTES)
        limit_ms = monotonic_ms() + self._response_ms
        while (self._outgoing or self._writing_ms is not None) and not self._ended.is_set():
            if monotonic_ms() > limit_ms:
                break
            await asyncio.sleep(0.01)
        self._ended.set()

    def _send(self, packet: bytes) -> None:
        # At once where nothing waits: an alarm must not wait for what its press writes to
        # flash next.
        if self._writing_ms is None:
            self._writing_ms = monotonic_ms()
            try:
                self._writer.write(packet)
            except OSError as error:
                self._lost(ConnectionLostError(_told(error)))
        else:
            self._outgoing.append(packet)
        self._to_write.set()

    async def _guard(self, part: int) -> None:
        try:
            if part == _READING:
                await self._read_all()
            elif part == _WRITING:
                await self._write_all()
            else:
                await self._watch()
        except OSError as error:
            self._lost(ConnectionLostError(_told(error)))
        except ButtonError as error:
            self._lost(error)
        except Exception as error:  # noqa: BLE001 - our bug ends this connection, not the button
            self._lost(ConnectionLostError(f"a fault of ours, {error!r}"))
        finally:
            # However a part ends, even for want of heap: the others must not go on alone.
            self._ended.set()

    def _lost(self, error: Exception) -> None:
        if self._end is None and not self._ended.is_set():
            self._end = error
        self._ended.set()

    async def _read(self) -> bytes:
        data = await self._reader.read(_READ)
        if not data:
            raise ConnectionLostError("the broker closed it")
        self._received_ms = monotonic_ms()
        return data

    async def _read_all(self) -> None:
        for packet in self._early:
            await self._take(packet)
        while True:
            for packet in self._decoder.feed(await self._read()):
                await self._take(packet)

    async def _take(self, packet: Value) -> None:
        self._ping_ms = None
        if isinstance(packet, mqtt_packets.Incoming):
            await self._handler.on_message(packet.topic, packet.payload)
            if packet.packet_id is not None:
                self._send(mqtt_packets.puback(packet.packet_id))
        elif isinstance(packet, mqtt_packets.PublishAcknowledged):
            publish = self._unacknowledged.pop(packet.packet_id, None)
            if publish is not None:
                self.proven = True
                self._handler.on_delivered(publish.token)
        elif isinstance(packet, mqtt_packets.Subscribed):
            self._subscribing = None
            if packet.granted > 1:
                raise RefusedByBrokerError(packet.granted)
        elif not isinstance(packet, mqtt_packets.PingAnswered):
            raise ConnectionLostError("the broker sent a second CONNACK")

    async def _write_all(self) -> None:
        while True:
            await self._to_write.wait()
            self._to_write.clear()
            while self._writing_ms is not None:
                await self._writer.drain()
                self._sent_ms = monotonic_ms()
                self._writing_ms = None
                if self._outgoing:
                    packets = b"".join(self._outgoing)
                    self._outgoing = []
                    self._send(packets)

    async def _watch(self) -> None:
        while True:
            now_ms = monotonic_ms()
            self._check_answers(now_ms)
            quiet_ms = min(self._sent_ms, self._received_ms)
            ping_ms = quiet_ms + self._keepalive_ms * 3 // 4
            if now_ms >= ping_ms and self._ping_ms is None:
                self._ping_ms = now_ms
                self._send(mqtt_packets.PINGREQ_BYTES)
            sleep_ms = min(max(ping_ms - now_ms, 50), self._response_ms // 4)
            await asyncio.sleep(sleep_ms / 1000)

    def _check_answers(self, now_ms: int) -> None:
        overdue_ms = now_ms - self._response_ms
        asked = [publish.sent_ms for publish in self._unacknowledged.values()]
        if self._subscribing is not None:
            asked.append(self._subscribing[1])
        asked.extend([ms for ms in (self._ping_ms, self._writing_ms) if ms is not None])
        if asked and min(asked) < overdue_ms:
            raise ConnectionLostError("the broker has stopped answering")


def _told(error: Exception) -> str:
    return " ".join(str(error).split()) or repr(error)
