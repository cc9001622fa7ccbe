"""Edges in, gestures out, each at the first moment at which it is certain."""

import pytest

from firmware.button.config import Config
from firmware.button.gestures import Gestures

PRESS, HOLD, MULTI = 1, 2, 3
DOWN, UP = True, False


def _street() -> Config:
    return Config("street")


def _found(
    config: Config, edges: list[tuple[int, bool]], until_ms: int
) -> list[tuple[int, int, int]]:
    """Return (when, trigger, presses), asking at every edge and every deadline."""
    gestures = Gestures(config)
    found: list[tuple[int, int, int]] = []
    now_ms = 0

    def rest(end_ms: int) -> None:
        nonlocal now_ms
        while (due_ms := gestures.deadline_ms()) is not None and due_ms < end_ms:
            now_ms = max(now_ms, due_ms)
            found.extend((now_ms, *gesture) for gesture in gestures.tick(now_ms))

    for at_ms, down in edges:
        rest(at_ms)
        now_ms = at_ms
        found.extend((now_ms, *gesture) for gesture in gestures.edge(down, now_ms))
    rest(until_ms)
    return found


def _presses(*spans: tuple[int, int]) -> list[tuple[int, bool]]:
    return [edge for down, up in spans for edge in ((down, True), (up, False))]


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        pytest.param(_presses((0, 120)), [(490, PRESS, 1)], id="one press"),
        pytest.param(_presses((0, 2000)), [(1500, HOLD, 1)], id="a hold, while still down"),
        pytest.param(
            _presses((0, 100), (250, 350), (500, 600)),
            [(520, MULTI, 3)],
            id="the third press completes a multi-press",
        ),
        pytest.param(_presses((0, 100), (250, 350)), [(700, PRESS, 2)], id="two presses"),
        pytest.param(
            _presses((0, 100), (600, 700)), [(450, PRESS, 1), (1050, PRESS, 1)], id="far apart"
        ),
        pytest.param(_presses((0, 12)), [], id="a glitch shorter than the debounce time"),
        pytest.param(
            [
                (0, True),
                (3, False),
                (5, True),
                (9, False),
                (11, True),
                (130, False),
                (133, True),
                (134, False),
            ],
            [(484, PRESS, 1)],
            id="a bouncing switch is one press",
        ),
        pytest.param(_presses((0, 100), (200, 2000)), [(1700, HOLD, 2)], id="a hold after a press"),
    ],
)
def test_a_handheld_recognises(
    edges: list[tuple[int, bool]], expected: list[tuple[int, int, int]]
) -> None:
    config = Config("handheld")
    found = _found(config, edges, 10_000)
    assert [gesture[1:] for gesture in found] == [gesture[1:] for gesture in expected]
    for (found_ms, *_), (expected_ms, *_) in zip(found, expected, strict=True):
        assert abs(found_ms - expected_ms) <= config.debounce_ms


def test_a_street_button_does_not_wait_for_the_release() -> None:
    assert _found(_street(), [(0, True)], 60_000) == [(20, PRESS, 1)]


def test_a_stuck_street_button_presses_once() -> None:
    assert len(_found(_street(), [(0, True), (3_600_000, False)], 4_000_000)) == 1


def test_edges_that_are_seen_late_make_the_same_gesture() -> None:
    gestures = Gestures(Config("handheld"))
    assert gestures.edge(DOWN, 0) == []
    assert gestures.edge(UP, 1_900) == [(HOLD, 1)]


def test_a_release_just_before_the_hold_time_is_a_press() -> None:
    assert _found(Config("handheld"), _presses((0, 1_495)), 10_000)[0][1] == PRESS
