"""The whole firmware in the heap of a board, from source and over TLS."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.host.helpers import MICROPYTHON, ButtonProcess, Gateway, Mosquitto

HEAP = (MICROPYTHON[0], "-X", "heapsize=160k")


@pytest.fixture
def button(broker: Mosquitto) -> Iterator[ButtonProcess]:
    # Paths are in the heap, too; a board's are short.
    with tempfile.TemporaryDirectory() as short:
        button = ButtonProcess(
            HEAP, Path(short), broker.port, broker.authority.ca_file, path=".frozen"
        )
        yield button
        button.end_if_running()


def test_two_alarms_get_through_and_are_shown_as_stored(
    button: ButtonProcess, gateway: Gateway
) -> None:
    for count in (1, 2):
        button.say("press")
        button.wait_for("log confirmed", count=count)
    assert button.lights() == ["idle", "pending", "stored"]
    assert len({(alarm[1], alarm[2]) for alarm in gateway.alarms()}) == 2
    assert not [line for line in button.lines if "memory allocation failed" in line]
