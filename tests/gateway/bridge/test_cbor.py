import contextlib

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bridge import cbor
from gateway.bridge.errors import MalformedError

_LEAVES = st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.text() | st.binary()
_ITEMS = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 99), inner),
    max_leaves=12,
)


def _depth(item: object) -> int:
    if isinstance(item, dict):
        return 1 + max(map(_depth, item.values()), default=0)
    if isinstance(item, list):
        return 1 + max(map(_depth, item), default=0)
    return 0


@given(_ITEMS)
def test_whatever_is_within_the_levels_is_read_and_nothing_deeper(item: object) -> None:
    data = cbor2.dumps(item)
    if _depth(item) <= 6:
        assert cbor.decode(data) == item
    else:
        with pytest.raises(MalformedError):
            cbor.decode(data)


@given(st.binary(max_size=1_024))
def test_any_bytes_are_read_or_refused_by_name(data: bytes) -> None:
    with contextlib.suppress(MalformedError):
        cbor.decode(data)


@given(_ITEMS.filter(lambda item: _depth(item) <= 6), st.data())
def test_a_cut_item_is_refused(item: object, data: st.DataObject) -> None:
    encoded = cbor2.dumps(item)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(MalformedError):
        cbor.decode(encoded[:cut])


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("9f0102ff", [1, 2]),
        ("bf0102ff", {1: 2}),
        ("5f41014102ff", b"\x01\x02"),
        ("7f61616162ff", "ab"),
        ("1817", 23),
        ("1b0000000000000001", 1),
        ("f90000", 0.0),
    ],
)
def test_well_formed_items_that_no_device_of_ours_sends_are_read(
    encoded: str, value: object
) -> None:
    assert cbor.decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param("a201020103", id="a key twice"),
        pytest.param("a20102180103", id="a key twice, spelt differently"),
        pytest.param("81a201020103", id="a key twice, inside"),
        pytest.param("c000", id="a tag"),
        pytest.param("81c11a514b67b0", id="a tag inside"),
        pytest.param("0101", id="two items"),
        pytest.param("1c", id="reserved additional information"),
        pytest.param("ff", id="a break alone"),
        pytest.param("bf01ff", id="a map with half a pair"),
        pytest.param("5f6161ff", id="a text chunk in a byte string"),
        pytest.param("5f5f4101ffff", id="an indefinite chunk"),
        pytest.param("1f", id="an indefinite integer"),
        pytest.param("f818", id="a simple value in two bytes that needs one"),
        pytest.param("62ffff", id="text that is not UTF-8"),
        pytest.param("9bffffffffffffffff", id="a length beyond the end"),
    ],
)
def test_what_is_not_valid_is_refused(encoded: str) -> None:
    with pytest.raises(MalformedError):
        cbor.decode(bytes.fromhex(encoded))
