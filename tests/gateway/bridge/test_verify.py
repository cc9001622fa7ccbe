import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bridge.envelope import open_envelope, seal
from gateway.bridge.verify import Event, Refusal, verify
from gateway.registry.model import DeviceStatus, Key
from tests.conftest import Vector, Vectors
from tests.gateway.bridge.parts import (
    Devices,
    a_device,
    alarm,
    heartbeat,
    key_of,
    replaced,
    signed,
    topic_of,
)

DIRECTORY = Devices(a_device())
DEVICE = "TRK-000123"


def refused(topic: str, message: bytes, directory: Devices = DIRECTORY) -> str:
    verdict = verify(topic, message, directory)
    assert isinstance(verdict, Refusal), verdict
    return verdict.reason


def believed(topic: str, message: bytes, directory: Devices = DIRECTORY) -> Event:
    verdict = verify(topic, message, directory)
    assert isinstance(verdict, Event), verdict
    return verdict


def vector_directory(vectors: Vectors) -> Devices:
    key = Key(1, bytes.fromhex(vectors["key_hex"]), retired=False)
    return Devices(a_device(DEVICE, keys={1: key}), a_device("TRK-000124", keys={1: key}))


def body_of(vector: Vector) -> dict[int, object]:
    def with_numbers(item: object) -> object:
        if isinstance(item, dict):
            return {int(key): with_numbers(value) for key, value in item.items()}
        return item

    body = with_numbers(vector["body"])
    assert isinstance(body, dict)
    return body


def test_every_valid_vector_from_a_device_is_believed(wire_vectors: Vectors) -> None:
    directory = vector_directory(wire_vectors)
    upward = [one for one in wire_vectors["valid"] if not one["topic"].endswith("/down")]
    assert upward
    for vector in upward:
        event = believed(vector["topic"], bytes.fromhex(vector["message_hex"]), directory)
        assert event.body == body_of(vector), vector["name"]


def test_every_valid_vector_is_sealed_to_the_same_bytes(wire_vectors: Vectors) -> None:
    key = bytes.fromhex(wire_vectors["key_hex"])
    for vector in wire_vectors["valid"]:
        message = seal(vector["topic"], f"{DEVICE}#1", key, body_of(vector))
        assert message.hex() == vector["message_hex"], vector["name"]


def test_every_invalid_vector_is_refused_with_its_reason(wire_vectors: Vectors) -> None:
    directory = vector_directory(wire_vectors)
    for vector in wire_vectors["invalid"]:
        message = bytes.fromhex(vector["message_hex"])
        assert refused(vector["topic"], message, directory) == vector["reason"], vector["name"]


@given(st.binary(max_size=1_200))
def test_no_bytes_raise(message: bytes) -> None:
    assert isinstance(verify(topic_of(DEVICE, "alarm"), message, DIRECTORY), Refusal)


@given(st.text(max_size=60), st.data())
def test_no_topic_raises(topic: str, data: st.DataObject) -> None:
    message = data.draw(st.sampled_from([signed(alarm())[1], b"", b"\xd1"]))
    assert isinstance(verify(topic, message, DIRECTORY), Refusal)


@given(st.data())
def test_no_changed_bit_is_believed(data: st.DataObject) -> None:
    topic, message = signed(alarm())
    at = data.draw(st.integers(0, len(message) * 8 - 1))
    changed = bytearray(message)
    changed[at // 8] ^= 1 << at % 8
    assert isinstance(verify(topic, bytes(changed), DIRECTORY), Refusal)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers(0, 9), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.integers(0, 20), _VALUES, max_size=18), st.sampled_from(["alarm", "status"])
)
def test_no_authentic_body_raises(body: dict[int, object], lane: str) -> None:
    assert isinstance(verify(*signed(body, lane), DIRECTORY), Event | Refusal)


def test_unknown_keys_are_kept() -> None:
    event = believed(*signed(alarm(_99={1: "later"}, _100=[1, 2])))
    assert event.body[99] == {1: "later"}
    assert event.payload == cbor2.dumps(event.body, canonical=True)


def test_a_message_in_another_encoding_of_the_same_data_is_believed() -> None:
    topic, message = signed(alarm())
    envelope = open_envelope(message)
    assert not isinstance(envelope, str)
    parts = [envelope.protected, {4: envelope.kid}, envelope.payload, envelope.tag]
    wide = b"\xd8\x11\x9f" + b"".join(map(cbor2.dumps, parts)) + b"\xff"
    assert believed(topic, wide).boot == 1


def test_a_message_over_the_size_is_refused_before_it_is_read() -> None:
    assert refused(*signed(alarm(_99="x" * 1_000))) == "size"


def test_a_device_that_nobody_knows_is_refused() -> None:
    assert refused(*signed(alarm(), device="TRK-999999")) == "device"


def test_a_retired_generation_is_refused() -> None:
    retired = replaced(a_device(), keys={1: Key(1, key_of(DEVICE), retired=True)})
    assert refused(*signed(alarm()), Devices(retired)) == "generation"


def test_a_revoked_device_is_refused_before_its_tag_is_looked_at() -> None:
    topic, message = signed(alarm())
    revoked = Devices(replaced(a_device(), status=DeviceStatus.REVOKED))
    assert refused(topic, message[:-1] + b"\x00", revoked) == "revoked"


def test_a_suspended_device_is_believed() -> None:
    suspended = Devices(replaced(a_device(), status=DeviceStatus.SUSPENDED))
    assert believed(*signed(alarm()), suspended).device == DEVICE


@pytest.mark.parametrize(
    ("body", "lane", "reason"),
    [
        (heartbeat(), "alarm", "body"),
        (alarm(), "status", "body"),
        (alarm(), "nowhere", "body"),
        (alarm(_3="now"), "alarm", "body"),
        (alarm(_2=True), "alarm", "body"),
        (alarm(_2=2**60), "alarm", "range"),
        (alarm(_6=0), "alarm", "range"),
        (alarm(_6=7), "alarm", "range"),
        (alarm(_9=[1]), "alarm", "body"),
        (alarm(_7={0: 1, 1: 2, 2: 1}), "alarm", "body"),
        (alarm(_7={0: 1, 1: 2, 2: 9, 3: 0}), "alarm", "range"),
        (alarm(_7={0: 1, 1: 1_800_000_001, 2: 1, 3: 0}), "alarm", "range"),
        (alarm(_8={6: 7}), "alarm", "body"),
        (alarm(_5=99, _6="hold"), "alarm", "body"),
        (heartbeat(_16=9), "status", "range"),
        (heartbeat(_17=[1]), "status", "body"),
    ],
)
def test_a_body_of_the_wrong_shape_or_range_is_refused(
    body: dict[int, object], lane: str, reason: str
) -> None:
    assert refused(*signed(body, lane)) == reason


def test_health_that_a_newer_device_names_differently_does_not_stop_an_alarm() -> None:
    assert believed(*signed(alarm(_8={2: 77, 11: 77, 0: None, 42: [1]}))).device == DEVICE


@pytest.mark.parametrize("kid", ["TRK-000123", "TRK-000123#", "TRK-000123#0", "TRK-000123#01", ""])
def test_a_key_id_that_names_no_generation_is_refused(kid: str) -> None:
    topic = topic_of(DEVICE, "alarm")
    assert refused(topic, seal(topic, kid, key_of(DEVICE), alarm())) == "kid"


def test_a_critical_header_that_nobody_knows_is_refused() -> None:
    topic, message = signed(alarm())
    envelope = open_envelope(message)
    assert not isinstance(envelope, str)
    protected = cbor2.dumps({1: 5, 2: [99], 99: 1})
    parts = [protected, {4: envelope.kid}, envelope.payload, envelope.tag]
    assert refused(topic, cbor2.dumps(cbor2.CBORTag(17, parts))) == "envelope"


def test_an_event_is_small_data_that_compares_by_value() -> None:
    event = believed(*signed(alarm()))
    assert event == msgspec.structs.replace(event)
    assert event.identity == "TRK-000123:1:0"
