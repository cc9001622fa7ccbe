"""The button on MicroPython's unix port: press to PUBLISH, and the heap it needs with TLS."""

import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.button_parts import BenchButton, StopwatchBroker
from benchmarks.table import Row

_PRESSES = 50
_LIMIT_S = 15.0
_AIM_K = 160
_HIGHEST_K = 240
_LOWEST_K = 120
_STEP_K = 2
_REST_S = 0.1
_RECORD = bytes(64)


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        broker = StopwatchBroker(directory)
        try:
            return [_press_to_publish(directory, broker), _smallest_heap(directory, broker)]
        finally:
            broker.close()


def _press_to_publish(directory: Path, broker: StopwatchBroker) -> Row:
    """Time from the line on the control pipe to the first PUBLISH byte out of TLS."""
    button = BenchButton(directory / "latency", broker, _HIGHEST_K)
    try:
        assert broker.online.wait(_LIMIT_S), button.lines
        taken, writes = [], []
        for number in range(_PRESSES):
            taken.append(_one_press(button, broker))
            # The next press meets a button at rest, as a person's does.
            assert button.saw("log confirmed", number + 1), button.lines
            time.sleep(_REST_S)
            writes.append(_durable_write(directory))
    finally:
        button.kill()
    press_s, write_s = statistics.median(taken), statistics.median(writes)
    return Row(
        "button: press to PUBLISH bytes on an open TLS connection, beside one durable write",
        f"{press_s * 1000:.1f} ms",
        f"{write_s * 1000:.1f} ms",
        f"{press_s / write_s:.2f}",
    )


def _one_press(button: BenchButton, broker: StopwatchBroker) -> float:
    broker.published.clear()
    pressed = time.perf_counter()
    button.press()
    assert broker.published.wait(_LIMIT_S), button.lines
    return broker.published_at - pressed


def _durable_write(directory: Path) -> float:
    began = time.perf_counter()
    temporary, target = directory / "record.tmp", directory / "record"
    with temporary.open("wb") as file:
        file.write(_RECORD)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(target)
    descriptor = os.open(directory, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return time.perf_counter() - began


def _smallest_heap(directory: Path, broker: StopwatchBroker) -> Row:
    """Lower the heap until the whole firmware no longer gets two alarms confirmed.

    The records and keys of TLS are mbedTLS's own, outside of MicroPython's heap, as on an ESP32.
    """
    smallest = _HIGHEST_K
    for heap_k in range(_HIGHEST_K, _LOWEST_K, -_STEP_K):
        if not _works(directory / f"heap{heap_k}", broker, heap_k):
            break
        smallest = heap_k
    return Row(
        "button: smallest heap for all of it from source on 64 bits, over TLS",
        f"{smallest}k",
        f"{_AIM_K}k",
        f"{smallest / _AIM_K:.2f}",
    )


def _works(directory: Path, broker: StopwatchBroker, heap_k: int) -> bool:
    button = BenchButton(directory, broker, heap_k)
    try:
        for confirmed in (1, 2):
            button.press()
            if not button.saw("log confirmed", confirmed):
                return False
        return not any("memory allocation failed" in line for line in button.lines)
    finally:
        button.kill()
