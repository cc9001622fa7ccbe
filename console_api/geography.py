"""Distances on the Earth."""

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG


def distance_m(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Metres between two points in WGS 84 degrees, by the haversine formula (within 0.5 %)."""
    phi_a, phi_b = radians(lat_a), radians(lat_b)
    half_lat = sin((phi_b - phi_a) / 2) ** 2
    half_lon = sin(radians(lon_b - lon_a) / 2) ** 2
    chord = half_lat + cos(phi_a) * cos(phi_b) * half_lon
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, chord)))
