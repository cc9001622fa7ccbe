"""Mosquitto where it is, the built-in broker where it isn't."""

from pathlib import Path

import pytest

from gateway.broker.choose import BrokerKind, choose_broker
from gateway.broker.errors import NoBrokerError


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("gateway.broker.mosquitto._ALSO", ())
    return "/nowhere"


def test_mosquitto_is_preferred(tmp_path: Path) -> None:
    program = tmp_path / "mosquitto"
    program.touch(mode=0o755)
    choice = choose_broker(BrokerKind.AUTO, path=str(tmp_path))
    assert choice.program == program
    assert "Mosquitto" in choice.description


def test_without_mosquitto_it_is_the_builtin_one_and_says_so(nowhere: str) -> None:
    choice = choose_broker(BrokerKind.AUTO, path=nowhere)
    assert choice.program is None
    assert "no Mosquitto is installed" in choice.description


def test_mosquitto_asked_for_and_missing_is_an_error(nowhere: str) -> None:
    with pytest.raises(NoBrokerError):
        choose_broker(BrokerKind.MOSQUITTO, path=nowhere)


def test_the_builtin_one_can_be_asked_for() -> None:
    assert choose_broker(BrokerKind.BUILTIN).program is None
