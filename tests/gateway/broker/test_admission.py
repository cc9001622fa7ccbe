"""Whom the built-in broker lets in."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.broker.admission import (
    Connect,
    MalformedPacketError,
    ReturnCode,
    admit,
    parse_connect,
    read_passwords,
)
from gateway.registry.passwords import hash_password

SALT = bytes(12)
HASHES = {
    user: hash_password(f"password of {user}", SALT)
    for user in ("siaga-gateway", "TRK-000001", "TRK-000002")
}


def ask(
    user: str = "TRK-000001",
    client_id: str = "TRK-000001",
    *,
    password: str | None = None,
    will_topic: str | None = None,
    will_retained: bool = False,
    level: int = 4,
) -> ReturnCode:
    connect = Connect(
        protocol=("MQTT", level),
        client_id=client_id,
        keepalive_s=30,
        keepalive_at=8,
        clean=False,
        will_topic=will_topic,
        will_retained=will_retained,
        user=user,
        password=f"password of {user}" if password is None else password,
    )
    return admit(connect, HASHES, prefix="siaga/v1", gateway_user="siaga-gateway")


def test_a_device_comes_in_under_its_own_id() -> None:
    assert ask(will_topic="siaga/v1/TRK-000001/status") is ReturnCode.ACCEPTED


def test_the_gateways_connections_have_ids_of_their_own() -> None:
    for client_id in ("siaga-gateway", "gw1-alarm", "gw1-status"):
        assert ask("siaga-gateway", client_id) is ReturnCode.ACCEPTED


@pytest.mark.parametrize(
    ("user", "client_id"),
    [
        ("TRK-000001", "TRK-000002"),
        ("TRK-000001", "siaga-gateway"),
        ("TRK-000001", ""),
        ("siaga-gateway", "TRK-000001"),
        ("siaga-gateway", ""),
        ("siaga-gateway", "a\nb"),
    ],
)
def test_nobody_goes_by_anothers_client_id(user: str, client_id: str) -> None:
    assert ask(user, client_id) is ReturnCode.BAD_CLIENT_ID


def test_a_wrong_password_is_told_before_anything_else() -> None:
    assert ask(client_id="TRK-000002", password="wrong") is ReturnCode.BAD_LOGIN
    assert ask("TRK-999999", password="") is ReturnCode.BAD_LOGIN


@pytest.mark.parametrize(
    ("topic", "retained"),
    [
        ("siaga/v1/TRK-000002/status", False),
        ("siaga/v1/TRK-000001/down", False),
        ("siaga/v1/TRK-000001/status", True),
    ],
)
def test_a_will_elsewhere_or_for_ever_is_refused(topic: str, *, retained: bool) -> None:
    assert ask(will_topic=topic, will_retained=retained) is ReturnCode.NOT_AUTHORISED


def test_another_protocol_version_is_told_so() -> None:
    assert ask(level=5) is ReturnCode.BAD_PROTOCOL


@given(st.binary(max_size=80))
def test_no_bytes_break_the_parser(body: bytes) -> None:
    with contextlib.suppress(MalformedPacketError):
        parse_connect(body)
    with contextlib.suppress(MalformedPacketError):
        parse_connect(b"\x00\x04MQTT\x04" + body)


def test_a_password_file_is_read_by_user() -> None:
    assert read_passwords("a:$7$x\n\nnonsense\nb:$7$y\n") == {"a": "$7$x", "b": "$7$y"}
