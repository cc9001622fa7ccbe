"""The real console as a process: `python launch.py ROOT PORT [KILL_AT]`.

With KILL_AT, the name of a store function, the process kills itself (SIGKILL) right after
the first commit of that function, before anybody has the answer.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from console_api.errors import ConsoleError
from console_api.executor import Database
from console_api.service import run
from console_api.settings import ConsoleSettings

Work = Callable[..., object]


def kill_after_commit_of(name: str) -> None:
    """Wrap the transaction of one store function with a real death."""
    original = Database._in_transaction

    def dying(
        self: Database, function: Callable[..., object], *args: object, **kw: object
    ) -> object:
        result = original(self, function, *args, **kw)
        if function.__name__ == name:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(Database, "_in_transaction", dying)  # noqa: B010 - a method is replaced on purpose


async def main() -> None:
    root, port = Path(sys.argv[1]), sys.argv[2]
    settings = msgspec.json.decode((root / "settings.json").read_bytes(), type=ConsoleSettings)
    if len(sys.argv) > 3:
        kill_after_commit_of(sys.argv[3])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run(msgspec.structs.replace(settings, port=int(port)), stop)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except ConsoleError as error:
        sys.exit(str(error))
