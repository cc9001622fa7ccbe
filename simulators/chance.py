"""Seeded chance: the same seed gives the same city, in any process."""

from dataclasses import dataclass
from math import log
from random import Random


def seeded(*parts: int | str) -> Random:
    """Return a generator that depends on nothing but `parts`."""
    name = "/".join(str(part) for part in parts)
    return Random(name)  # noqa: S311 - a simulation wants repeatable chance; no secret comes from it


@dataclass(frozen=True, slots=True)
class Span:
    """How long something takes, in seconds: log-normal around a median, within bounds.

    Human reaction times are skewed: rarely much faster than usual, now and then much slower.
    """

    median_s: float
    spread: float = 0.4
    least_s: float = 0.0
    most_s: float = 900.0

    def draw(self, chance: Random) -> float:
        """Return one duration in seconds."""
        drawn = chance.lognormvariate(log(self.median_s), self.spread)
        return min(max(drawn, self.least_s), self.most_s)
