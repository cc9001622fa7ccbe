"""One small module a board: pins, radio, sleep, watchdog, lights."""

import sys

# MICROPYPATH replaces the whole path, and with it the place where asyncio is.
if sys.implementation.name == "micropython" and ".frozen" not in sys.path:
    sys.path.append(".frozen")
