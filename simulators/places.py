"""Where things stand in a city: inside given boundaries, or inside Tarakan's town."""

import json
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Final

from shapely import make_valid
from shapely.errors import ShapelyError
from shapely.geometry import Point, Polygon, shape
from shapely.geometry.base import BaseGeometry

from simulators.errors import BoundariesError
from simulators.geodesy import Spot

TRIES = 10_000
TOWN: Final = Polygon(
    [
        (117.595, 3.295),
        (117.612, 3.296),
        (117.630, 3.310),
        (117.618, 3.345),
        (117.592, 3.345),
        (117.586, 3.325),
    ]
)


@dataclass(frozen=True, slots=True)
class District:
    """One polygon of the city and what it is called there, if anything."""

    name: str | None
    outline: Polygon


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the city to the seventh decimal, as a device sends it."""

    spot: Spot
    district: str | None


@dataclass(frozen=True, slots=True)
class City:
    """The polygons that places are drawn from, each by its share of the area."""

    districts: tuple[District, ...]

    def site(self, chance: Random) -> Site:
        """Return a place somewhere inside the city."""
        sums = list(accumulate(district.outline.area for district in self.districts))
        district = chance.choices(self.districts, cum_weights=sums)[0]
        return Site(_inside(district.outline, chance), district.name)

    def near(self, site: Site, chance: Random, *, within_m: float) -> Site:
        """Return a place at most about `within_m` from `site`; `site` itself if none is inside."""
        reach = within_m / 111_195.0
        around = Point(site.spot.lon, site.spot.lat).buffer(reach)
        for district in self.districts:
            if district.name == site.district:
                for part in _polygons(district.outline.intersection(around)):
                    return Site(_inside(part, chance), district.name)
        return site


def read_city(boundaries: Path | None) -> City:
    """Return the city of a GeoJSON file, or the built-in town without one.

    Raises BoundariesError for a file that is no GeoJSON or has no polygon in degrees.
    """
    if boundaries is None:
        return City((District(None, TOWN),))
    try:
        document = json.loads(boundaries.read_text(encoding="utf-8"))
        districts = tuple(_districts(document))
    except (OSError, UnicodeDecodeError) as error:
        raise BoundariesError(boundaries, str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, ShapelyError) as error:
        raise BoundariesError(boundaries, f"no GeoJSON of polygons ({error})") from error
    if not districts:
        raise BoundariesError(boundaries, "it has no polygon")
    return City(districts)


def _districts(document: dict[str, object]) -> list[District]:
    features = document.get("features", [document])
    if not isinstance(features, list):
        raise TypeError("features is no list")
    found = []
    for feature in features:
        properties = feature.get("properties") or {}
        name = properties.get("kelurahan") or properties.get("name")
        geometry = make_valid(shape(feature.get("geometry", feature)))
        found += [District(str(name) if name else None, part) for part in _polygons(geometry)]
    for district in found:
        west, south, east, north = district.outline.bounds
        if west < -180 or east > 180 or south < -90 or north > 90:
            raise ValueError("a position is not in degrees of longitude and latitude")
    return found


def _polygons(geometry: BaseGeometry) -> list[Polygon]:
    parts = [geometry] if isinstance(geometry, Polygon) else list(getattr(geometry, "geoms", ()))
    flat = [
        polygon
        for part in parts
        for polygon in ([part] if isinstance(part, Polygon) else _polygons(part))
    ]
    return [polygon for polygon in flat if polygon.area > 0]


def _inside(outline: Polygon, chance: Random) -> Spot:
    west, south, east, north = outline.bounds
    for _ in range(TRIES):
        spot = Spot(round(chance.uniform(south, north), 7), round(chance.uniform(west, east), 7))
        if outline.covers(Point(spot.lon, spot.lat)):
            return spot
    middle = outline.representative_point()
    return Spot(middle.y, middle.x)
