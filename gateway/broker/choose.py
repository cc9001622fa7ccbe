"""Which broker a deployment runs."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gateway.broker.errors import NoBrokerError
from gateway.broker.mosquitto import find_mosquitto


class BrokerKind(StrEnum):
    """What can be asked for; `auto` prefers Mosquitto."""

    AUTO = "auto"
    MOSQUITTO = "mosquitto"
    BUILTIN = "builtin"


@dataclass(frozen=True, slots=True)
class Choice:
    """What will run: Mosquitto's program, or None for the built-in broker; and a word on it."""

    program: Path | None
    description: str


def choose_broker(wanted: BrokerKind, *, path: str | None = None) -> Choice:
    """Look for Mosquitto on `path`, by default PATH; raises NoBrokerError."""
    program = None if wanted is BrokerKind.BUILTIN else find_mosquitto(path)
    if program is not None:
        return Choice(program, f"Mosquitto ({program})")
    if wanted is BrokerKind.MOSQUITTO:
        raise NoBrokerError
    why = "" if wanted is BrokerKind.BUILTIN else ", for no Mosquitto is installed"
    return Choice(None, f"the built-in broker{why}: good for a trial, keeps sessions in memory")
