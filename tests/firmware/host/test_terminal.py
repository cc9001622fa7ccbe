"""A GNSS receiver at a terminal, which nobody has made ready for it."""

import fcntl
import json
import os
import pty
import select
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.firmware.host.helpers import ButtonProcess, Gateway, wait_until

Start = Callable[..., ButtonProcess]
POSITION = 7
GNSS = 1
NEAR_E7 = 10
LINE_BY_LINE_OR_CHANGED = termios.ICANON | termios.ECHO | termios.ISIG


class Receiver:
    """One end of a pty; the button opens the other, cooked as the kernel makes it."""

    def __init__(self) -> None:
        self._ours, self._theirs = pty.openpty()
        self.path = Path(os.ttyname(self._theirs))

    def close(self) -> None:
        os.close(self._ours)
        os.close(self._theirs)

    def is_raw(self) -> bool:
        flags: list[int] = termios.tcgetattr(self._theirs)[:4]
        return not flags[0] and not flags[1] and not flags[3] & LINE_BY_LINE_OR_CHANGED

    def play(self, recording: bytes) -> None:
        """Return when the other end has read every byte."""
        player = threading.Thread(target=self._write, args=(recording,), daemon=True)
        player.start()
        wait_until(lambda: not player.is_alive())
        wait_until(lambda: self._unread() == 0)

    def heard_anything(self) -> bool:
        return bool(select.select([self._ours], [], [], 0)[0])

    def _write(self, recording: bytes) -> None:
        while recording:
            recording = recording[os.write(self._ours, recording) :]

    def _unread(self) -> int:
        count = fcntl.ioctl(self._theirs, termios.FIONREAD, bytes(4))
        return int(struct.unpack("i", count)[0])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def _last_place(shared_data: Path, log: str) -> tuple[int, int]:
    text = (shared_data / "nmea" / f"{log}.log.chk").read_text(encoding="utf-8", errors="replace")
    reports = [json.loads(line) for line in text.splitlines() if '"class":"TPV"' in line]
    last = [report for report in reports if "lat" in report][-1]
    return round(last["lat"] * 1e7), round(last["lon"] * 1e7)


def test_what_a_receiver_says_at_a_terminal_is_in_the_alarm_and_not_echoed_to_it(
    start: Start, gateway: Gateway, receiver: Receiver, shared_data: Path
) -> None:
    button = start(gnss=receiver.path)
    wait_until(receiver.is_raw)
    receiver.play((shared_data / "nmea" / "mt3339.log").read_bytes())
    button.say("press")
    position = wait_until(gateway.alarms)[0][POSITION]
    assert isinstance(position, dict)
    latitude, longitude = _last_place(shared_data, "mt3339")
    assert abs(position[0] - latitude) <= NEAR_E7
    assert abs(position[1] - longitude) <= NEAR_E7
    assert position[2] == GNSS
    assert not receiver.heard_anything()
