"""`siaga up` as a person uses it."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.programs import Program, siaga, until


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "city"


def _up(data: Path, *options: str, **environment: str) -> Program:
    return Program(
        siaga("up", "--data", data, "--http-port", "0", "--mqtt-port", "0", *options), environment
    )


def _children(pid: int) -> dict[int, str]:
    """Processes that a process started, and their command lines."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {
        int(child): Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
        for child in children
    }


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(params=["mosquitto", "builtin"])
def city(request: pytest.FixtureRequest, data: Path) -> Iterator[Program]:
    with _up(data, "--demo", "2", SIAGA_BROKER_KIND=request.param) as program:
        yield program


def test_a_simulated_button_is_pressed_and_shows_that_its_alarm_is_stored(
    city: Program, data: Path
) -> None:
    city.wait_for("^ready ", 60)
    with Program(siaga("press", "DEMO-0002", "--data", data)) as finger:
        finger.wait_for("DEMO-0002: stored", 60)


def test_it_says_which_broker_it_runs(data: Path) -> None:
    with _up(data, SIAGA_BROKER_KIND="builtin") as program:
        program.wait_for("^starting the built-in broker")


def test_a_part_that_is_killed_comes_back_and_all_end_together(data: Path) -> None:
    with _up(data) as program:
        url = program.wait_for("^ready ", 60).split()[1]
        children = _children(program.pid)
        assert len(children) == 3
        console = next(pid for pid, line in children.items() if "console run" in line)
        os.kill(console, signal.SIGKILL)
        program.wait_for("console ended .*starting it again")
        until(lambda: _answers(url), "the console's readiness")
        last = _children(program.pid)
        assert program.stop() == 0
    assert not any(_alive(pid) for pid in {*children, *last})


def test_a_second_start_uses_what_is_there(data: Path) -> None:
    for _ in range(2):
        with _up(data) as program:
            program.wait_for("^ready ", 60)
            made = [line for line in program.lines if re.match("made ", line)]
    assert made == []


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
