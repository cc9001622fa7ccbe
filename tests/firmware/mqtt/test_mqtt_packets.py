"""The MQTT 3.1.1 codec: byte vectors whole and one byte at a time, and any bytes at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.button import mqtt_packets
from firmware.button.errors import MalformedPacketError
from firmware.button.mqtt_packets import (
    ConnectionAccepted,
    Decoder,
    Incoming,
    PingAnswered,
    PublishAcknowledged,
    Subscribed,
)
from firmware.button.values import Value

NEW, PRESENT = False, True
VECTORS = [
    (b"\x20\x02\x00\x00", ConnectionAccepted(0, NEW)),
    (b"\x20\x02\x01\x00", ConnectionAccepted(0, PRESENT)),
    (b"\x20\x02\x00\x05", ConnectionAccepted(5, NEW)),
    (b"\x40\x02\x12\x34", PublishAcknowledged(0x1234)),
    (b"\x90\x03\x00\x01\x01", Subscribed(1, 1)),
    (b"\x90\x03\x00\x01\x80", Subscribed(1, 128)),
    (b"\xd0\x00", PingAnswered()),
    (b"\x32\x07\x00\x01a\x00\x0ahi", Incoming("a", b"hi", 10)),
    (b"\x3a\x07\x00\x01a\x00\x0ahi", Incoming("a", b"hi", 10)),
    (b"\x30\x03\x00\x01a", Incoming("a", b"", None)),
    (b"\x32\xc9\x01\x00\x01a\x00\x0a" + b"x" * 196, Incoming("a", b"x" * 196, 10)),
]
MALFORMED = [
    pytest.param(b"\x00\x00", id="reserved type 0"),
    pytest.param(b"\xf0\x00", id="reserved type 15"),
    pytest.param(b"\x10\x00", id="a CONNECT from the broker"),
    pytest.param(b"\x21\x02\x00\x00", id="flags of CONNACK"),
    pytest.param(b"\x20\x03\x00\x00\x00", id="length of CONNACK"),
    pytest.param(b"\x40\x02\x00\x00", id="packet identifier 0"),
    pytest.param(b"\x34\x07\x00\x01a\x00\x0ahi", id="QoS 2"),
    pytest.param(b"\x36\x07\x00\x01a\x00\x0ahi", id="QoS 3"),
    pytest.param(b"\x30\x01\x00", id="PUBLISH without a topic"),
    pytest.param(b"\x30\x03\x00\x05a", id="a topic longer than the packet"),
    pytest.param(b"\x32\x04\x00\x01a\x00", id="half a packet identifier"),
    pytest.param(b"\x30\x03\x00\x01\xff", id="a topic that is not UTF-8"),
    pytest.param(b"\x30\xff\xff\xff\xff\x01", id="a length of five bytes"),
]


def test_connect_has_a_persistent_session_and_a_will_at_qos_1() -> None:
    packet = mqtt_packets.connect(
        "id", "user", "word", keepalive_s=30, will_topic="w", will_message=b"\x01\x02"
    )
    assert packet == (
        b"\x10\x26\x00\x04MQTT\x04\xcc\x00\x1e\x00\x02id\x00\x01w\x00\x02\x01\x02"
        b"\x00\x04user\x00\x04word"
    ).replace(b"\x10\x26", bytes((0x10, len(packet) - 2)))


def test_publish_subscribe_and_puback_are_those_of_the_standard() -> None:
    assert mqtt_packets.publish("a/b", b"hi", 10) == b"\x32\x09\x00\x03a/b\x00\x0ahi"
    assert mqtt_packets.subscribe("a/b", 10) == b"\x82\x08\x00\x0a\x00\x03a/b\x01"
    assert mqtt_packets.puback(10) == b"\x40\x02\x00\x0a"


@pytest.mark.parametrize(
    ("length", "encoded"),
    [
        (0, b"\x00"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (16_383, b"\xff\x7f"),
        (16_384, b"\x80\x80\x01"),
        (268_435_455, b"\xff\xff\xff\x7f"),
    ],
)
def test_remaining_length_is_that_of_clause_2_2_3(length: int, encoded: bytes) -> None:
    assert mqtt_packets.remaining_length(length) == encoded


@pytest.mark.parametrize(("data", "packet"), VECTORS)
def test_a_packet_is_read_whole(data: bytes, packet: Value) -> None:
    assert Decoder().feed(data) == [packet]


@pytest.mark.parametrize(("data", "packet"), VECTORS)
def test_a_packet_is_read_one_byte_at_a_time(data: bytes, packet: Value) -> None:
    decoder = Decoder()
    found = [decoder.feed(data[index : index + 1]) for index in range(len(data))]
    assert found[:-1] == [[]] * (len(data) - 1)
    assert found[-1] == [packet]


@pytest.mark.parametrize("data", MALFORMED)
def test_what_a_broker_may_not_send_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        Decoder().feed(data)


def test_a_message_beyond_all_bounds_is_counted_off_and_can_be_acknowledged() -> None:
    length = 2_000_000
    head = b"\x32" + mqtt_packets.remaining_length(length) + b"\x00\x01a\x00\x0a"
    decoder = Decoder()
    found = decoder.feed(head)
    for _ in range((length - 5) // 5):
        found.extend(decoder.feed(b"x" * 5))
    assert found == [Incoming("a", None, 10)]
    assert decoder.feed(b"\xd0\x00") == [PingAnswered()]


@given(st.lists(st.sampled_from(VECTORS), max_size=8), st.data())
def test_however_the_stream_is_cut_the_packets_are_the_same(
    vectors: list[tuple[bytes, Value]], data: st.DataObject
) -> None:
    stream = b"".join(encoded for encoded, _ in vectors)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    decoder = Decoder()
    found: list[Value] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found.extend(decoder.feed(stream[start:end]))
    assert found == [packet for _, packet in vectors]


@given(st.binary(max_size=300))
def test_any_bytes_give_packets_or_one_kind_of_error(data: bytes) -> None:
    try:
        packets = Decoder().feed(data)
    except MalformedPacketError:
        return
    assert len(packets) <= len(data)


@given(st.text(max_size=40), st.binary(max_size=300), st.integers(1, 65_535))
def test_what_we_publish_reads_back(topic: str, payload: bytes, packet_id: int) -> None:
    encoded = mqtt_packets.publish(topic, payload, packet_id)
    assert Decoder().feed(encoded) == [Incoming(topic, payload, packet_id)]
