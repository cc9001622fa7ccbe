"""The built-in broker, where there is no Mosquitto: amqtt behind a door of our own.

amqtt 0.11 alone looks at the client id before the password, never times a silent client out,
reads packets of any size and lets a will go anywhere. So this module accepts connections,
judges CONNECT, and hands amqtt whole, bounded packets of clients that are let in.

What remains amqtt's: MQTT 3.1.1 only, sessions in memory only, and a message that isn't
acknowledged within 5 s is dropped. A button's alarm survives that, for the button repeats it
until it holds the gateway's receipt; use Mosquitto for anything but a trial.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from amqtt.adapters import ReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action, BrokerConfig, ListenerConfig, ListenerType
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from gateway.broker.access import Access, allowed
from gateway.broker.admission import (
    CONNECT_TYPE,
    Connect,
    MalformedPacketError,
    ReturnCode,
    admit,
    parse_connect,
    read_passwords,
)
from gateway.broker.errors import BrokerFilesError, BrokerStartError, CertificateError
from gateway.broker.mosquitto import check_ports
from gateway.broker.settings import BrokerSettings

_LOG = structlog.get_logger(__name__)

_MAX_PACKET_SIZE = 8192
_CONNECT_LIMIT_S = 10.0
_HANDSHAKE_LIMIT_S = 10.0
_WATCH_INTERVAL_S = 0.25
_STOP_LIMIT_S = 5.0
_SESSION_LIFE_S = 14 * 24 * 60 * 60
_LISTENER = "default"
_PUBLISH_TYPE = 3
_RETAIN_FLAG = 0x01
_ACCESS = {
    Action.PUBLISH: Access.PUBLISH,
    Action.SUBSCRIBE: Access.SUBSCRIBE,
    Action.RECEIVE: Access.RECEIVE,
}


async def run_builtin_broker(
    settings: BrokerSettings,
    stop: asyncio.Event,
    *,
    on_ready: Callable[[], object] | None = None,
) -> None:
    """Serve until stopped, on the password file that BrokerFiles writes and rewrites.

    `on_ready` is called when clients can connect. A new certificate needs a restart. Raises
    PortTakenError, BrokerStartError, BrokerFilesError, CertificateError.
    """
    door = _Door(settings)
    await door.open()
    try:
        if on_ready is not None:
            on_ready()
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _WATCH_INTERVAL_S)
            door.reload()
    finally:
        await door.close()


class _Door:
    """Our listeners, and amqtt behind them."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self._hashes: Mapping[str, str] = {}
        self._version: object = None
        self._servers: list[asyncio.Server] = []
        self._clients: dict[asyncio.StreamWriter, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen; raises what `run_builtin_broker` says."""
        settings = self._settings
        self.reload()
        if not self._hashes:
            raise BrokerFilesError(settings.passwords, "it names nobody: write the files first")
        tls = _server_context(settings)
        check_ports(settings)
        access = {"prefix": settings.prefix, "gateway_user": settings.gateway_user}
        here = f"{__name__}."
        self._amqtt = Broker(
            BrokerConfig(
                listeners={_LISTENER: ListenerConfig(type=ListenerType.EXTERNAL)},
                session_expiry_interval=_SESSION_LIFE_S,
                plugins={f"{here}LetIn": {}, f"{here}OwnTopics": access},
            )
        )
        await self._amqtt.start()
        listeners: list[tuple[str, int, ssl.SSLContext | None]]
        listeners = [(settings.host, settings.port, tls)]
        if settings.loopback_port is not None:
            listeners.append(("127.0.0.1", settings.loopback_port, None))
        try:
            for host, port, context in listeners:
                self._servers.append(await self._listen(host, port, context))
        except OSError as error:
            await self.close()
            raise BrokerStartError(error.strerror or str(error)) from None

    def reload(self) -> None:
        """Read the password file if it has changed; end the sessions of who is out or new."""
        path = self._settings.passwords
        try:
            stat = path.stat()
            version = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if version == self._version:
                return
            hashes = read_passwords(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            if not self._hashes:
                raise BrokerFilesError(path, str(error)) from None
            _LOG.warning("broker.passwords", problem=str(error))
            return
        before, self._hashes, self._version = self._hashes, hashes, version
        for writer, user in list(self._clients.items()):
            if hashes.get(user) != before.get(user):
                writer.transport.abort()

    async def close(self) -> None:
        """Stop listening, end all sessions."""
        for server in self._servers:
            server.close()
        for writer in list(self._clients):
            writer.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_LIMIT_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._amqtt.shutdown()

    async def _listen(self, host: str, port: int, context: ssl.SSLContext | None) -> asyncio.Server:
        limit = _HANDSHAKE_LIMIT_S if context else None
        return await asyncio.start_server(
            self._start, host, port, ssl=context, ssl_handshake_timeout=limit
        )

    def _start(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            connect, packet = await self._greet(reader, writer)
            if connect is None:
                return
            self._clients[writer] = connect.user or ""
            packets = _Packets(reader, packet, connect.keepalive_s)
            await self._amqtt.external_connected(packets, StreamWriterAdapter(writer), _LISTENER)
        except (OSError, EOFError, TimeoutError, MalformedPacketError) as error:
            _LOG.info("broker.connection", problem=str(error) or type(error).__name__)
        finally:
            self._clients.pop(writer, None)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _greet(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[Connect | None, bytes]:
        async with asyncio.timeout(_CONNECT_LIMIT_S):
            header, body = await _read_packet(reader, CONNECT_TYPE)
            connect = parse_connect(body)
            settings = self._settings
            code = admit(
                connect,
                self._hashes,
                prefix=settings.prefix,
                gateway_user=settings.gateway_user,
            )
            if code is not ReturnCode.ACCEPTED:
                _LOG.info("broker.refused", client=connect.client_id[:64], code=code.name)
                writer.write(bytes((0x20, 2, 0, code)))
                await writer.drain()
                return None, b""
        # We time silence; amqtt's own timer can cut a packet in two.
        at = connect.keepalive_at
        return connect, _packet(header, body[:at] + b"\0\0" + body[at + 2 :])


class _Packets(ReaderAdapter):  # type: ignore[misc] # amqtt ships no annotations
    """What amqtt reads: whole packets, none too large, none retained, until silence."""

    def __init__(self, reader: asyncio.StreamReader, first: bytes, keepalive_s: int) -> None:
        self._reader = reader
        self._buffer = bytearray(first)
        # MQTT 3.1.1 §3.1.2.10: one and a half times the keepalive.
        self._limit_s = keepalive_s * 1.5 or None

    async def read(self, n: int = -1) -> bytes:
        """Return up to n bytes; none at the end of the connection."""
        if not self._buffer:
            try:
                async with asyncio.timeout(self._limit_s):
                    header, body = await _read_packet(self._reader)
            except EOFError:
                return b""
            except (OSError, TimeoutError, MalformedPacketError) as error:
                _LOG.info("broker.connection", problem=str(error) or type(error).__name__)
                return b""
            if header >> 4 == _PUBLISH_TYPE:
                header &= ~_RETAIN_FLAG
            self._buffer += _packet(header, body)
        end = len(self._buffer) if n < 0 else n
        piece = bytes(self._buffer[:end])
        del self._buffer[:end]
        return piece

    def feed_eof(self) -> None:
        """Let the stream end where amqtt wants it to."""
        self._reader.feed_eof()


@dataclass
class _Names:
    """How topics and the gateway are called."""

    prefix: str = ""
    gateway_user: str = ""


class LetIn(BaseAuthPlugin):  # type: ignore[misc] # amqtt ships no annotations
    """Tells amqtt that whoever has come through the door may stay."""

    async def authenticate(self, *, session: Session) -> bool:
        """Agree; `admit` has judged."""
        return session.username is not None


class OwnTopics(BaseTopicPlugin):  # type: ignore[misc] # amqtt ships no annotations
    """Holds clients to their own topics."""

    Config = _Names

    async def topic_filtering(
        self,
        *,
        session: Session | None = None,
        topic: str | None = None,
        action: Action | None = None,
    ) -> bool:
        """Decide by the same rule that Mosquitto's access list is written from."""
        if session is None or topic is None or action is None:
            return False
        names: _Names = self.context.config
        return allowed(
            session.username or "",
            _ACCESS[action],
            topic,
            prefix=names.prefix,
            gateway_user=names.gateway_user,
        )


async def _read_packet(
    reader: asyncio.StreamReader, wanted: int | None = None
) -> tuple[int, bytes]:
    header = (await reader.readexactly(1))[0]
    if wanted is not None and header >> 4 != wanted:
        raise MalformedPacketError(f"packet type {header >> 4} instead of {wanted}")
    length = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            break
        if shift > 21:
            raise MalformedPacketError("its length has more than four digits")
    if length > _MAX_PACKET_SIZE:
        raise MalformedPacketError(f"a packet of {length} bytes, over {_MAX_PACKET_SIZE}")
    return header, await reader.readexactly(length)


def _packet(header: int, body: bytes) -> bytes:
    digits = bytearray()
    rest = len(body)
    while True:
        rest, digit = divmod(rest, 128)
        digits.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes((header, *digits)) + body


def _server_context(settings: BrokerSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.certificate, settings.key)
    except OSError as error:
        raise CertificateError(settings.certificate, error.strerror or str(error)) from None
    return context
