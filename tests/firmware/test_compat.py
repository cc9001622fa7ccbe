from pathlib import Path

import pytest

from firmware.button import compat
from tests.firmware.codec.board import run_on_micropython

WRAP = 2**30
DAY_MS = 24 * 3600 * 1000


def test_the_clock_goes_on_where_a_boards_ticks_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    now = WRAP - 1
    monkeypatch.setattr(compat, "ticks_ms", lambda: now % WRAP)
    monkeypatch.setattr(compat, "ticks_diff", lambda a, b: (a - b + WRAP // 2) % WRAP - WRAP // 2)
    clock = compat.Monotonic()
    elapsed = []
    for _ in range(40):
        now += 5 * DAY_MS
        elapsed.append(clock.now_ms())
    assert elapsed == [5 * DAY_MS * count for count in range(1, 41)]


def test_random_numbers_stay_below_their_limit() -> None:
    assert {compat.random_below(3) for _ in range(200)} == {0, 1, 2}


def test_random_bytes_are_as_many_as_asked_for() -> None:
    assert [len(compat.random_bytes(count)) for count in (0, 1, 32)] == [0, 1, 32]


def test_micropython_has_all_that_the_button_uses(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from firmware.button import compat\n"
        "ticks = compat.ticks_ms()\n"
        "print(compat.MICROPYTHON)\n"
        "print(compat.ticks_diff(ticks + 70, ticks))\n"
        "print(0 <= compat.monotonic_ms() < 60000)\n"
        "print(len(compat.random_bytes(32)), compat.random_below(1))\n",
        encoding="utf-8",
    )
    assert run_on_micropython(script) == ["True", "70", "True", "32 0"]
