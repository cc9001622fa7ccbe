"""Both implementations of the wire are held to the same vectors; here, the button's."""

import json
from pathlib import Path

import pytest

from firmware.button import cose
from firmware.button.errors import MessageRefused
from tests.conftest import Vector, Vectors
from tests.firmware.codec.board import ROOT, run_on_micropython

VECTORS: Vectors = json.loads((ROOT / "docs/wire-v1-vectors.json").read_text(encoding="utf-8"))
KEY = bytes.fromhex(VECTORS["key_hex"])


def _name(vector: Vector) -> str:
    return vector["name"]


def _kid(vector: Vector) -> bytes:
    return f"{vector['topic'].split('/')[2]}#1".encode()


def _body(vector: Vector) -> dict[int, object]:
    return {int(key): _integer_keys(value) for key, value in vector["body"].items()}


def _integer_keys(value: object) -> object:
    if isinstance(value, dict):
        return {int(key): item for key, item in value.items()}
    return value


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=_name)
def test_a_valid_vector_is_sealed_to_its_exact_bytes(vector: Vector) -> None:
    sealed = cose.seal(_body(vector), KEY, _kid(vector), vector["topic"].encode())
    assert sealed.hex() == vector["message_hex"]


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=_name)
def test_a_valid_vector_is_unsealed_to_its_body(vector: Vector) -> None:
    message = bytes.fromhex(vector["message_hex"])
    body = cose.unseal(message, KEY, _kid(vector), vector["topic"].encode())
    assert body == _body(vector)


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=_name)
def test_an_invalid_vector_is_refused_with_its_reason(vector: Vector) -> None:
    message = bytes.fromhex(vector["message_hex"])
    with pytest.raises(MessageRefused) as refused:
        cose.unseal(message, KEY, _kid(vector), vector["topic"].encode())
    assert refused.value.reason == vector["reason"]


def test_micropython_judges_every_vector_the_same() -> None:
    vectors = VECTORS["valid"] + VECTORS["invalid"]
    answers = run_on_micropython(
        Path(__file__).with_name("on_board_vectors.py"),
        VECTORS["key_hex"],
        stdin="".join(json.dumps(vector) + "\n" for vector in vectors),
    )
    judged = dict(zip(map(_name, vectors), answers, strict=True))
    assert judged == {vector["name"]: vector.get("reason", "ok") for vector in vectors}
