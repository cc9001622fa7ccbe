"""Password hashes, held to Mosquitto's own tool."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.registry.passwords import hash_password, password_text, verify_password


def test_mosquittos_own_hash_is_understood(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.touch(mode=0o600)
    command = ["mosquitto_passwd", "-b", str(file), "someone", "a password"]
    subprocess.run(command, check=True, capture_output=True)
    stored = file.read_text().strip().partition(":")[2]
    assert verify_password("a password", stored)
    assert not verify_password("another", stored)


@given(st.text(max_size=60), st.binary(min_size=12, max_size=12))
def test_a_password_fits_its_own_hash(password: str, salt: bytes) -> None:
    assert verify_password(password, hash_password(password, salt))
    assert not verify_password(password + "x", hash_password(password, salt))


@pytest.mark.parametrize(
    "stored", ["", "plain", "$7$101$AAAA", "$7$0$AAAA$AAAA", "$6$101$AAAA$AAAA", "$7$x$AAAA$AAAA"]
)
def test_a_malformed_hash_fits_nothing(stored: str) -> None:
    assert not verify_password("", stored)


def test_a_generated_password_needs_no_quoting() -> None:
    assert password_text(bytes(range(224, 256))).replace("-", "").replace("_", "").isalnum()
