import hmac

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.button import cose, message
from firmware.button.errors import MessageRefused, UnencodableError

KEY = bytes(range(32))
KID = b"TRK-000123#1"
DOWN = b"siaga/v1/TRK-000123/down"
RECEIPT: dict[int, object] = {0: 16, 3: 1790000001, 9: [12, 0], 11: 1}
PROTECTED = cbor2.dumps({1: 5})


def _mac(protected: bytes, payload: bytes, key: bytes = KEY, topic: bytes = DOWN) -> bytes:
    structure = cbor2.dumps(["MAC0", protected, topic, payload])
    return hmac.digest(key, structure, "sha256")


def _message(
    *,
    protected: bytes = PROTECTED,
    unprotected: object = None,
    payload: object = None,
    body: object = RECEIPT,
    tag: object = None,
    mark: int = 17,
) -> bytes:
    """Make a message by other means than ours, with whatever part a test wants wrong."""
    content = cbor2.dumps(body) if payload is None else payload
    mac = _mac(protected, content) if isinstance(content, bytes) else bytes(32)
    header = {4: KID} if unprotected is None else unprotected
    return cbor2.dumps(
        cbor2.CBORTag(mark, [protected, header, content, mac if tag is None else tag])
    )


def _reason(sealed: bytes, kid: bytes = KID, topic: bytes = DOWN, key: bytes = KEY) -> str:
    with pytest.raises(MessageRefused) as refused:
        cose.unseal(sealed, key, kid, topic)
    return refused.value.reason


@given(st.binary(max_size=130), st.lists(st.binary(max_size=200), max_size=3))
def test_the_mac_is_hmac_sha256(key: bytes, parts: list[bytes]) -> None:
    assert cose.hmac_sha256(key, *parts) == hmac.digest(key, b"".join(parts), "sha256")


@given(st.binary(max_size=4), st.binary(max_size=4))
def test_tags_are_equal_only_if_every_byte_is(left: bytes, right: bytes) -> None:
    assert cose.equal(left, right) == (left == right)


@pytest.mark.parametrize("index", range(32))
def test_every_byte_of_a_tag_counts(index: int) -> None:
    other = bytearray(32)
    other[index] = 1
    assert not cose.equal(bytes(32), bytes(other))


def test_another_implementations_message_is_unsealed() -> None:
    assert cose.unseal(_message(), KEY, KID, DOWN) == RECEIPT


def test_an_unknown_header_is_ignored() -> None:
    sealed = _message(unprotected={4: KID, 99: "newer"}, protected=cbor2.dumps({1: 5, 99: 1}))
    assert cose.unseal(sealed, KEY, KID, DOWN) == RECEIPT


def test_an_unknown_key_of_the_body_is_kept() -> None:
    body = {**RECEIPT, 99: {"newer": [1, 2]}}
    assert cose.unseal(_message(body=body), KEY, KID, DOWN) == body


@pytest.mark.parametrize(
    "sealed",
    [
        cbor2.dumps(7),
        cbor2.dumps(cbor2.CBORTag(17, {})),
        cbor2.dumps(cbor2.CBORTag(17, [PROTECTED, {4: KID}, b""])),
        _message(mark=18),
        _message(mark=61),
        _message(unprotected=[]),
        _message(unprotected={}),
        _message(unprotected={4: "TRK-000123#1"}),
        _message(unprotected={"4": KID}),
        _message(tag="x"),
        _message(payload="detached"),
        cbor2.dumps(cbor2.CBORTag(17, [PROTECTED, {4: KID}, None, bytes(32)])),
        cbor2.dumps(cbor2.CBORTag(17, [{1: 5}, {4: KID}, b"", bytes(32)])),
        _message(protected=b"\x9f"),
        _message(protected=b"\x05"),
        _message(protected=cbor2.dumps({1: 5, 2: [99], 99: 1})),
    ],
)
def test_another_shape_than_the_envelopes_is_refused(sealed: bytes) -> None:
    assert _reason(sealed) == "envelope"


@pytest.mark.parametrize("protected", [{}, {1: 4}, {1: "HS256"}, {1: -5}, {1: None}])
def test_another_algorithm_is_refused(protected: dict[int, object]) -> None:
    assert _reason(_message(protected=cbor2.dumps(protected))) == "algorithm"


@pytest.mark.parametrize(
    "kid",
    [b"", b"#1", b"TRK-000123", b"TRK-000124#1", b"TRK-000123#", b"TRK-000123#0", b"TRK-000123#01",
     b"TRK-000123#x", b"trk-000123#1", b"TRK-000123#1#1", b"\xff#1"],
)  # fmt: skip
def test_a_kid_that_does_not_name_the_topics_device_is_refused(kid: bytes) -> None:
    assert _reason(_message(unprotected={4: kid})) == "kid"


def test_another_devices_message_is_refused() -> None:
    assert _reason(_message(), kid=b"TRK-000999#1") == "device"


def test_another_generations_message_is_refused() -> None:
    assert _reason(_message(), kid=b"TRK-000123#2") == "generation"


@pytest.mark.parametrize("tag", [b"", bytes(32), _mac(PROTECTED, cbor2.dumps(RECEIPT))[:31]])
def test_another_tag_is_refused(tag: bytes) -> None:
    assert _reason(_message(tag=tag)) == "tag"


def test_another_key_is_refused() -> None:
    assert _reason(_message(), key=bytes(32)) == "tag"


@pytest.mark.parametrize("topic", [b"other/v1/TRK-000123/down", b"siaga/v1/TRK-000123/alarm"])
def test_the_message_of_another_topic_is_refused(topic: bytes) -> None:
    assert _reason(_message(), topic=topic) == "tag"


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"\x80", b"\x10", cbor2.dumps(RECEIPT) + b"\x00", b"\xd1\xa0"]
)
def test_a_payload_that_is_no_body_is_refused(payload: bytes) -> None:
    assert _reason(_message(payload=payload)) == "body"


def test_a_message_of_1024_bytes_is_unsealed() -> None:
    body = {**RECEIPT, 99: bytes(1024 - len(_message(body={**RECEIPT, 99: bytes(800)})) + 800)}
    sealed = _message(body=body)
    assert len(sealed) == 1024
    assert cose.unseal(sealed, KEY, KID, DOWN) == body


def test_a_message_over_1024_bytes_is_refused_unread() -> None:
    assert _reason(bytes(1025)) == "size"


def test_what_does_not_fit_a_message_is_not_sealed() -> None:
    body: dict[int, object] = {**RECEIPT, 99: bytes(960)}
    with pytest.raises(UnencodableError):
        cose.seal(body, KEY, KID, DOWN)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_reason(junk: bytes) -> None:
    assert _reason(junk) in {"malformed", "envelope"}


@given(st.data())
def test_a_changed_message_is_refused(data: st.DataObject) -> None:
    sealed = bytearray(_message())
    index = data.draw(st.integers(0, len(sealed) - 1))
    sealed[index] ^= data.draw(st.integers(1, 255))
    assert _reason(bytes(sealed)) in {
        "malformed", "envelope", "algorithm", "kid", "generation", "tag",
    }  # fmt: skip


@given(st.integers(0, 2**53), st.integers(0, 2**53))
def test_what_we_seal_we_unseal(boot: int, seq: int) -> None:
    topic = b"siaga/v1/TRK-000123/alarm"
    body = message.alarm(boot, seq, None, 0, category=5, trigger=message.SILENT)
    assert cose.unseal(cose.seal(body, KEY, KID, topic), KEY, KID, topic) == body
