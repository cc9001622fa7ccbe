"""Publishes prepared packets at a steady rate until killed: `latency_load PORT FILE RATE`.

The file holds a 4-byte length before each packet. Prints `ready`, and at the end what it sent.
"""

import socket
import sys
import threading
import time
from pathlib import Path

from benchmarks.ingest_load import connect

_TICK_S = 0.01


def main() -> None:
    content = Path(sys.argv[2]).read_bytes()
    packets, at = [], 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        packets.append(content[at + 4 : at + 4 + size])
        at += 4 + size
    a_tick = int(float(sys.argv[3]) * _TICK_S)
    ticks = [b"".join(packets[at : at + a_tick]) for at in range(0, len(packets), a_tick)]
    connection = connect(int(sys.argv[1]))
    threading.Thread(target=_drop_answers, args=(connection,), daemon=True).start()
    print("ready", flush=True)
    started = time.monotonic()
    for number, tick in enumerate(ticks):
        time.sleep(max(0.0, started + number * _TICK_S - time.monotonic()))
        connection.sendall(tick)
    print(time.monotonic() - started, flush=True)


def _drop_answers(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


if __name__ == "__main__":
    main()
