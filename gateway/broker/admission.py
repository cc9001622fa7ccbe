"""Whom the built-in broker lets in: decided from the CONNECT packet alone (MQTT 3.1.1 §3.1)."""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from gateway.broker.access import Access, allowed
from gateway.registry.passwords import verify_password

CONNECT_TYPE = 1
_PROTOCOL = ("MQTT", 4)
_CLEAN, _WILL, _WILL_RETAIN = 0x02, 0x04, 0x20
_PASSWORD, _USER, _RESERVED = 0x40, 0x80, 0x01
_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ReturnCode(IntEnum):
    """The return code of a CONNACK (§3.2.2.3)."""

    ACCEPTED = 0
    BAD_PROTOCOL = 1
    BAD_CLIENT_ID = 2
    BAD_LOGIN = 4
    NOT_AUTHORISED = 5


class MalformedPacketError(Exception):
    """The other side doesn't speak MQTT; the connection is closed without an answer (§4.8)."""


@dataclass(frozen=True, slots=True)
class Connect:
    """What a CONNECT packet says; `keepalive_at` is where in its body the keepalive stands."""

    protocol: tuple[str, int]
    client_id: str
    keepalive_s: int
    keepalive_at: int
    clean: bool
    will_topic: str | None
    will_retained: bool
    user: str | None
    password: str | None = field(repr=False)


def parse_connect(body: bytes) -> Connect:
    """Read a CONNECT packet without its fixed header; raises MalformedPacketError."""
    reader = _Reader(body)
    name, level, flags = reader.text(), reader.byte(), reader.byte()
    keepalive_at = reader.at
    keepalive = reader.number()
    if flags & _RESERVED:
        raise MalformedPacketError("the reserved flag is set")
    if (name, level) != _PROTOCOL:
        # What follows may be laid out otherwise; the answer to it is the same.
        return Connect((name, level), "", 0, 0, True, None, False, None, None)  # noqa: FBT003 - positional record
    client_id = reader.text()
    will_topic = reader.text() if flags & _WILL else None
    if flags & _WILL:
        reader.binary()
    user = reader.text() if flags & _USER else None
    password = reader.text() if flags & _PASSWORD else None
    if not reader.at_end:
        raise MalformedPacketError("bytes follow its end")
    return Connect(
        protocol=(name, level),
        client_id=client_id,
        keepalive_s=keepalive,
        keepalive_at=keepalive_at,
        clean=bool(flags & _CLEAN),
        will_topic=will_topic,
        will_retained=bool(flags & _WILL_RETAIN),
        user=user,
        password=password,
    )


def admit(
    connect: Connect, hashes: Mapping[str, str], *, prefix: str, gateway_user: str
) -> ReturnCode:
    """Decide on a CONNECT: password, client id and will must all belong to the user.

    A device's client id is its own id; the gateway's connections may be told apart by theirs.
    """
    if connect.protocol != _PROTOCOL:
        return ReturnCode.BAD_PROTOCOL
    if connect.user is None or connect.password is None:
        return ReturnCode.NOT_AUTHORISED
    stored = hashes.get(connect.user)
    if stored is None or not verify_password(connect.password, stored):
        return ReturnCode.BAD_LOGIN
    if not _may_be_called(connect.user, connect.client_id, hashes, gateway_user):
        return ReturnCode.BAD_CLIENT_ID
    if connect.will_topic is not None and (
        connect.will_retained
        or not allowed(
            connect.user,
            Access.PUBLISH,
            connect.will_topic,
            prefix=prefix,
            gateway_user=gateway_user,
        )
    ):
        return ReturnCode.NOT_AUTHORISED
    return ReturnCode.ACCEPTED


def _may_be_called(user: str, client_id: str, hashes: Mapping[str, str], gateway_user: str) -> bool:
    if user != gateway_user:
        return client_id == user
    is_device = client_id != gateway_user and client_id in hashes
    return not is_device and _CLIENT_ID.fullmatch(client_id) is not None


def read_passwords(text: str) -> dict[str, str]:
    """Return the hashes of a password file by user."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {user: stored for user, colon, stored in pairs if colon}


class _Reader:
    """A cursor over a packet's body."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.at = 0

    @property
    def at_end(self) -> bool:
        return self.at == len(self._body)

    def byte(self) -> int:
        return self._take(1)[0]

    def number(self) -> int:
        value: int = struct.unpack(">H", self._take(2))[0]
        return value

    def binary(self) -> bytes:
        return self._take(self.number())

    def text(self) -> str:
        try:
            text = self.binary().decode()
        except UnicodeDecodeError:
            raise MalformedPacketError("a string is not UTF-8") from None
        if "\0" in text:
            raise MalformedPacketError("a string holds U+0000")
        return text

    def _take(self, count: int) -> bytes:
        piece = self._body[self.at : self.at + count]
        if len(piece) < count:
            raise MalformedPacketError("it ends too early")
        self.at += count
        return piece
