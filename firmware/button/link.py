"""Keeps the button connected: jittered backoff, a hurry for those who call, a signed will."""

import asyncio

from . import mqtt_packets
from .compat import TYPE_CHECKING, const
from .errors import ButtonError
from .mqtt_client import Connection, PacketIds
from .schedule import jittered
from .streams import Broker, close_stream, open_stream

if TYPE_CHECKING:
    from .interfaces import Jitter, Owner

FIRST_MS = const(1_000)
LIMIT_MS = const(60_000)
URGENT_MS = const(5_000)
"""The longest wait between two tries while somebody's call has not got through."""


OFFLINE = "offline"
CONNECTING = "connecting"
ONLINE = "online"
CLOSED = "closed"


class Link:
    """One device's way to the broker; `state` is one of the four names above."""

    def __init__(self, broker: Broker, topic: str, owner: "Owner", jitter: "Jitter") -> None:
        self.state = OFFLINE
        self._broker = broker
        self._topic = topic
        self._owner = owner
        self._jitter = jitter
        self._packet_ids = PacketIds()
        self._connection: Connection | None = None
        self._delay_ms = 0
        self._tries = 0
        self._hurry = asyncio.Event()

    async def run(self) -> None:
        """Connect and stay connected until `close`."""
        while self.state != CLOSED:
            self._hurry.clear()
            try:
                await self._connect_and_serve()
            except ButtonError as error:
                self._go_offline(str(error))
            except Exception as error:  # noqa: BLE001 - a bug of ours must not end the link
                self._go_offline(f"a fault of ours, {error!r}")
            if self.state != CLOSED:
                await self._wait()

    def is_online(self) -> bool:
        """Say whether the broker has accepted us and not gone since."""
        return self.state == ONLINE

    def publish(self, topic: str, payload: bytes, token: "tuple[int, int]") -> bool:
        """Hand a message to the connection; return False if it cannot go now."""
        if self.state != ONLINE or self._connection is None:
            return False
        return self._connection.publish(topic, payload, token)

    def hurry(self) -> None:
        """Try now: somebody needs help."""
        self._hurry.set()

    async def close(self) -> None:
        """Leave cleanly, so that the will is not sent."""
        was_online = self.state == ONLINE
        self.state = CLOSED
        self._hurry.set()
        if was_online and self._connection is not None:
            await self._connection.disconnect()

    async def _connect_and_serve(self) -> None:
        self.state = CONNECTING
        self._tries += 1
        keepalive_s = self._owner.keepalive_s()
        reader, writer = await open_stream(self._broker, self._tries)
        try:
            connection = Connection(
                reader, writer, self._owner, self._packet_ids, keepalive_s=keepalive_s
            )
            session_present = await connection.open(self._connect(keepalive_s))
            if self.state == CLOSED:
                return
            self.state = ONLINE
            self._connection = connection
            await connection.run(self._topic, session_present=session_present)
        finally:
            if self._connection is not None and self._connection.proven:
                self._delay_ms = 0
            self._connection = None
            await close_stream(writer)

    def _connect(self, keepalive_s: int) -> bytes:
        will_topic, will_message = self._owner.will()
        return mqtt_packets.connect(
            self._broker.client_id,
            self._broker.username,
            self._broker.password,
            keepalive_s=keepalive_s,
            will_topic=will_topic,
            will_message=will_message,
        )

    def _go_offline(self, reason: str) -> None:
        if self.state != CLOSED:
            self.state = OFFLINE
            self._owner.on_offline(reason)

    async def _wait(self) -> None:
        limit_ms = URGENT_MS if self._owner.is_urgent() else LIMIT_MS
        self._delay_ms = min(self._delay_ms * 2, limit_ms) if self._delay_ms else FIRST_MS
        try:
            delay_ms = jittered(self._delay_ms, self._jitter)
            await asyncio.wait_for(self._hurry.wait(), delay_ms / 1000)
        except asyncio.TimeoutError:
            return
