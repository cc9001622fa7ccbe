"""One subscriber that says how long a number of messages took.

`ingest_subscriber bare PORT COUNT` only acknowledges; `ingest_subscriber bridge PORT COUNT
SETTINGS` is the whole bridge. Prints `ready`, then the seconds from the first message to the
last acknowledgement.
"""

import asyncio
import sys
import time

import msgspec
import structlog
from gmqtt import Client

from gateway.bridge.metrics import Metrics
from gateway.bridge.service import Bridge, Parts, run
from gateway.bridge.settings import BridgeSettings

_POLL_S = 0.001


async def bare(port: int, count: int) -> None:
    seen: list[float] = []
    done = asyncio.Event()

    async def on_message(*_: object) -> int:
        seen.append(0.0)
        if len(seen) == 1:
            seen[0] = time.perf_counter()
        if len(seen) == count:
            done.set()
        return 0

    client = Client(
        "bare",
        clean_session=False,
        session_expiry_interval=3600,
        optimistic_acknowledgement=False,
        receive_maximum=2_000,
    )
    client.on_message = on_message
    await client.connect("127.0.0.1", port)
    client.subscribe("siaga/v1/+/+", qos=1)
    await asyncio.sleep(0.2)
    print("ready", flush=True)
    await done.wait()
    print(time.perf_counter() - seen[0], flush=True)
    await client.disconnect()


class Tally(Metrics):
    """Counts new messages and stops the clock at the last one."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count
        self._counted = self._first_batch = 0
        self._started = 0.0
        self.seconds = 0.0
        self.done = asyncio.Event()

    def counted(self, word: str, count: int) -> None:
        """Count a batch that is on disk and acknowledged."""
        assert word == "new", f"{count} messages are {word}"
        super().counted(word, count)
        self._counted += count
        if not self._started:
            self._started, self._first_batch = time.perf_counter(), count
        if self._counted == self._count:
            # The first batch was taken in before the clock ran: count the time without it.
            timed = self._count - self._first_batch
            self.seconds = (time.perf_counter() - self._started) * self._count / timed
            self.done.set()


async def bridge(settings: BridgeSettings, count: int) -> None:
    tally = Tally(count)
    bridges: list[Bridge] = []
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings, stop, Parts(started=bridges.append)))
    deadline = time.monotonic() + 10
    while not bridges or bridges[0].problems():
        assert time.monotonic() < deadline, "the bridge does not start"
        await asyncio.sleep(_POLL_S)
    bridges[0].metrics = tally
    print("ready", flush=True)
    await tally.done.wait()
    print(tally.seconds, flush=True)
    stop.set()
    await task


def main() -> None:
    kind, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if kind == "bare":
        asyncio.run(bare(port, count))
    else:
        settings = msgspec.json.decode(sys.argv[4], type=BridgeSettings)
        # Standard output is for the figures.
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        asyncio.run(bridge(settings, count))


if __name__ == "__main__":
    main()
