"""Ways through a city without a road map: street corners, detours, street speeds."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random

from simulators.geodesy import Spot, apart, course_deg, distance_m, moved

BLOCK_M = 250.0


@dataclass(frozen=True, slots=True)
class Motion:
    """Where something is and how it moves."""

    spot: Spot
    speed_m_s: float = 0.0
    course_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """A way through corners at one speed."""

    corners: tuple[Spot, ...]
    speed_m_s: float

    @property
    def length_m(self) -> float:
        """The whole way in metres."""
        return sum(distance_m(start, end) for start, end in pairwise(self.corners))

    @property
    def duration_s(self) -> float:
        """How long the whole way takes."""
        return self.length_m / self.speed_m_s

    def at(self, elapsed_s: float) -> Motion:
        """Return the place and motion so many seconds after the start; it stops at the end."""
        gone_m = max(elapsed_s, 0.0) * self.speed_m_s
        legs = [(start, end) for start, end in pairwise(self.corners) if start != end]
        ends_m = list(accumulate(distance_m(start, end) for start, end in legs))
        if not legs or gone_m >= ends_m[-1]:
            return Motion(self.corners[-1])
        index = bisect_right(ends_m, gone_m)
        start, end = legs[index]
        begin_m = ends_m[index - 1] if index else 0.0
        share = (gone_m - begin_m) / (ends_m[index] - begin_m)
        north_m, east_m = apart(start, end)
        spot = moved(start, north_m * share, east_m * share)
        return Motion(spot, self.speed_m_s, course_deg(start, end))


def drive(start: Spot, end: Spot, chance: Random, *, speed_m_s: float | None = None) -> Route:
    """Return a way along streets: blocks north or east in a mixed order, at town speed."""
    speed = chance.uniform(8.0, 13.0) if speed_m_s is None else speed_m_s
    north_m, east_m = apart(start, end)
    steps = [(north_m / count, 0.0) for count in (_blocks(north_m),) for _ in range(count)]
    steps += [(0.0, east_m / count) for count in (_blocks(east_m),) for _ in range(count)]
    chance.shuffle(steps)
    corners = [start]
    for north, east in steps[:-1]:
        corners.append(moved(corners[-1], north, east))
    return Route((*corners, end), speed)


def stroll(start: Spot, chance: Random, *, legs: int = 12) -> Route:
    """Return a walk around `start` at walking speed that comes back to it."""
    corners = (
        moved(start, chance.gauss(0.0, 120.0), chance.gauss(0.0, 120.0)) for _ in range(legs)
    )
    return Route((start, *corners, start), chance.uniform(1.0, 1.6))


def _blocks(length_m: float) -> int:
    return max(1, min(40, round(abs(length_m) / BLOCK_M)))
