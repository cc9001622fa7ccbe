import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from siaga.errors import PartFailedError
from siaga.processes import Child, Part

PROGRAM = """
import pathlib, os, signal, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(60)
"""


def _part(tmp_path: Path, program: str = PROGRAM) -> Part:
    alive = tmp_path / "alive"

    async def answers() -> bool:
        return alive.exists() and alive.read_text() != ""

    return Part(
        name="thing",
        description="a thing",
        command=(sys.executable, "-c", program, str(alive)),
        log=tmp_path / "thing.log",
        answers=answers,
        environment=os.environ,
    )


async def _until(condition: object, limit_s: float = 20.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_part_that_is_killed_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    child = Child(_part(tmp_path), said.append)
    await child.start()
    keeping = asyncio.create_task(child.keep())
    alive = tmp_path / "alive"
    first = int(alive.read_text())
    os.kill(first, signal.SIGKILL)
    await _until(lambda: alive.read_text() not in {"", str(first)})
    await child.stop()
    await keeping
    assert said == ["thing ended (signal 9); starting it again"]


async def test_a_part_that_is_stopped_stays_stopped(tmp_path: Path) -> None:
    child = Child(_part(tmp_path), print)
    await child.start()
    keeping = asyncio.create_task(child.keep())
    await child.stop()
    await keeping
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "alive").read_text()), 0)


async def test_a_part_that_fails_says_its_last_line_and_where_its_log_is(tmp_path: Path) -> None:
    child = Child(_part(tmp_path, "import sys; sys.exit('no room')"), print)
    with pytest.raises(PartFailedError, match="no room") as caught:
        await child.start()
    assert caught.value.log == tmp_path / "thing.log"
