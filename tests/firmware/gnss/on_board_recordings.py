"""Runs on both Pythons: a recording in, every published fix out, however its bytes come."""

import gc
import sys

from firmware.button.gnss import Gnss

EARLIEST_UNIX = 1_104_537_600  # 2005: the recordings are of 2002 to 2022


def fixes(
    data: bytes, size: int, receiver: Gnss | None = None
) -> list[tuple[int, int, int, tuple[int, ...]]]:
    """Return (unix or 0, lat_e7, lon_e7, details by key) of each fix.

    At one millisecond a byte, as a receiver at 9,600 baud. `size` 0 means chunks of 1 to 64
    bytes, always the same ones.
    """
    receiver = receiver or Gnss(EARLIEST_UNIX)
    found = []
    seed = 1
    start = 0
    while start < len(data):
        seed = (seed * 75 + 74) % 65537
        end = start + (size or 1 + seed % 64)
        if receiver.feed(data[start:end], end) and receiver.fix is not None:
            fix = receiver.fix
            details = [fix.details.get(key, -1) for key in range(4, 9)]
            found.append((receiver.unix(end) or 0, fix.lat_e7, fix.lon_e7, tuple(details)))
        start = end
    return found


def damaged(data: bytes, seed: int) -> bytes:
    """Flip, drop and insert about one byte in 100."""
    out = bytearray()
    for byte in data:
        seed = (seed * 75 + 74) % 65537
        if seed % 100:
            out.append(byte)
        elif seed % 3 == 0:
            out.append(byte ^ (1 << (seed // 100 % 8)))
        elif seed % 3 == 1:
            out.extend((byte, seed % 256))
    return bytes(out)


def main() -> None:
    for path in sys.argv[1:]:
        with open(path, "rb") as file:  # noqa: PTH123 - no pathlib on the board
            data = file.read(40_000)
        for size in (1, 0):
            print(path, size, fixes(data, size))  # noqa: T201 - stdout is how a board answers
        receiver = Gnss(EARLIEST_UNIX)
        fixes(damaged(data, 1), 0, receiver)
        gc.collect()
        before = gc.mem_alloc()  # type: ignore[attr-defined]  # MicroPython only
        for seed in range(2, 4):
            fixes(damaged(data, seed), 0, receiver)
            gc.collect()
        print(path, "grew", gc.mem_alloc() - before > 512)  # type: ignore[attr-defined]  # noqa: T201


if __name__ == "__main__":
    main()
