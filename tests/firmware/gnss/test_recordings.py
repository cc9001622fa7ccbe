"""What the button reads from real receivers, against what GPSD reads from the same bytes."""

import ast
import json
import re
from datetime import datetime
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.button import nmea
from tests.firmware.codec.board import run_on_micropython
from tests.firmware.gnss.on_board_recordings import fixes

LOGS = [
    "GPSmap-76S", "beidou-bd", "bu303-nofix", "garmin-geko201", "gp-320fw-2019-04-06-overflow",
    "mt3339", "neo-m8n", "nmea-rtk", "quectel-L70", "quectel-eg25-g", "sirfstarv-nmea",
    "telit-he910", "ublox-8", "ublox-lea-4h",
]  # fmt: skip
# A simulated fix (GGA quality 8), or none at all.
WITHOUT_A_FIX = {"GPSmap-76S", "bu303-nofix", "garmin-geko201"}
# GPSD ends a moment at the next one's first sentence, and these recordings end before it.
CUT_BEFORE_GPSD_REPORTS = {"neo-m8n", "ublox-lea-4h"}
ERA_S = 1024 * 7 * 24 * 3600
SIMULATED = 8
NEAR_E7 = 10


class Report(TypedDict, total=False):
    """One TPV report of GPSD."""

    time: str
    lat: float
    lon: float
    status: int


def _recording(shared_data: Path, log: str) -> bytes:
    return (shared_data / "nmea" / f"{log}.log").read_bytes()


def _reports(shared_data: Path, log: str) -> list[Report]:
    text = (shared_data / "nmea" / f"{log}.log.chk").read_text(encoding="utf-8", errors="replace")
    reports = [json.loads(line) for line in text.splitlines() if '"class":"TPV"' in line]
    return [report for report in reports if "lat" in report]


def _seconds(report: Report) -> int:
    return int(datetime.fromisoformat(report["time"]).timestamp())


def _near(fix: tuple[int, int, int, tuple[int, ...]], report: Report) -> bool:
    return (
        abs(fix[1] - report["lat"] * 1e7) <= NEAR_E7
        and abs(fix[2] - report["lon"] * 1e7) <= NEAR_E7
    )


@pytest.mark.parametrize("log", LOGS)
def test_every_position_is_one_that_gpsd_reads(log: str, shared_data: Path) -> None:
    reports = _reports(shared_data, log)
    found = fixes(_recording(shared_data, log), 0)
    if log in CUT_BEFORE_GPSD_REPORTS:
        found.pop()
    assert [fix for fix in found if not any(_near(fix, report) for report in reports)] == []


@pytest.mark.parametrize("log", LOGS)
def test_every_position_has_the_time_that_gpsd_reads(log: str, shared_data: Path) -> None:
    # GPSD holds neo-m8n's 2015 for a week rollover and adds an era; its file says 2015.
    era_s = ERA_S if log == "neo-m8n" else 0
    timed = [report for report in _reports(shared_data, log) if "time" in report]
    for fix in fixes(_recording(shared_data, log), 0):
        then = [report for report in timed if _seconds(report) == fix[0] + era_s]
        assert not then or any(_near(fix, report) for report in then), fix


@pytest.mark.parametrize("log", sorted(set(LOGS) - WITHOUT_A_FIX))
def test_every_fix_has_a_time(log: str, shared_data: Path) -> None:
    assert all(fix[0] for fix in fixes(_recording(shared_data, log), 0))


@pytest.mark.parametrize("log", sorted(set(LOGS) - WITHOUT_A_FIX))
def test_every_measured_position_that_gpsd_reads_is_found(log: str, shared_data: Path) -> None:
    found = fixes(_recording(shared_data, log), 0)
    measured = [r for r in _reports(shared_data, log) if r.get("status") != SIMULATED]
    missed = [report for report in measured if not any(_near(fix, report) for fix in found)]
    assert (bool(measured), missed) == (True, [])


@pytest.mark.parametrize("log", sorted(WITHOUT_A_FIX))
def test_a_simulated_or_missing_fix_is_never_shown(log: str, shared_data: Path) -> None:
    assert fixes(_recording(shared_data, log), 0) == []


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_the_fixes_do_not_depend_on_how_the_bytes_come(
    log: str, size: int, shared_data: Path
) -> None:
    data = _recording(shared_data, log)
    whole_lines = fixes(data, size)
    if size > len(data):
        assert whole_lines[-1:] == fixes(data, 0)[-1:]
    else:
        assert whole_lines == fixes(data, 0)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    log=st.sampled_from(sorted(set(LOGS) - WITHOUT_A_FIX)),
    flips=st.lists(st.tuples(st.integers(0, 7999), st.integers(1, 255)), max_size=40),
    drops=st.lists(st.tuples(st.integers(0, 7999), st.integers(1, 40)), max_size=20),
)
def test_no_damage_shows_a_position_where_the_receiver_was_not(
    log: str, flips: list[tuple[int, int]], drops: list[tuple[int, int]], shared_data: Path
) -> None:
    recording = _recording(shared_data, log)[:8000]
    sentences = (nmea.parse(line.strip()) for line in re.split(rb"[\n$]", recording))
    true = {(s.lat_e7, s.lon_e7) for s in sentences if s is not None and s.measured}
    changed = bytearray(recording)
    for index, bits in flips:
        changed[index % len(changed)] ^= bits
    for index, count in drops:
        del changed[index : index + count]
    assert {fix[1:3] for fix in fixes(bytes(changed), 0)} <= true


def test_micropython_reads_the_same_and_does_not_grow(shared_data: Path) -> None:
    paths = {log: str(shared_data / "nmea" / f"{log}.log") for log in LOGS}
    answers = run_on_micropython(
        Path(__file__).with_name("on_board_recordings.py"), *paths.values(), heap="2M"
    )
    expected = []
    for path in paths.values():
        data = Path(path).read_bytes()[:40_000]
        expected += [f"{path} {size} {fixes(data, size)}" for size in (1, 0)] + [
            f"{path} grew False"
        ]
    assert [_normal(answer) for answer in answers] == [_normal(answer) for answer in expected]


def _normal(answer: str) -> object:
    path, kind, rest = answer.split(" ", 2)
    return path, kind, ast.literal_eval(rest)
