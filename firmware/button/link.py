"""Keeps the button connected: TLS, reconnecting with jittered backoff, a signed will each time."""

import asyncio
import errno
import select
import socket
import ssl

from . import mqtt_packets
from .compat import MICROPYTHON, const
from .errors import ButtonError, ConnectionLostError
from .mqtt_client import Connection, Handler, PacketIds
from .schedule import Jitter, jittered

FIRST_MS = const(1_000)
LIMIT_MS = const(60_000)
URGENT_MS = const(5_000)
"""The longest wait between two tries while somebody's call has not got through."""

_CONNECT_S = const(10)
_CLOSE_S = const(2)
_POLL_S = 0.02

OFFLINE = "offline"
CONNECTING = "connecting"
ONLINE = "online"
CLOSED = "closed"


class Broker:
    """Where the broker is and who we are there; `context` is None without TLS."""

    def __init__(
        self,
        host: str,
        port: int,
        context: "ssl.SSLContext | None",
        client_id: str,
        username: str,
        password: str,
    ) -> None:
        self.host = host
        self.port = port
        self.context = context
        self.client_id = client_id
        self.username = username
        self.password = password


class Owner(Handler):
    """What a link asks of and tells its owner, beside what a connection does."""

    def keepalive_s(self) -> int:
        """Return MQTT's keep alive for the next connection."""
        raise NotImplementedError

    def will(self) -> "tuple[str, bytes]":
        """Return topic and signed message of the will for a connection that begins now."""
        raise NotImplementedError

    def is_urgent(self) -> bool:
        """Say whether somebody's call has not got through yet."""
        raise NotImplementedError

    def on_offline(self, reason: str) -> None:
        """Take note that the connection ended, or that none came about."""
        raise NotImplementedError


class Link:
    """One device's way to the broker; `state` is one of the four names above."""

    def __init__(self, broker: Broker, topic: str, owner: Owner, jitter: Jitter) -> None:
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
            if self.state == CLOSED:
                return
            await self._wait()

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
        will_topic, will_message = self._owner.will()
        keepalive_s = self._owner.keepalive_s()
        broker = self._broker
        connect = mqtt_packets.connect(
            broker.client_id,
            broker.username,
            broker.password,
            keepalive_s,
            will_topic,
            will_message,
        )
        reader, writer = await _open_stream(broker, self._tries)
        try:
            connection = Connection(reader, writer, self._owner, self._packet_ids, keepalive_s)
            session_present = await connection.open(connect)
            if self.state == CLOSED:
                return
            self.state = ONLINE
            self._connection = connection
            await connection.run(self._topic, session_present=session_present)
        finally:
            if self._connection is not None and self._connection.proven:
                self._delay_ms = 0
            self._connection = None
            await _close_stream(writer)

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


def tls_context(ca_pem: bytes) -> ssl.SSLContext:
    """Return a context that demands a certificate of this authority for the name we called.

    Raises `ValueError` if `ca_pem` holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    certificates = der_certificates(ca_pem)
    if not certificates:
        raise ValueError("no certificate in the CA file")
    for certificate in certificates:
        context.load_verify_locations(cadata=certificate)
    if not MICROPYTHON:
        context.check_hostname = True
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def der_certificates(pem: bytes) -> "list[bytes]":
    """Return the certificates of a PEM file (RFC 7468) as DER, the only form boards read."""
    import binascii  # noqa: PLC0415 - needed once, at start

    certificates = []
    for part in pem.split(b"-----BEGIN CERTIFICATE-----")[1:]:
        base64 = part.split(b"-----END CERTIFICATE-----")[0]
        certificates.append(binascii.a2b_base64(b"".join(base64.split())))
    return certificates


async def _open_stream(
    broker: Broker, tries: int
) -> "tuple[asyncio.StreamReader, asyncio.StreamWriter]":
    try:
        opening = _open_on_board(broker, tries) if MICROPYTHON else _open_on_cpython(broker)
        return await asyncio.wait_for(opening, _CONNECT_S)
    except asyncio.TimeoutError:
        raise ConnectionLostError("the broker cannot be reached in time") from None
    except (OSError, ValueError) as error:
        raise ConnectionLostError(f"{broker.host}:{broker.port}: {error}") from None


async def _open_on_cpython(broker: Broker) -> "tuple[asyncio.StreamReader, asyncio.StreamWriter]":
    name = broker.host if broker.context is not None else None
    return await asyncio.open_connection(
        broker.host, broker.port, ssl=broker.context, server_hostname=name
    )


async def _open_on_board(
    broker: Broker, tries: int
) -> "tuple[asyncio.StreamReader, asyncio.StreamWriter]":
    # asyncio.open_connection would leave the socket open when it is cancelled. A name with
    # several addresses gets the next one at each try: a refusal only shows at the first
    # write. getaddrinfo blocks; with an address in the credentials it does not ask anyone.
    addresses = socket.getaddrinfo(broker.host, broker.port, 0, socket.SOCK_STREAM)
    family, kind, protocol, _, address = addresses[tries % len(addresses)]
    raw = socket.socket(family, kind, protocol)
    try:
        raw.setblocking(False)
        await _connected(raw, address)
        stream = raw
        if broker.context is not None:
            stream = broker.context.wrap_socket(
                raw, server_hostname=broker.host, do_handshake_on_connect=False
            )
        both = asyncio.StreamReader(stream)
    except BaseException:
        raw.close()
        raise
    return both, both


async def _connected(raw: socket.socket, address: object) -> None:
    try:
        raw.connect(address)
    except OSError as error:
        if error.errno != errno.EINPROGRESS:
            raise
    poller = select.poll()
    poller.register(raw, select.POLLOUT)
    while not poller.poll(0):
        await asyncio.sleep(_POLL_S)


async def _close_stream(writer: asyncio.StreamWriter) -> None:
    try:
        writer.close()
        await asyncio.wait_for(writer.wait_closed(), _CLOSE_S)
    except (OSError, asyncio.TimeoutError):
        return
