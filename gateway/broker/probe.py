"""See whether a broker answers: connect, say CONNECT, wait for its CONNACK (MQTT 3.1.1 §3.1)."""

import asyncio
import contextlib
import ssl
import struct
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from gateway.broker.pki import client_context
from gateway.broker.settings import BrokerSettings

_CONNACK = b"\x20\x02"
_DISCONNECT = b"\xe0\x00"
_CLEAN, _USER_AND_PASSWORD = 0x02, 0xC0
_LIMIT_S = 5.0


class Answer(Enum):
    """What came back."""

    ACCEPTED = auto()
    REFUSED = auto()  # a broker is there, and refuses this user
    NOTHING = auto()  # nobody listens, or no MQTT broker


@dataclass(frozen=True, slots=True)
class Probe:
    """Whom to ask, and as whom; without a password, as nobody. Without `tls`, in the clear."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    user: str
    password: str | None = field(default=None, repr=False)
    server_name: str = "localhost"


async def ask_broker(
    settings: BrokerSettings, gateway_password: str, ca: Path, *, limit_s: float = _LIMIT_S
) -> Answer:
    """Tell whether a broker serves devices by TLS and lets the gateway in.

    Raises CertificateError.
    """
    tls, user = client_context(ca), settings.gateway_user
    host = _reachable(settings.host)
    if settings.loopback_port is None:
        return await ask(Probe(host, settings.port, tls, user, gateway_password), limit_s=limit_s)
    # The devices' listener makes the user name the client id: as the gateway, with a clean
    # session, this would wipe a session of that name. As nobody it only must be refused.
    if await ask(Probe(host, settings.port, tls, user), limit_s=limit_s) is Answer.NOTHING:
        return Answer.NOTHING
    gateway = Probe("127.0.0.1", settings.loopback_port, None, user, gateway_password)
    return await ask(gateway, limit_s=limit_s)


async def ask(probe: Probe, *, limit_s: float = _LIMIT_S) -> Answer:
    """Connect with a clean session under a client id of its own, and leave again."""
    try:
        async with asyncio.timeout(limit_s):
            connack = await _exchange(probe)
    except (OSError, EOFError, TimeoutError):
        return Answer.NOTHING
    if connack[:2] != _CONNACK:
        return Answer.NOTHING
    return Answer.REFUSED if connack[3] else Answer.ACCEPTED


async def _exchange(probe: Probe) -> bytes:
    reader, writer = await asyncio.open_connection(
        probe.host,
        probe.port,
        ssl=probe.tls,
        server_hostname=probe.server_name if probe.tls else None,
    )
    try:
        writer.write(_connect(f"{probe.user}-probe", probe.user, probe.password))
        await writer.drain()
        connack = await reader.readexactly(4)
        writer.write(_DISCONNECT)
        await writer.drain()
        return connack
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _reachable(host: str) -> str:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked about, not bound
    return everywhere.get(host, host)


def _connect(client_id: str, user: str, password: str | None) -> bytes:
    flags = _CLEAN if password is None else _CLEAN | _USER_AND_PASSWORD
    body = _string("MQTT") + struct.pack(">BBH", 4, flags, 30) + _string(client_id)
    if password is not None:
        body += _string(user) + _string(password)
    return b"\x10" + _length(len(body)) + body


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _length(number: int) -> bytes:
    digits = bytearray()
    while True:
        number, digit = divmod(number, 128)
        digits.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(digits)
