"""A data centre for one test, on a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from simulators import data_centre as simulated


@dataclass(frozen=True)
class DataCentre:
    """Where register rows go, and what has come."""

    url: str
    centre: simulated.DataCentre

    def trust(self, secret_file: Path) -> None:
        self.centre.secret = secret_file.read_bytes()

    def records(self) -> list[simulated.Record]:
        return self.centre.archive.records()


@contextmanager
def data_centre(folder: Path) -> Iterator[DataCentre]:
    centre = simulated.DataCentre(simulated.Archive(folder / "archive.db"), b"")
    listener = simulated.listen(0)
    port: int = listener.getsockname()[1]
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(centre.run(listener, stop),))
    thread.start()
    try:
        yield DataCentre(f"http://127.0.0.1:{port}/", centre)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
