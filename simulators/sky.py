"""A GNSS receiver in software: NMEA 0183 sentences of a known truth, with a receiver's faults."""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from math import exp, sqrt
from operator import xor
from random import Random

from simulators.geodesy import Spot, moved
from simulators.roads import Motion

KNOTS_PER_M_S = 3600.0 / 1852.0
NOISE_MEMORY_S = 60.0  # multipath and ionosphere wander over about a minute


@dataclass(frozen=True, slots=True)
class Reception:
    """How well the sky is seen."""

    cold_start_s: float = 28.0
    noise_m: float = 2.5
    outage_every_s: float = 1800.0
    outage_s: float = 25.0


class Receiver:
    """Speaks RMC and GGA once a burst.

    It knows no time before a third of its cold start, no position before the end of it, and
    loses the position now and then. Time is passed in and may not run backwards.
    """

    def __init__(self, chance: Random, reception: Reception | None = None) -> None:
        self._chance = chance
        self._reception = reception or Reception()
        self._north_m = 0.0
        self._east_m = 0.0
        self._burst_at_s: float | None = None
        self._outage_from_s = self._reception.cold_start_s + self._until_outage()
        self._outage_to_s = self._outage_from_s + self._reception.outage_s

    def has_fix(self, elapsed_s: float) -> bool:
        """Return whether the receiver has a position so many seconds after power-on."""
        while elapsed_s >= self._outage_to_s:
            self._outage_from_s = self._outage_to_s + self._until_outage()
            self._outage_to_s = self._outage_from_s + self._reception.outage_s
        started = elapsed_s >= self._reception.cold_start_s
        return started and elapsed_s < self._outage_from_s

    def burst(self, elapsed_s: float, utc: datetime, truth: Motion) -> bytes:
        """Return what the receiver says so many seconds after power-on."""
        if not self.has_fix(elapsed_s):
            knows_time = elapsed_s >= self._reception.cold_start_s / 3
            return _searching(utc if knows_time else None)
        self._wander(elapsed_s)
        satellites = self._chance.randint(7, 14)
        hdop = round(self._chance.uniform(0.7, 1.6), 2)
        seen = moved(truth.spot, self._north_m, self._east_m)
        return _fixed(utc, seen, truth, satellites, hdop)

    def _wander(self, elapsed_s: float) -> None:
        """Move the error as a first-order Gauss-Markov process."""
        before_s = elapsed_s - 1e6 if self._burst_at_s is None else self._burst_at_s
        kept = exp(-(elapsed_s - before_s) / NOISE_MEMORY_S)
        fresh_m = self._reception.noise_m * sqrt(1.0 - kept * kept)
        self._north_m = self._north_m * kept + self._chance.gauss(0.0, fresh_m)
        self._east_m = self._east_m * kept + self._chance.gauss(0.0, fresh_m)
        self._burst_at_s = elapsed_s

    def _until_outage(self) -> float:
        return self._chance.expovariate(1.0 / self._reception.outage_every_s)


def sentence(body: str) -> bytes:
    """Frame an NMEA 0183 sentence: `$`, body, `*`, exclusive-or of the body's bytes, CR LF."""
    return f"${body}*{reduce(xor, body.encode('ascii'), 0):02X}\r\n".encode("ascii")


def _fixed(utc: datetime, seen: Spot, truth: Motion, satellites: int, hdop: float) -> bytes:
    clock = f"{utc:%H%M%S}.{utc.microsecond // 10_000:02d}"
    where = f"{_angle(seen.lat, 2, 'NS')},{_angle(seen.lon, 3, 'EW')}"
    knots = truth.speed_m_s * KNOTS_PER_M_S
    course = f"{truth.course_deg:.2f}" if truth.speed_m_s else ""
    recommended = f"GNRMC,{clock},A,{where},{knots:.3f},{course},{utc:%d%m%y},,,A"
    data = f"GNGGA,{clock},{where},1,{satellites:02d},{hdop:.2f},14.0,M,52.0,M,,"
    return sentence(recommended) + sentence(data)


def _searching(utc: datetime | None) -> bytes:
    clock = "" if utc is None else f"{utc:%H%M%S}.{utc.microsecond // 10_000:02d}"
    date = "" if utc is None else f"{utc:%d%m%y}"
    recommended = sentence(f"GNRMC,{clock},V,,,,,,,{date},,,N")
    return recommended + sentence(f"GNGGA,{clock},,,,,0,00,99.99,,,,,,")


def _angle(degrees: float, width: int, signs: str) -> str:
    """Write an angle as degrees and minutes to five places (2 cm), in integers: no 60.00000'."""
    total = round(abs(degrees) * 60 * 100_000)
    whole, minutes = divmod(total, 60 * 100_000)
    sign = signs[0] if degrees >= 0 else signs[1]
    return f"{whole:0{width}d}{minutes // 100_000:02d}.{minutes % 100_000:05d},{sign}"
