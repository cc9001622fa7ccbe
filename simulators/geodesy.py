"""Distances within one city: a flat earth is right to a few centimetres a kilometre there."""

from math import atan2, cos, degrees, hypot, radians
from typing import NamedTuple

METRES_PER_DEGREE = 111_194.93  # of latitude, on a sphere of 6,371,008.8 m


class Spot(NamedTuple):
    """A position in degrees, WGS 84."""

    lat: float
    lon: float


def moved(spot: Spot, north_m: float, east_m: float) -> Spot:
    """Return the spot so many metres north and east of `spot`."""
    lat = spot.lat + north_m / METRES_PER_DEGREE
    lon = spot.lon + east_m / (METRES_PER_DEGREE * cos(radians(spot.lat)))
    return Spot(lat, lon)


def apart(start: Spot, end: Spot) -> tuple[float, float]:
    """Return how many metres north and east of `start` lies `end`."""
    scale = cos(radians((start.lat + end.lat) / 2))
    north_m = (end.lat - start.lat) * METRES_PER_DEGREE
    return north_m, (end.lon - start.lon) * METRES_PER_DEGREE * scale


def distance_m(start: Spot, end: Spot) -> float:
    """Return the distance in metres."""
    return hypot(*apart(start, end))


def course_deg(start: Spot, end: Spot) -> float:
    """Return the course from `start` to `end` in degrees from true north, 0 to under 360."""
    north_m, east_m = apart(start, end)
    return degrees(atan2(east_m, north_m)) % 360.0
