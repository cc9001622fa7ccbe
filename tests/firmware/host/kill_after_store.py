"""The host board, killed when an alarm has just reached flash; runs on both Pythons."""

import os
import sys

from firmware.button.boards.host import main
from firmware.button.storage import Storage


class DeadlyStorage(Storage):
    """A storage after whose first stored alarm the power is gone."""

    def __init__(self, directory: str) -> None:
        super().__init__(directory)
        put = self.outbox.put

        def put_and_die(boot: int, seq: int, body: "dict[int, object]") -> None:
            put(boot, seq, body)
            # MicroPython has no os.kill; the shell's parent is this process.
            os.system("kill -9 $PPID")  # noqa: S605 - a constant

        self.outbox.put = put_and_die  # type: ignore[method-assign]  # the plug is pulled here


sys.exit(main(sys.argv[1:], DeadlyStorage))
