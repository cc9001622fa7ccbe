"""MQTT 3.1.1 packets without any I/O: bytes out of arguments, packets out of bytes.

Clause numbers are those of the OASIS standard. Bytes from the broker are bounded: what is
too long is counted off without being kept, so that it can be acknowledged and forgotten.
"""

from .compat import const
from .errors import MalformedPacketError
from .values import Value

_CONNACK = const(2)
_PUBLISH = const(3)
_PUBACK = const(4)
_SUBACK = const(9)
_PINGRESP = const(13)

PINGREQ_BYTES = b"\xc0\x00"
DISCONNECT_BYTES = b"\xe0\x00"

_MAX_KEPT = const(1536)
"""The longest packet that is kept: topic and message of protocol.md §2 with room to spare."""

_PROTOCOL = b"\x00\x04MQTT\x04"
_FLAG_WILL = const(0x04)
_FLAG_WILL_QOS1 = const(0x08)
_FLAG_PASSWORD = const(0x40)
_FLAG_USERNAME = const(0x80)
_FIXED = {_CONNACK: 2, _PUBACK: 2, _PINGRESP: 0, _SUBACK: 3}


class ConnectionAccepted(Value):
    """CONNACK (3.2): `code` 0 is accepted; `session_present` says that the broker knew us."""

    __slots__ = ("code", "session_present")
    code: int
    session_present: bool


class Incoming(Value):
    """PUBLISH (3.3). `packet_id` is None at QoS 0; `payload` is None if it was too long."""

    __slots__ = ("topic", "payload", "packet_id")  # noqa: RUF023 - the order of the constructor
    topic: str
    payload: "bytes | None"
    packet_id: "int | None"


class PublishAcknowledged(Value):
    """PUBACK (3.4)."""

    __slots__ = ("packet_id",)
    packet_id: int


class Subscribed(Value):
    """SUBACK (3.9) of one subscription; `granted` is a QoS, or 128 for a refusal."""

    __slots__ = ("packet_id", "granted")  # noqa: RUF023 - as above
    packet_id: int
    granted: int


class PingAnswered(Value):
    """PINGRESP (3.13)."""


def connect(
    client_id: str,
    username: str,
    password: str,
    *,
    keepalive_s: int,
    will_topic: str,
    will_message: bytes,
) -> bytes:
    """Return CONNECT (3.1) with a persistent session and a will at QoS 1, not retained."""
    flags = _FLAG_WILL | _FLAG_WILL_QOS1 | _FLAG_USERNAME | _FLAG_PASSWORD
    body = b"".join(
        (
            _PROTOCOL,
            bytes((flags,)),
            keepalive_s.to_bytes(2, "big"),
            _text(client_id),
            _text(will_topic),
            _counted(will_message),
            _text(username),
            _text(password),
        )
    )
    return _packet(0x10, body)


def publish(topic: str, payload: bytes, packet_id: int) -> bytes:
    """Return PUBLISH (3.3) at QoS 1, not retained."""
    return _packet(0x32, _text(topic) + packet_id.to_bytes(2, "big") + payload)


def puback(packet_id: int) -> bytes:
    """Return PUBACK (3.4)."""
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


def subscribe(topic: str, packet_id: int) -> bytes:
    """Return SUBSCRIBE (3.8) to one topic at QoS 1."""
    return _packet(0x82, packet_id.to_bytes(2, "big") + _text(topic) + b"\x01")


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + remaining_length(len(body)) + body


def remaining_length(length: int) -> bytes:
    """Return a length in the base 128 of clause 2.2.3."""
    out = bytearray()
    while length > 127:
        out.append(length & 127 | 128)
        length >>= 7
    out.append(length)
    return bytes(out)


def _text(text: str) -> bytes:
    return _counted(text.encode())


def _counted(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


class Decoder:
    """Packets out of a stream of bytes, however it is cut."""

    def __init__(self) -> None:
        self._first = -1
        self._length = 0
        self._shift = 0
        self._in_body = False
        self._body = bytearray()
        self._seen = 0

    def feed(self, data: bytes) -> "list[Value]":
        """Take bytes and return the packets that they complete. Raises `MalformedPacketError`."""
        packets: list[Value] = []
        position = 0
        while position < len(data):
            if not self._in_body:
                self._head(data[position])
                position += 1
            else:
                count = min(len(data) - position, self._length - self._seen)
                room = max(0, _MAX_KEPT - len(self._body))
                self._body.extend(data[position : position + min(count, room)])
                self._seen += count
                position += count
            if self._in_body and self._seen == self._length:
                packets.append(self._finish())
        return packets

    def _head(self, byte: int) -> None:
        if self._first < 0:
            self._first = byte
            return
        self._length |= (byte & 127) << self._shift
        self._shift += 7
        if byte < 128:
            self._check_length()
            self._in_body = True
        elif self._shift > 21:
            raise MalformedPacketError("a remaining length of over four bytes (2.2.3)")

    def _check_length(self) -> None:
        kind = self._first >> 4
        if kind == _PUBLISH:
            if self._first & 6 > 2:
                raise MalformedPacketError("a QoS that was not subscribed to (3.8.4)")
        elif kind not in _FIXED:
            raise MalformedPacketError(f"a packet of type {kind}, which brokers don't send")
        elif self._first & 15 or self._length != _FIXED[kind]:
            raise MalformedPacketError(f"a packet of type {kind} of the wrong form")

    def _finish(self) -> Value:
        kind = self._first >> 4
        body = bytes(self._body)
        qos1 = bool(self._first & 2)
        cut = self._length > len(body)
        self._first = -1
        self._length = self._shift = self._seen = 0
        self._in_body = False
        self._body = bytearray()
        if kind == _PUBLISH:
            return _incoming(body, qos1=qos1, cut=cut)
        if kind == _CONNACK:
            return ConnectionAccepted(body[1], bool(body[0] & 1))
        if kind == _PUBACK:
            return PublishAcknowledged(_packet_id(body, 0))
        if kind == _SUBACK:
            return Subscribed(_packet_id(body, 0), body[2])
        return PingAnswered()


def _incoming(body: bytes, *, qos1: bool, cut: bool) -> Incoming:
    if len(body) < 2:
        raise MalformedPacketError("a PUBLISH without a topic (3.3.2)")
    end = 2 + int.from_bytes(body[:2], "big")
    start = end + 2 if qos1 else end
    if len(body) < start:
        raise MalformedPacketError("a PUBLISH cut short, or with a topic beyond all bounds")
    try:
        topic = str(body[2:end], "utf-8")
    except UnicodeError:
        raise MalformedPacketError("a topic that is not UTF-8 (1.5.3)") from None
    packet_id = _packet_id(body, end) if qos1 else None
    return Incoming(topic, None if cut else body[start:], packet_id)


def _packet_id(body: bytes, at: int) -> int:
    packet_id = int.from_bytes(body[at : at + 2], "big")
    if packet_id == 0:
        raise MalformedPacketError("packet identifier 0 (2.3.1)")
    return packet_id
