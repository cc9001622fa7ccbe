from pathlib import Path
from random import Random

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firmware.button import cbor
from firmware.button.errors import MalformedCborError, UnencodableError
from tests.firmware.codec.board import run_on_micropython
from tests.firmware.codec.on_board_cbor import answer

INTEGERS = st.integers(-(2**64), 2**64 - 1)
TEXT = st.text(max_size=40)
SCALARS = st.none() | st.booleans() | INTEGERS | TEXT | st.binary(max_size=40)
KEYS = INTEGERS | TEXT | st.binary(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
).filter(lambda value: _levels(value) <= cbor.MAX_LEVELS)

# From docs/wire-v1-vectors.json: a payload with nested maps, and a whole message.
WELL_FORMED = [
    "a80001010c0200031a6ab13b80041903480500060107a6001a01f7ba79011a4616a8cb0201030204185c050b",
    "bf6346756ef563416d7421ff",
    "9f018202039f0405ffff",
    "d1845f43a10105ffa1044c54524b2d30303031323323315f4101ff41ff",
    "a301f97e0020f5613163c3a932",
]
MALFORMED = [
    "",
    "0000",  # two items
    "1c",  # reserved additional information
    "1f",  # an integer without a length
    "3f",
    "ff",  # a break outside
    "82ff00",  # a break inside a definite array
    "bf00ff",  # a key without a value
    "5f6161ff",  # a text chunk in a byte string
    "5f5f4100ffff",  # a chunk without a length
    "9f",  # never ends
    "5f4100",
    "f800",  # a simple value below 32 in two bytes
    "f81f",
    "fb0000",  # a cut float
    "9bffffffffffffffff",  # an array longer than any memory
    "bbffffffffffffffff00",
    "5bffffffffffffffff",
    "7b7fffffffffffffff61",
    "61ff",  # not UTF-8
    "62c080",  # overlong
    "63eda080",  # a surrogate
    "64f4908080",  # past U+10FFFF
    "62c3c3",
    "61c3",  # cut inside a character
    "7f61c361a9ff",  # a character split over two chunks
    "a200010002",  # a key twice
    "a21800010001",  # a key twice, written differently
    "a2616100616101",
    "bf00010002ff",
    "81d11100",  # a tag inside
    "c1c100",  # a tag in a tag
    "a1c10000",  # a tag as a key
]


def _levels(value: object) -> int:
    if isinstance(value, list):
        return 1 + max(map(_levels, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(_levels, value.values()), default=0)
    return 0


def _sloppy(data: st.DataObject, value: object) -> bytes:
    """Encode as a sender may who does not care for RFC 8949 §4.2: longer, but well-formed."""
    if isinstance(value, bool) or value is None:
        return cbor2.dumps(value)
    if isinstance(value, int):
        major, argument = (0, value) if value >= 0 else (1, -1 - value)
        return _wide_head(data, major, argument)
    if isinstance(value, (bytes, str)):
        return _sloppy_string(data, value)
    if isinstance(value, list):
        items = [_sloppy(data, item) for item in value]
        return _sloppy_container(data, 4, len(value), items)
    assert isinstance(value, dict)
    pairs = [_sloppy(data, key) + _sloppy(data, item) for key, item in value.items()]
    return _sloppy_container(data, 5, len(value), pairs)


def _wide_head(data: st.DataObject, major: int, argument: int) -> bytes:
    shortest = cbor.head(0, argument)
    sizes = [size for size in (1, 2, 4, 8) if size >= len(shortest) - 1]
    if len(shortest) == 1 and data.draw(st.booleans()):
        return bytes([major << 5 | shortest[0]])
    size = data.draw(st.sampled_from(sizes))
    return bytes([major << 5 | 24 + (1, 2, 4, 8).index(size)]) + argument.to_bytes(size, "big")


def _sloppy_string(data: st.DataObject, value: bytes | str) -> bytes:
    major = 2 if isinstance(value, bytes) else 3
    if data.draw(st.booleans()):
        raw = value if isinstance(value, bytes) else value.encode()
        return _wide_head(data, major, len(raw)) + raw
    cut = data.draw(st.integers(0, len(value)))
    out = bytes([major << 5 | 31])
    for chunk in (value[:cut], value[cut:]):
        raw = chunk if isinstance(chunk, bytes) else chunk.encode()
        out += _wide_head(data, major, len(raw)) + raw
    return out + b"\xff"


def _sloppy_container(data: st.DataObject, major: int, count: int, items: list[bytes]) -> bytes:
    if data.draw(st.booleans()):
        return bytes([major << 5 | 31]) + b"".join(items) + b"\xff"
    return _wide_head(data, major, count) + b"".join(items)


@given(VALUES)
def test_what_we_encode_another_implementation_decodes(value: object) -> None:
    assert cbor2.loads(cbor.encode(value)) == value


@given(VALUES)
def test_what_another_implementation_encodes_we_decode(value: object) -> None:
    assert cbor.decode(cbor2.dumps(value)) == value


@given(st.data(), VALUES)
def test_any_well_formed_encoding_is_decoded(data: st.DataObject, value: object) -> None:
    encoded = _sloppy(data, value)
    if len(encoded) <= cbor.MAX_BYTES:
        assert cbor.decode(encoded) == value


@given(st.dictionaries(st.integers(0, 23), INTEGERS))
def test_a_body_is_encoded_as_canonical_cbor_has_it(body: dict[int, int]) -> None:
    assert cbor.encode(body) == cbor2.dumps(body, canonical=True)


@given(st.dictionaries(KEYS, st.none(), max_size=8))
def test_keys_stand_in_the_order_of_their_bytes(value: dict[object, None]) -> None:
    keys = [cbor.encode(key) for key in value]
    in_order = b"".join(key + b"\xf6" for key in sorted(keys))
    assert cbor.encode(value) == cbor.head(5, len(value)) + in_order


@given(st.binary(max_size=80))
@example(b"\xf8")
@example(b"\xa1\xa1")
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except MalformedCborError:
        return
    assert not isinstance(value, Exception)


@given(VALUES, st.data())
def test_a_cut_item_is_refused(value: object, data: st.DataObject) -> None:
    encoded = cbor.encode(value)
    end = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(MalformedCborError):
        cbor.decode(encoded[:end])


@pytest.mark.parametrize("encoded", MALFORMED)
def test_what_is_not_well_formed_is_refused(encoded: str) -> None:
    with pytest.raises(MalformedCborError):
        cbor.decode(bytes.fromhex(encoded))


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("1bffffffffffffffff", 2**64 - 1),
        ("3bffffffffffffffff", -(2**64)),
        ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
        ("64f0908591", "\U00010151"),
        ("a201000002", {1: 0, 0: 2}),
    ],
)
def test_an_example_of_the_standard_is_decoded(encoded: str, value: object) -> None:
    assert cbor.decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    "encoded",
    ["f97e00", "fa47c35000", "fb3ff199999999999a", "f7", "f0", "f8ff"],
)
def test_what_we_have_no_use_for_is_kept_as_it_came(encoded: str) -> None:
    raw = bytes.fromhex(encoded)
    assert cbor.encode(cbor.decode(b"\x81" + raw)) == b"\x81" + raw


def test_true_and_one_are_two_keys() -> None:
    assert cbor.decode(bytes.fromhex("a20100f501")) == {1: 0, cbor.Opaque(b"\xf5"): 1}


def test_a_list_may_be_a_key() -> None:
    assert cbor.decode(bytes.fromhex("a1800a")) == {cbor.Opaque(b"\x80"): 10}


def test_six_levels_are_decoded() -> None:
    assert cbor.decode(b"\x81" * 6 + b"\x00") == [[[[[[0]]]]]]


@pytest.mark.parametrize("opening", [b"\x81", b"\x9f", b"\xa1\x00", b"\xbf\x00"])
def test_seven_levels_are_refused(opening: bytes) -> None:
    with pytest.raises(MalformedCborError, match="levels"):
        cbor.decode(opening * 7 + b"\x00")


@pytest.mark.parametrize("opening", [b"\x81", b"\xd1", b"\xbf", b"\x9f", b"\xa1"])
def test_no_depth_blows_up_the_stack(opening: bytes) -> None:
    with pytest.raises(MalformedCborError):
        cbor.decode(opening * cbor.MAX_BYTES)


def test_1024_bytes_are_decoded() -> None:
    assert cbor.decode(b"\x59\x03\xfd" + bytes(1021)) == bytes(1021)


def test_1025_bytes_are_refused() -> None:
    with pytest.raises(MalformedCborError, match="1024"):
        cbor.decode(b"\x59\x03\xfe" + bytes(1022))


@pytest.mark.parametrize(
    "value",
    [
        2**64,
        -(2**64) - 1,
        1.5,
        object(),
        bytes(1022),
        [[[[[[[0]]]]]]],
        {0: {0: {0: {0: {0: {0: {0: 0}}}}}}},
        {1.5: 0},
    ],
)
def test_what_no_message_can_carry_is_our_bug(value: object) -> None:
    with pytest.raises(UnencodableError):
        cbor.encode(value)


def test_micropython_decodes_and_refuses_the_same_bytes() -> None:
    numbers = (0, 23, 24, 255, 256, 2**30, 2**31, 2**32, 2**53, 2**62, 2**63, 2**64 - 1)
    items = [bytes.fromhex(encoded) for encoded in MALFORMED]
    items += [cbor2.dumps([number, -1 - number]) for number in numbers]
    items += [cbor2.dumps(text) for text in ("", "é", "\u20ac", "\U0001f6a8", "x" * 300)]
    random = Random(1)
    for vector in [bytes.fromhex(encoded) for encoded in WELL_FORMED] * 60:
        changed = bytearray(vector)
        changed[random.randrange(len(changed))] = random.randrange(256)
        items.append(bytes(changed))
    lines = [item.hex() for item in items]
    script = Path(__file__).with_name("on_board_cbor.py")
    answers = run_on_micropython(script, stdin="".join(f"{line}\n" for line in lines))
    assert answers == [answer(line) for line in lines]
