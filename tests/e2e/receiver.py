"""A GNSS receiver at the end of a pty that plays a recording for ever."""

import os
import pty
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from operator import xor
from pathlib import Path


@contextmanager
def receiver(recording: bytes, pause_s: float = 0.02) -> Iterator[Path]:
    """Play the lines of a recording into a pty; gives the path that a button reads."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    done = threading.Event()

    def play() -> None:
        while not done.is_set():
            for line in recording.splitlines(keepends=True):
                if done.wait(pause_s):
                    return
                try:
                    os.write(ours, line)
                except BlockingIOError:
                    continue  # nobody reads yet: a UART would lose the line too

    player = threading.Thread(target=play)
    player.start()
    try:
        yield Path(os.ttyname(theirs))
    finally:
        done.set()
        player.join()
        os.close(ours)
        os.close(theirs)


def moved_to(recording: bytes, latitude: str, longitude: str) -> bytes:
    """Put every fix of a recording elsewhere; all else, checksums apart, stays as it was.

    `latitude` and `longitude` are NMEA's own: `ddmm.mmmm,N` and `dddmm.mmmm,E`.
    """
    return b"".join(_moved(line, latitude, longitude) for line in recording.splitlines())


def _moved(line: bytes, latitude: str, longitude: str) -> bytes:
    text = line.decode("ascii", "ignore").partition("*")[0]
    fields = text.split(",")
    first = {"RMC": 3, "GGA": 2}.get(fields[0][3:6])
    if not text.startswith("$") or first is None or not fields[first]:
        return line + b"\r\n"
    fields[first : first + 4] = [*latitude.split(","), *longitude.split(",")]
    body = ",".join(fields)[1:]
    checksum = reduce(xor, body.encode())
    return f"${body}*{checksum:02X}\r\n".encode()
