"""Which area a place lies in."""

from collections.abc import Iterable
from dataclasses import dataclass

import shapely

from gateway.registry.model import Area, Point


@dataclass(frozen=True, slots=True)
class AreaShape:
    """An area and its boundary, a valid polygon or multipolygon of (lon, lat) in degrees."""

    area: Area
    boundary: shapely.Polygon | shapely.MultiPolygon


class AreaIndex:
    """A tree over all areas; borders belong to the area, holes don't."""

    def __init__(self, shapes: Iterable[AreaShape]) -> None:
        ordered = sorted(shapes, key=lambda shape: shape.area.code)
        self._areas = tuple(shape.area for shape in ordered)
        boundaries = [shape.boundary for shape in ordered]
        # Prepared once, a point is looked up without walking the whole boundary.
        shapely.prepare(boundaries)
        self._tree = shapely.STRtree(boundaries)

    def at(self, point: Point) -> Area | None:
        """Return the area at a place; where several meet, the one with the lowest code."""
        found = self._tree.query(shapely.Point(point.lon, point.lat), predicate="intersects")
        return self._areas[min(found)] if len(found) else None
