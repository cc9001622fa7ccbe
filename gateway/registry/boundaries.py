"""Areas out of any GeoJSON of boundaries (RFC 7946)."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import shapely
import shapely.geometry

from gateway.registry.area_index import AreaShape
from gateway.registry.errors import BoundariesError
from gateway.registry.model import Area

# As files of BIG, BPS, OCHA and of city offices name them, most telling first.
_CODE = (
    "code",
    "kode",
    "kode_kelurahan",
    "kode_desa",
    "kode_wilayah",
    "kdepum",
    "kdcpum",
    "kd_kelurahan",
    "kd_desa",
    "adm4_pcode",
    "village_code",
    "id_kelurahan",
    "id_desa",
    "id",
)
_KELURAHAN = (
    "kelurahan",
    "desa",
    "kel_desa",
    "desa_kelurahan",
    "nama_kelurahan",
    "nama_desa",
    "wadmkd",
    "village",
    "village_name",
    "adm4_en",
    "adm4_id",
    "namobj",
    "nama",
    "name",
)
_KECAMATAN = (
    "kecamatan",
    "nama_kecamatan",
    "wadmkc",
    "adm3_en",
    "adm3_id",
    "district",
    "district_name",
    "subdistrict",
    "sub_district",
)
_WGS84 = ("CRS84", "EPSG::4326", "EPSG:4326", "EPSG/0/4326")
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class AreaProperties:
    """The names of the properties to read; None has them guessed."""

    code: str | None = None
    kelurahan: str | None = None
    kecamatan: str | None = None


@dataclass(frozen=True, slots=True)
class AreaNote:
    """Something to know about one feature, counted from 1; its code where it has one."""

    feature: int
    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class AreaReport:
    """What came in, what had to be mended first, and what was refused."""

    areas: tuple[Area, ...]
    repaired: tuple[AreaNote, ...]
    refused: tuple[AreaNote, ...]


class _RefusedError(Exception):
    """Why one feature can't be used."""


def read_boundaries(
    text: str | bytes, properties: AreaProperties | None = None
) -> tuple[tuple[AreaShape, ...], AreaReport]:
    """Read a FeatureCollection or a single Feature; raises BoundariesError.

    Features of the same code and names are parts of one area. An invalid polygon is repaired
    where that leaves an area. A feature without a code gets `kecamatan/kelurahan` as its code.
    """
    features = _features(_document(text))
    wanted = properties or AreaProperties()
    shapes: dict[str, AreaShape] = {}
    repaired: list[AreaNote] = []
    refused: list[AreaNote] = []
    for number, feature in enumerate(features, start=1):
        area = None
        try:
            area = _area(feature, wanted)
            boundary, flaw = _boundary(feature.get("geometry"))
            shapes[area.code] = _joined(shapes.get(area.code), AreaShape(area, boundary))
        except _RefusedError as error:
            refused.append(AreaNote(number, area.code if area else None, str(error)))
        else:
            if flaw:
                repaired.append(AreaNote(number, area.code, flaw))
    ordered = tuple(shapes[code] for code in sorted(shapes))
    areas = tuple(shape.area for shape in ordered)
    return ordered, AreaReport(areas, tuple(repaired), tuple(refused))


def _document(text: str | bytes) -> Mapping[str, object]:
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        document = json.loads(decoded)
    except UnicodeDecodeError as error:
        raise BoundariesError(f"byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BoundariesError(f"not JSON at {where}: {error.msg}") from None
    except RecursionError:
        raise BoundariesError("nested too deeply") from None
    if not isinstance(document, dict):
        raise BoundariesError("GeoJSON is an object with a member 'type'")
    return document


def _features(document: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    crs = document.get("crs")
    if crs is not None and not any(name in json.dumps(crs) for name in _WGS84):
        raise BoundariesError("its coordinates aren't WGS 84: convert them to EPSG:4326 first")
    if document.get("type") == "Feature":
        return [document]
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        found = document.get("type")
        raise BoundariesError(f"a FeatureCollection or Feature is needed, this is {found!r}")
    return [feature if isinstance(feature, dict) else {} for feature in features]


def _area(feature: Mapping[str, object], wanted: AreaProperties) -> Area:
    found = feature.get("properties")
    properties = found if isinstance(found, dict) else {}
    kelurahan = _property(properties, wanted.kelurahan, _KELURAHAN)
    if kelurahan is None:
        have = ", ".join(sorted(properties)) or "none"
        raise _RefusedError(f"no property holds the name of a kelurahan (it has: {have})")
    kecamatan = _property(properties, wanted.kecamatan, _KECAMATAN) or ""
    code = _property(properties, wanted.code, _CODE) or f"{kecamatan}/{kelurahan}"
    return Area(code, kelurahan, kecamatan)


def _property(
    properties: Mapping[str, object], wanted: str | None, guesses: Iterable[str]
) -> str | None:
    if wanted is not None:
        if wanted not in properties:
            have = ", ".join(sorted(properties)) or "none"
            raise _RefusedError(f"no property {wanted!r} (it has: {have})")
        return _name(properties[wanted])
    by_lower = {name.lower().replace(" ", "_"): value for name, value in properties.items()}
    return next((name for guess in guesses if (name := _name(by_lower.get(guess)))), None)


def _name(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) and value.is_integer() else str(value)
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return text[:_MAX_NAME] or None


def _boundary(geometry: object) -> tuple[shapely.Polygon | shapely.MultiPolygon, str | None]:
    if not isinstance(geometry, dict):
        raise _RefusedError("it has no geometry")
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise _RefusedError(f"its geometry is {geometry.get('type')!r}, not an area")
    try:
        shape = shapely.force_2d(shapely.geometry.shape(geometry))
    except (ValueError, TypeError, LookupError, AttributeError, shapely.errors.ShapelyError):
        raise _RefusedError("its coordinates can't be read as rings of [lon, lat]") from None
    if shape.is_empty:
        raise _RefusedError("its geometry is empty")
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _RefusedError("its coordinates aren't degrees of WGS 84: convert to EPSG:4326")
    if shape.is_valid:
        return shape, None
    flaw = shapely.is_valid_reason(shape)
    mended = _areal(shapely.make_valid(shape, method="structure", keep_collapsed=False))
    if mended is None:
        raise _RefusedError(f"its boundary can't be repaired: {flaw}")
    return mended, flaw


def _areal(shape: shapely.Geometry) -> shapely.Polygon | shapely.MultiPolygon | None:
    if isinstance(shape, shapely.GeometryCollection):
        parts = (part for part in shape.geoms if part.geom_type in ("Polygon", "MultiPolygon"))
        shape = shapely.union_all(list(parts))
    return None if shape.is_empty or shape.area == 0 else shape


def _joined(before: AreaShape | None, part: AreaShape) -> AreaShape:
    if before is None:
        return part
    if before.area != part.area:
        other = f"{before.area.kelurahan}, {before.area.kecamatan}"
        raise _RefusedError(f"code {part.area.code} belongs to {other} already")
    return replace(before, boundary=shapely.union_all([before.boundary, part.boundary]))
