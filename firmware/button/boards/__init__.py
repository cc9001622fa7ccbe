"""One small module a board: pins, radio, sleep, watchdog, lights."""

import gc
import sys

if sys.implementation.name == "micropython":
    import micropython  # type: ignore[import-not-found, unused-ignore]  # MicroPython's own

    # What is compiled from here on keeps no line numbers (3 kB of heap), and garbage is
    # collected early: between two modules, not in the middle of the largest one.
    micropython.opt_level(3)
    gc.threshold(4096)  # type: ignore[attr-defined, unused-ignore]  # MicroPython's own
    # MICROPYPATH replaces the whole path, and with it the place where asyncio is.
    if ".frozen" not in sys.path:
        sys.path.append(".frozen")
