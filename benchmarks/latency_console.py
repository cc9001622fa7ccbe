"""Run one console: `latency_console SETTINGS`; ends with its standard input."""

import asyncio
import sys

import msgspec

from console_api.service import run
from console_api.settings import ConsoleSettings


async def main() -> None:
    settings = msgspec.json.decode(sys.argv[1], type=ConsoleSettings)
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings, stop))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    stop.set()
    await task


if __name__ == "__main__":
    asyncio.run(main())
