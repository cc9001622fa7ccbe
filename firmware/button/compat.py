"""What MicroPython and CPython spell differently, so that the rest reads the same on both."""

import os
import sys
import time

MICROPYTHON = sys.implementation.name == "micropython"
TYPE_CHECKING = False
"""True for type checkers alone: what they read besides needs no place in a board's heap."""


def const(value: int) -> int:
    """Mark an integer: MicroPython's compiler knows this name and folds it into the code."""
    return value


if MICROPYTHON:
    from time import ticks_diff, ticks_ms  # type: ignore[attr-defined, unused-ignore]
else:

    def ticks_ms() -> int:
        """Return a millisecond counter, which wraps on a board; see `Monotonic`."""
        return time.monotonic_ns() // 1_000_000

    def ticks_diff(later: int, earlier: int) -> int:
        """Return the signed milliseconds from `earlier` to `later`."""
        return later - earlier


class Monotonic:
    """Milliseconds since it was made, never wrapping; ask it at least once in six days.

    A board's ticks wrap after 12.4 days and compare over half of that, while an alarm
    may wait in the outbox for longer. Its values are plain integers: subtract them,
    don't hand them to `ticks_diff`.
    """

    def __init__(self) -> None:
        self._ticks = ticks_ms()
        self._total = 0

    def now_ms(self) -> int:
        """Return the milliseconds since this clock was made."""
        ticks = ticks_ms()
        self._total += ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._total


_since_import = Monotonic()


def monotonic_ms() -> int:
    """Return milliseconds since the program started; never wraps, see `Monotonic`."""
    return _since_import.now_ms()


def random_bytes(count: int) -> bytes:
    """Return `count` bytes from the hardware's or kernel's random source."""
    return os.urandom(count)


def random_below(limit: int) -> int:
    """Return an integer from 0 to `limit - 1`, without noticeable bias up to 2**32."""
    return int.from_bytes(os.urandom(6), "big") % limit


def write_synced(path: str, data: bytes) -> None:
    """Write a whole file and return only when its content is on flash.

    MicroPython's `flush` is `fsync` on the unix port and a commit on littlefs;
    CPython's only empties a buffer.
    """
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        if not MICROPYTHON:
            os.fsync(file.fileno())


def sync_directory(path: str) -> None:
    """Make renames and removals in a directory durable, where directories can be synced.

    On littlefs a rename is durable by itself, and a directory cannot be opened.
    """
    if MICROPYTHON:
        try:
            directory = open(path, "rb")
        except OSError:
            return
        directory.flush()
        directory.close()
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def forget_module(name: str) -> None:
    """Free the memory of a module that has done its work; CPython, which has enough, keeps it."""
    if MICROPYTHON:
        package, _, last = name.rpartition(".")
        del sys.modules[name]
        delattr(sys.modules[package], last)
