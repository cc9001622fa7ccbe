"""Bytes from a FIFO, a terminal, a file or standard input, on both Pythons without blocking."""

import asyncio
import os
import select
import sys
import termios  # type: ignore[import-not-found, unused-ignore]  # the stubs are an ESP32's

from firmware.button.compat import MICROPYTHON, const

_CHUNK = const(256)
_KIND_MASK = const(0o170000)
_FIFO = const(0o010000)
_REGULAR = const(0o100000)


class ByteInput:
    """An opened source. `-` is standard input; a FIFO stays open when its writers leave.

    A terminal hands on every byte as it comes if `raw`; its speed stays as it was set.
    """

    def __init__(self, path: str, *, raw: bool = False) -> None:
        """Open it. Raises `OSError`."""
        kind = 0 if path == "-" else os.stat(path)[0] & _KIND_MASK
        self._regular = kind == _REGULAR
        # Opened for reading alone, a FIFO would block here and end with its first writer.
        mode = "r+b" if kind == _FIFO else "rb"
        if MICROPYTHON:
            self._file = sys.stdin.buffer if path == "-" else open(path, mode)
            self._poller = select.poll()
            self._poller.register(self._file, select.POLLIN)
            self._descriptor = self._file.fileno()
        else:
            flags = (os.O_RDWR if kind == _FIFO else os.O_RDONLY) | os.O_NONBLOCK | os.O_NOCTTY
            self._descriptor = 0 if path == "-" else os.open(path, flags)
        if raw:
            _set_raw(self._descriptor)

    if MICROPYTHON:

        async def read(self) -> bytes:
            """Wait for bytes and return them; none at the end. Raises `OSError`."""
            # MicroPython's read(n) waits for all n; what is certain to be there is one byte.
            stream = asyncio.StreamReader(self._file)  # type: ignore[arg-type, unused-ignore]  # takes files
            data = bytearray(await stream.read(1))
            while data and len(data) < _CHUNK and self._poller.poll(0):
                byte = self._file.read(1)
                if not byte:
                    break
                data.extend(byte)
            return bytes(data)

    else:

        async def read(self) -> bytes:
            """Wait for bytes and return them; none at the end. Raises `OSError`."""
            if not self._regular:
                await self._readable()
            else:
                await asyncio.sleep(0)
            return os.read(self._descriptor, _CHUNK)

        async def _readable(self) -> None:
            ready = asyncio.Event()
            loop = asyncio.get_event_loop()
            loop.add_reader(self._descriptor, ready.set)
            try:
                await ready.wait()
            finally:
                loop.remove_reader(self._descriptor)


def _set_raw(descriptor: int) -> None:
    """Let a terminal neither wait for lines, nor change bytes, nor echo them to the receiver."""
    try:
        settings = termios.tcgetattr(descriptor)
    except Exception:  # noqa: BLE001 - no terminal: OSError there, termios.error here
        return
    # Flags of input, output and local modes; the third, of the line itself, stays.
    settings[0] = settings[1] = settings[3] = 0
    termios.tcsetattr(descriptor, termios.TCSANOW, settings)
