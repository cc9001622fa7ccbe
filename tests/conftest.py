"""Fixtures that every room's tests may use."""

import json
import os
from pathlib import Path
from typing import TypedDict

import pytest

ROOT = Path(__file__).resolve().parent.parent


class Vector(TypedDict, total=False):
    """One message of `docs/wire-v1-vectors.json`; `reason` only where it is invalid."""

    name: str
    topic: str
    body: dict[str, object]
    payload_hex: str
    message_hex: str
    bytes: int
    reason: str


class Vectors(TypedDict):
    """The wire's test vectors, made with an independent COSE implementation."""

    device: str
    generation: int
    key_hex: str
    valid: list[Vector]
    invalid: list[Vector]


@pytest.fixture(scope="session")
def wire_vectors() -> Vectors:
    text = (ROOT / "docs/wire-v1-vectors.json").read_text(encoding="utf-8")
    vectors: Vectors = json.loads(text)
    return vectors


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Recordings and boundaries that stand beside the checkout, not in it."""
    path = Path(os.environ.get("SIAGA_SHARED", ROOT.parent / "shared")) / "data"
    if not path.is_dir():
        message = f"no shared data at {path}; set SIAGA_SHARED to the folder that holds data/"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path
