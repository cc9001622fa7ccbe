from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.chance import seeded
from simulators.geodesy import Spot, distance_m
from simulators.roads import drive, stroll

spots = st.builds(Spot, st.floats(3.24, 3.44), st.floats(117.52, 117.67))


@given(spots, spots, st.integers())
def test_a_drive_starts_and_ends_where_it_should(start: Spot, end: Spot, seed: int) -> None:
    route = drive(start, end, seeded(seed))
    assert distance_m(route.at(0).spot, start) < 0.5
    assert route.at(route.duration_s + 1).spot == end


@given(spots, spots, st.integers())
def test_a_drive_is_as_long_as_streets_are(start: Spot, end: Spot, seed: int) -> None:
    straight_m = distance_m(start, end)
    length_m = drive(start, end, seeded(seed)).length_m
    assert straight_m - 0.5 <= length_m <= straight_m * 1.45 + 0.5


@given(spots, spots, st.integers())
def test_nothing_moves_faster_than_its_speed(start: Spot, end: Spot, seed: int) -> None:
    route = drive(start, end, seeded(seed), speed_m_s=10.0)
    seen = [route.at(second) for second in range(0, 300, 7)]
    assert all(distance_m(a.spot, b.spot) <= 70.5 for a, b in pairwise(seen))


def test_who_has_arrived_stands_still() -> None:
    route = drive(Spot(3.3, 117.6), Spot(3.31, 117.61), seeded(1))
    assert route.at(route.duration_s + 60).speed_m_s == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_stroll_comes_back(seed: int) -> None:
    home = Spot(3.3, 117.6)
    walk = stroll(home, seeded(seed))
    assert walk.at(0).spot == home
    assert walk.at(walk.duration_s + 1).spot == home
    assert 1.0 <= walk.speed_m_s <= 1.6
