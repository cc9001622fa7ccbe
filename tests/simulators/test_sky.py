import re
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import groupby, pairwise
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.button.gnss import Gnss
from simulators.chance import seeded
from simulators.geodesy import Spot, distance_m
from simulators.roads import Motion
from simulators.sky import Receiver, Reception

START = datetime(2026, 11, 24, 23, 59, 58, tzinfo=UTC)
CLEAR = Reception(cold_start_s=0.0, noise_m=0.0, outage_every_s=1e9)
latitudes = st.floats(-89.9, 89.9)
longitudes = st.floats(-179.9, 179.9)


def fields(burst: bytes) -> dict[str, list[str]]:
    """Read sentences by other means than they were written: NMEA 0183, checksum first."""
    found = {}
    for line in burst.decode("ascii").splitlines():
        match = re.fullmatch(r"\$([^*$]+)\*([0-9A-F]{2})", line)
        assert match, line
        assert reduce(xor, map(ord, match[1])) == int(match[2], 16)
        name, *rest = match[1].split(",")
        found[name[2:]] = rest
    return found


def angle(text: str, sign: str) -> float:
    point = text.index(".")
    value = int(text[: point - 2]) + float(text[point - 2 :]) / 60
    return -value if sign in "SW" else value


def spot_of(rest: list[str]) -> Spot:
    return Spot(angle(rest[0], rest[1]), angle(rest[2], rest[3]))


@given(latitudes, longitudes)
def test_both_sentences_carry_the_true_position_to_two_centimetres(lat: float, lon: float) -> None:
    said = fields(Receiver(seeded(1), CLEAR).burst(1.0, START, Motion(Spot(lat, lon))))
    for rest in (said["RMC"][2:6], said["GGA"][1:5]):
        seen = spot_of(rest)
        assert seen.lat == pytest.approx(lat, abs=2e-7)
        assert seen.lon == pytest.approx(lon, abs=2e-7)


@given(latitudes, longitudes)
def test_minutes_never_reach_sixty(lat: float, lon: float) -> None:
    said = fields(Receiver(seeded(1), CLEAR).burst(1.0, START, Motion(Spot(lat, lon))))
    assert float(said["GGA"][1][2:]) < 60
    assert float(said["GGA"][3][3:]) < 60


def test_time_date_speed_and_course_are_the_truth() -> None:
    truth = Motion(Spot(3.3, 117.6), speed_m_s=10.0, course_deg=123.4)
    said = fields(Receiver(seeded(1), CLEAR).burst(1.0, START, truth))
    assert (said["RMC"][0], said["RMC"][8]) == ("235958.00", "241126")
    assert float(said["RMC"][6]) == pytest.approx(19.438, abs=0.001)
    assert float(said["RMC"][7]) == pytest.approx(123.4)


def test_a_cold_start_tells_first_nothing_then_time_then_position() -> None:
    receiver = Receiver(seeded(1), Reception(cold_start_s=30.0))
    truth = Motion(Spot(3.3, 117.6))
    stages = []
    for second in (0, 9, 11, 29, 30):
        said = fields(receiver.burst(second, START + timedelta(seconds=second), truth))
        stages.append((bool(said["RMC"][0]), said["RMC"][1], said["GGA"][5]))
    assert stages == [
        (False, "V", "0"),
        (False, "V", "0"),
        (True, "V", "0"),
        (True, "V", "0"),
        (True, "A", "1"),
    ]


def test_the_fix_is_lost_for_its_while_and_comes_back() -> None:
    receiver = Receiver(
        seeded(4), Reception(cold_start_s=10.0, outage_every_s=200.0, outage_s=25.0)
    )
    fixes = [receiver.has_fix(second) for second in range(3600)]
    lengths = [len(list(run)) for fix, run in groupby(fixes[10:]) if not fix]
    assert 5 <= len(lengths) <= 30
    assert set(lengths[:-1]) <= {24, 25, 26}


def test_the_error_wanders_around_the_truth_by_the_noise_asked_for() -> None:
    receiver = Receiver(seeded(5), Reception(cold_start_s=0.0, noise_m=3.0, outage_every_s=1e9))
    truth = Spot(3.3, 117.6)
    errors = [
        distance_m(truth, spot_of(fields(receiver.burst(s, START, Motion(truth)))["GGA"][1:5]))
        for s in range(0, 36_000, 60)
    ]
    root_mean_square = (sum(error * error for error in errors) / len(errors)) ** 0.5
    assert root_mean_square == pytest.approx(3.0 * 2**0.5, rel=0.15)


def test_the_error_moves_smoothly_from_second_to_second() -> None:
    receiver = Receiver(seeded(6), Reception(cold_start_s=0.0, noise_m=3.0, outage_every_s=1e9))
    truth = Motion(Spot(3.3, 117.6))
    seen = [spot_of(fields(receiver.burst(s, START, truth))["GGA"][1:5]) for s in range(600)]
    steps = [distance_m(a, b) for a, b in pairwise(seen)]
    assert sum(steps) / len(steps) < 1.5


def test_the_same_seed_gives_the_same_bytes() -> None:
    def speak() -> bytes:
        receiver = Receiver(seeded("same"))
        truth = Motion(Spot(3.3, 117.6))
        return b"".join(receiver.burst(s, START + timedelta(seconds=s), truth) for s in range(2000))

    assert speak() == speak()


@given(st.floats(3.2, 3.5), st.floats(117.5, 117.7))
def test_the_firmware_reads_the_same_position_as_was_meant(lat: float, lon: float) -> None:
    gnss = Gnss()
    receiver = Receiver(seeded(2), CLEAR)
    for second in range(3):
        said = receiver.burst(second, START + timedelta(seconds=second), Motion(Spot(lat, lon)))
        gnss.feed(said, second * 1000)
    assert gnss.fix is not None
    assert abs(gnss.fix.lat_e7 - lat * 1e7) <= 2
    assert abs(gnss.fix.lon_e7 - lon * 1e7) <= 2


def test_the_firmware_sees_no_fix_where_the_receiver_has_none() -> None:
    gnss = Gnss()
    receiver = Receiver(seeded(2), Reception(cold_start_s=60.0))
    for second in range(60):
        said = receiver.burst(second, START + timedelta(seconds=second), Motion(Spot(3.3, 117.6)))
        gnss.feed(said, second * 1000)
    assert gnss.fix is None
    assert gnss.unix(60_000) is None


def test_the_firmware_takes_the_time_from_the_first_fix() -> None:
    gnss = Gnss()
    receiver = Receiver(seeded(2), CLEAR)
    gnss.feed(receiver.burst(0.0, START, Motion(Spot(3.3, 117.6))), 0)
    assert gnss.unix(0) == int(START.timestamp())
