"""Streams to the broker, over TCP or TLS, on both Pythons and within time limits."""

import asyncio
import binascii
import errno
import select
import socket

from .compat import MICROPYTHON, const
from .errors import ConnectionLostError

if MICROPYTHON:
    # What MicroPython's ssl wraps: without the wrapper a board has 1 kB of heap more.
    import tls as ssl  # type: ignore[import-not-found, unused-ignore]
else:
    import ssl

_CONNECT_S = const(10)
_CLOSE_S = const(2)
_POLL_S = 0.02
_IPPROTO_TCP = const(6)
_TCP_NODELAY = const(1)


class Broker:
    """Where the broker is and who we are there; `context` is None without TLS."""

    def __init__(
        self,
        host: str,
        port: int,
        context: "ssl.SSLContext | None",
        *,
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


def tls_context(ca_pem: bytes) -> ssl.SSLContext:
    """Return a context that demands a certificate of this authority for the name we called.

    Raises `ValueError` if `ca_pem` holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined, unused-ignore]
    certificates = der_certificates(ca_pem)
    if not certificates:
        raise ValueError("no certificate in the CA file")
    for certificate in certificates:
        if MICROPYTHON:
            context.load_verify_locations(certificate)
        else:
            context.load_verify_locations(cadata=certificate)
    if not MICROPYTHON:
        context.check_hostname = True
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def der_certificates(pem: bytes) -> "list[bytes]":
    """Return the certificates of a PEM file (RFC 7468) as DER, the only form boards read."""
    certificates = []
    for part in pem.split(b"-----BEGIN CERTIFICATE-----")[1:]:
        base64 = part.split(b"-----END CERTIFICATE-----")[0]
        certificates.append(binascii.a2b_base64(b"".join(base64.split())))
    return certificates


async def open_stream(
    broker: Broker, tries: int
) -> "tuple[asyncio.StreamReader, asyncio.StreamWriter]":
    """Connect; `tries` picks one of several addresses. Raises `ConnectionLostError`.

    On MicroPython the TLS handshake is left to the first write, where it does not block.
    """
    try:
        return await asyncio.wait_for(_open(broker, tries), _CONNECT_S)
    except asyncio.TimeoutError:
        raise ConnectionLostError("the broker cannot be reached in time") from None
    except (OSError, ValueError) as error:
        raise ConnectionLostError(f"{broker.host}:{broker.port}: {error}") from None


if MICROPYTHON:

    async def _open(
        broker: Broker, tries: int
    ) -> "tuple[asyncio.StreamReader, asyncio.StreamWriter]":
        # asyncio.open_connection would leave the socket open when it is cancelled. A name with
        # several addresses gets the next one at each try: a refusal only shows at the first
        # write. getaddrinfo blocks; with an address in the credentials it does not ask anyone.
        addresses = socket.getaddrinfo(broker.host, broker.port, 0, socket.SOCK_STREAM)
        family, kind, protocol, _, address = addresses[tries % len(addresses)]
        raw = socket.socket(family, kind, protocol)
        try:
            raw.settimeout(0)
            await _connected(raw, address)
            _send_at_once(raw)
            stream = raw
            if broker.context is not None:
                stream = broker.context.wrap_socket(
                    raw, server_hostname=broker.host, do_handshake_on_connect=False
                )
            both = asyncio.StreamReader(stream)  # type: ignore[arg-type, unused-ignore]  # takes sockets
        except BaseException:
            raw.close()
            raise
        return both, both  # type: ignore[return-value]  # one class is both there

    def _send_at_once(raw: socket.socket) -> None:
        # Nagle's algorithm holds a small packet back until the last one is acknowledged: 40 ms
        # on Linux, measured. MicroPython's socket names neither constant.
        try:
            raw.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
        except OSError:
            return

    async def _connected(raw: socket.socket, address: "tuple[object, ...]") -> None:
        try:
            raw.connect(address)  # type: ignore[arg-type, unused-ignore]  # as it came
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        poller = select.poll()
        poller.register(raw, select.POLLOUT)
        while not poller.poll(0):  # noqa: ASYNC110 - only the kernel knows, and it tells by poll
            await asyncio.sleep(_POLL_S)

else:

    async def _open(
        broker: Broker, tries: int
    ) -> "tuple[asyncio.StreamReader, asyncio.StreamWriter]":
        del tries  # asyncio tries all addresses
        name = broker.host if broker.context is not None else None
        return await asyncio.open_connection(
            broker.host, broker.port, ssl=broker.context, server_hostname=name
        )


async def close_stream(writer: asyncio.StreamWriter) -> None:
    """Close without waiting for a peer that is gone."""
    try:
        writer.close()
        await asyncio.wait_for(writer.wait_closed(), _CLOSE_S)
    except (OSError, asyncio.TimeoutError):
        return
