"""See whether a broker answers: connect, say CONNECT, wait for its CONNACK (MQTT 3.1.1 §3.1)."""

import asyncio
import contextlib
import ssl
import struct
from dataclasses import dataclass, field
from enum import Enum, auto

_CONNACK = b"\x20\x02"
_DISCONNECT = b"\xe0\x00"
_USER_PASSWORD_CLEAN = 0xC2
_LIMIT_S = 5.0


class Answer(Enum):
    """What came back."""

    ACCEPTED = auto()
    REFUSED = auto()  # a broker is there, and refuses this user
    NOTHING = auto()  # nobody listens, or no MQTT broker


@dataclass(frozen=True, slots=True)
class Probe:
    """Whom to ask, and as whom; without `tls`, in the clear."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls: ssl.SSLContext | None
    server_name: str = "localhost"


async def ask(probe: Probe, *, limit_s: float = _LIMIT_S) -> Answer:
    """Connect with a clean session under a client id of its own, and leave again."""
    try:
        async with asyncio.timeout(limit_s):
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
            finally:
                writer.close()
                with contextlib.suppress(OSError, ssl.SSLError):
                    await writer.wait_closed()
    except (OSError, EOFError, TimeoutError):
        return Answer.NOTHING
    if connack[:2] != _CONNACK:
        return Answer.NOTHING
    return Answer.REFUSED if connack[3] else Answer.ACCEPTED


def _connect(client_id: str, user: str, password: str) -> bytes:
    header = _string("MQTT") + struct.pack(">BBH", 4, _USER_PASSWORD_CLEAN, 30)
    body = header + _string(client_id) + _string(user) + _string(password)
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
