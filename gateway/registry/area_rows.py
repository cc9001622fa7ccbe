"""Area rows: read and written over a connection."""

from collections.abc import Iterable

import shapely
from sqlalchemy import Connection, delete, insert, select

from gateway.registry.area_index import AreaShape
from gateway.registry.model import Area
from gateway.registry.schema import AREA


def replace_all(connection: Connection, shapes: Iterable[AreaShape]) -> None:
    """Store these areas instead of all that were there."""
    connection.execute(delete(AREA))
    rows = [
        {
            "code": shape.area.code,
            "kelurahan": shape.area.kelurahan,
            "kecamatan": shape.area.kecamatan,
            "boundary_wkb": shapely.to_wkb(shape.boundary),
        }
        for shape in shapes
    ]
    if rows:
        connection.execute(insert(AREA), rows)


def names(connection: Connection) -> tuple[Area, ...]:
    """Return all areas by code."""
    query = select(AREA.c.code, AREA.c.kelurahan, AREA.c.kecamatan).order_by(AREA.c.code)
    return tuple(Area(*row) for row in connection.execute(query))


def shapes(connection: Connection) -> tuple[AreaShape, ...]:
    """Return all areas with their boundaries, by code."""
    return tuple(
        AreaShape(Area(row.code, row.kelurahan, row.kecamatan), shapely.from_wkb(row.boundary_wkb))
        for row in connection.execute(select(AREA).order_by(AREA.c.code))
    )
