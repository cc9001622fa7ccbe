import asyncio
import contextlib
from datetime import timedelta
from io import StringIO

import pytest

from simulators.book import CaseBook
from simulators.lights import Light, Lights
from simulators.table import row, running_clock, show, shown
from simulators.wire import Area
from tests.simulators.cases import NOW, PRESSED, case, clock, missed


@pytest.mark.parametrize(
    ("standard_s", "words", "level"),
    [
        (600.0, "● 2 5:00", "green"),
        (360.0, "▲ 2 1:00", "yellow"),
        (240.0, "■ 2 -1:00", "red"),
    ],
)
def test_the_running_clock_says_what_is_left_by_words_shape_and_colour(
    standard_s: float, words: str, level: str
) -> None:
    running = running_clock(case(clocks=(clock(2, "received", standard_s),)), NOW)
    assert running is not None
    assert (str(running), running.level) == (words, level)


def test_of_two_running_clocks_the_more_urgent_is_shown() -> None:
    clocks = (clock(2, "received", 900.0), clock(3, "received", 400.0))
    running = running_clock(case(clocks=clocks), NOW)
    assert running is not None
    assert running.clock == 3


def test_a_clock_past_its_standard_runs_on_until_its_end() -> None:
    late = case(clocks=(missed(2, "received", "dispatched", 120.0),))
    running = running_clock(late, NOW)
    assert running is not None
    assert (str(running), running.level) == ("■ 2 -3:00", "red")


def test_a_missed_clock_that_has_ended_is_not_shown() -> None:
    marks = {"received": PRESSED, "dispatched": NOW}
    done = case(marks=marks, clocks=(missed(2, "received", "dispatched", 120.0),))
    assert running_clock(done, NOW) is None


def test_a_row_has_all_that_a_dispatcher_asks_for() -> None:
    worked = case(
        state="arrived",
        area=Area("Pamusian"),
        unit="PATROLI-1",
        drill=True,
        register_number="LT/2026/11/0001",
    )
    light = Light("DEMO-0001", "arrived", (1, 2))
    assert row(worked, light, NOW, "id").cells == (
        "C-1",
        "DEMO-0001",
        "Pamusian",
        "di lokasi (latihan)",
        "-",
        "PATROLI-1",
        "LT/2026/11/0001",
        "tiba",
    )
    assert row(worked, light, NOW, "en").cells[3] == "arrived (drill)"


def test_an_ended_case_stays_for_a_moment() -> None:
    def ended(seconds: float) -> bool:
        marks = {"received": PRESSED, "closed": NOW - timedelta(seconds=seconds)}
        return bool(shown([case(state="closed", marks=marks)], NOW, 10))

    assert [ended(40), ended(50)] == [True, False]


def test_the_newest_cases_are_shown_first_and_no_more_than_fit() -> None:
    cases = [case(str(n), marks={"received": PRESSED + timedelta(seconds=n)}) for n in range(5)]
    assert [each.id for each in shown(cases, NOW, 3)] == ["4", "3", "2"]


async def test_without_a_terminal_each_change_is_one_line() -> None:
    book, lights, out = CaseBook(), Lights(), StringIO()
    showing = asyncio.create_task(show(book, lights, "en", out))

    async def says(words: str) -> None:
        async with asyncio.timeout(10):
            while words not in out.getvalue():
                await asyncio.sleep(0.01)

    book.put(case())
    await says("received")
    book.put(case(state="opened", version=2))
    await says("opened")
    lights.show(Light("DEMO-0001", "opened", (1, 1)))
    await says("opened  -  -  -  opened")
    showing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await showing
    assert len(out.getvalue().splitlines()) == 3
