"""Areas out of GeoJSON, and where places lie."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.registry.area_index import AreaIndex, AreaShape
from gateway.registry.boundaries import AreaProperties, read_boundaries
from gateway.registry.errors import BoundariesError
from gateway.registry.model import Area, Point
from gateway.registry.registry import Registry
from tests.gateway.registry.helpers import collection, feature, square

NAMES = {"code": "1", "kelurahan": "Satu", "kecamatan": "Barat"}
HOLED = (square(0, 0, 10), square(4, 4, 2))
BOW_TIE = [[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 2.0], [0.0, 0.0]]


def test_the_city_comes_in_whole(registry: Registry, shared_data: Path) -> None:
    report = registry.import_areas(
        (shared_data / "tarakan-kelurahan.geojson").read_bytes(), by="test"
    )
    assert len(report.areas) == 20
    assert report.refused == ()
    assert registry.areas() == report.areas


def test_every_kelurahan_holds_a_point_inside_it(registry: Registry, shared_data: Path) -> None:
    registry.import_areas((shared_data / "tarakan-kelurahan.geojson").read_bytes(), by="test")
    shapes = registry.area_shapes()
    index = AreaIndex(shapes)
    for shape in shapes:
        inside = shape.boundary.representative_point()
        assert index.at(Point(inside.y, inside.x)) == shape.area


def test_the_tree_finds_what_a_plain_search_finds(registry: Registry, shared_data: Path) -> None:
    registry.import_areas((shared_data / "tarakan-kelurahan.geojson").read_bytes(), by="test")
    shapes = registry.area_shapes()
    index = AreaIndex(shapes)
    for x in range(40):
        for y in range(40):
            at = Point(3.19 + y * 0.006, 117.50 + x * 0.005)
            place = shapely.Point(at.lon, at.lat)
            plain = [shape.area for shape in shapes if shape.boundary.intersects(place)]
            assert index.at(at) == (min(plain, key=lambda area: area.code) if plain else None)


@pytest.mark.parametrize(
    "at", [Point(11, 5), Point(5, 5), Point(float("nan"), 0), Point(float("inf"), 0)]
)
def test_outside_and_in_a_hole_there_is_no_area(at: Point) -> None:
    shapes, _ = read_boundaries(collection(feature(NAMES, *HOLED)))
    assert AreaIndex(shapes).at(at) is None


@pytest.mark.parametrize("at", [Point(0, 0), Point(10, 5), Point(4, 5), Point(4, 4)])
def test_a_border_belongs_to_the_area(at: Point) -> None:
    shapes, _ = read_boundaries(collection(feature(NAMES, *HOLED)))
    assert AreaIndex(shapes).at(at) is not None


@given(st.permutations(["3", "1", "2", "4"]), st.floats(0, 1))
def test_on_a_common_border_the_lowest_code_wins_in_any_order(
    codes: list[str], along: float
) -> None:
    places = {"1": (0, 0), "2": (1, 0), "3": (0, 1), "4": (1, 1)}
    shapes = [
        AreaShape(Area(code, code, ""), shapely.Polygon(square(*places[code]))) for code in codes
    ]
    index = AreaIndex(shapes)
    assert index.at(Point(1, 1)) == Area("1", "1", "")
    at = index.at(Point(along, 1))
    assert at is not None
    assert at.code == "1"


def test_an_index_of_nothing_finds_nothing() -> None:
    assert AreaIndex([]).at(Point(0, 0)) is None


@pytest.mark.parametrize(
    "properties",
    [
        {"KODE": 6571011001, "Nama Kelurahan": "Satu", "Nama_Kecamatan": "Barat"},
        {"kdepum": "6571011001", "NAMOBJ": "Satu", "WADMKC": "Barat"},
        {"ADM4_PCODE": "6571011001", "ADM4_EN": "Satu", "ADM3_EN": "Barat"},
        {"village_code": 6571011001.0, "village": " Satu ", "district": "Barat"},
    ],
)
def test_usual_property_names_are_known(properties: Mapping[str, object]) -> None:
    shapes, _ = read_boundaries(collection(feature(properties, square(0, 0))))
    assert shapes[0].area == Area("6571011001", "Satu", "Barat")


def test_other_property_names_can_be_told() -> None:
    text = collection(feature({"x": "7", "y": "Satu", "z": "Barat"}, square(0, 0)))
    shapes, _ = read_boundaries(text, AreaProperties("x", "y", "z"))
    assert shapes[0].area == Area("7", "Satu", "Barat")


def test_a_told_property_that_is_missing_is_named_with_those_there_are() -> None:
    _, report = read_boundaries(
        collection(feature(NAMES, square(0, 0))), AreaProperties(kelurahan="desa_x")
    )
    assert "no property 'desa_x' (it has: code, kecamatan, kelurahan)" in report.refused[0].message


def test_without_a_code_the_names_are_the_code() -> None:
    shapes, _ = read_boundaries(
        collection(feature({"kelurahan": "Satu", "kecamatan": "Barat"}, square(0, 0)))
    )
    assert shapes[0].area.code == "Barat/Satu"


def test_a_boundary_that_crosses_itself_is_repaired_and_named() -> None:
    shapes, report = read_boundaries(collection(feature(NAMES, BOW_TIE)))
    assert [note.feature for note in report.repaired] == [1]
    assert "Self-intersection" in report.repaired[0].message
    assert shapes[0].boundary.is_valid
    assert AreaIndex(shapes).at(Point(0.5, 0.25)) is not None


def test_parts_of_one_area_are_joined() -> None:
    shapes, report = read_boundaries(
        collection(feature(NAMES, square(0, 0)), feature(NAMES, square(5, 5)))
    )
    assert len(report.areas) == 1
    index = AreaIndex(shapes)
    assert index.at(Point(0.5, 0.5)) == index.at(Point(5.5, 5.5)) == report.areas[0]


def test_two_areas_of_one_code_are_a_mistake_of_the_file() -> None:
    other = {**NAMES, "kelurahan": "Dua"}
    _, report = read_boundaries(
        collection(feature(NAMES, square(0, 0)), feature(other, square(5, 5)))
    )
    assert [area.kelurahan for area in report.areas] == ["Satu"]
    assert "code 1 belongs to Satu, Barat already" in report.refused[0].message


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"type": "Feature", "properties": NAMES, "geometry": None}, "no geometry"),
        ({"type": "Feature", "properties": None, "geometry": None}, "name of a kelurahan"),
        (
            {
                "type": "Feature",
                "properties": NAMES,
                "geometry": {"type": "Point", "coordinates": [0, 0]},
            },
            "'Point', not an area",
        ),
        (feature(NAMES, [[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), "rings|repaired"),
        (feature(NAMES, [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.0, 0.0]]), "can't be repaired"),
        (feature(NAMES, square(500_000, 300_000)), "WGS 84"),
        (feature(NAMES), "empty|rings"),
        (
            {
                "type": "Feature",
                "properties": NAMES,
                "geometry": {"type": "Polygon", "coordinates": "x"},
            },
            "rings",
        ),
        ("no feature", "name of a kelurahan"),
    ],
)
def test_a_bad_feature_is_refused_and_the_good_one_comes_in(bad: object, why: str) -> None:
    good = feature({**NAMES, "code": "9"}, square(0, 0))
    _, report = read_boundaries(collection(bad, good))
    assert [area.code for area in report.areas] == ["9"]
    assert [note.feature for note in report.refused] == [1]
    assert any(part in report.refused[0].message for part in why.split("|"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "line 1, column 2"),
        ("[]", "object with a member 'type'"),
        ('{"type": "Topology"}', "'Topology'"),
        (b"\xff\xfe", "byte 1 is not UTF-8"),
        ("[" * 200_000, "nested too deeply"),
        (
            collection(crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32650"}}),
            "EPSG:4326",
        ),
    ],
)
def test_a_file_that_is_no_boundaries_is_named(text: str | bytes, why: str) -> None:
    with pytest.raises(BoundariesError, match=why):
        read_boundaries(text)


def test_a_file_without_a_usable_feature_leaves_the_old_areas(registry: Registry) -> None:
    registry.import_areas(collection(feature(NAMES, square(0, 0))), by="test")
    for text in (collection(), collection(feature({}, square(0, 0)))):
        with pytest.raises(BoundariesError):
            registry.import_areas(text, by="test")
    assert [area.code for area in registry.areas()] == ["1"]


def test_a_new_file_takes_the_place_of_the_old(registry: Registry) -> None:
    registry.import_areas(collection(feature(NAMES, square(0, 0))), by="test")
    registry.import_areas(collection(feature({**NAMES, "code": "2"}, square(0, 0))), by="test")
    assert [area.code for area in registry.areas()] == ["2"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "coordinates", "geometry", "properties", "features", "code"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(json_values, json_values)
@settings(max_examples=300)
def test_no_json_breaks_the_reader(geometry: object, properties: object) -> None:
    shape = {"type": "Polygon", "coordinates": geometry}
    text = json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "properties": {**NAMES, "x": properties}, "geometry": shape},
                {"type": "Feature", "properties": properties, "geometry": geometry},
                geometry,
            ],
        }
    )
    shapes, report = read_boundaries(text)
    assert len(report.refused) >= 2
    assert all(shape.boundary.is_valid for shape in shapes)
