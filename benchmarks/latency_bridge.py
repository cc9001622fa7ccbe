"""Run one bridge: `latency_bridge SETTINGS`; prints `ready`, ends with its standard input."""

import asyncio
import sys
import time

import msgspec
import structlog

from gateway.bridge.service import Bridge, Parts, run
from gateway.bridge.settings import BridgeSettings


async def main() -> None:
    settings = msgspec.json.decode(sys.argv[1], type=BridgeSettings)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    bridges: list[Bridge] = []
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings, stop, Parts(started=bridges.append)))
    deadline = time.monotonic() + 10
    while not bridges or bridges[0].problems():
        assert time.monotonic() < deadline, "the bridge does not start"
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(bridges[0].metrics.text().decode(), file=sys.stderr)
    stop.set()
    await task


if __name__ == "__main__":
    asyncio.run(main())
