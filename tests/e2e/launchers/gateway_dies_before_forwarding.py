"""The gateway, whose power fails after the PUBACK and before anything goes to the console."""

import os
import signal
from typing import NoReturn

from gateway.bridge.console import Console
from siaga.cli import main


async def die(*_: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


Console.post_events = die  # type: ignore[method-assign,assignment]  # the fault of this launcher
main()
