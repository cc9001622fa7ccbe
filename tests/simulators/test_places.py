import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import union_all
from shapely.geometry import Point, shape

from simulators.chance import seeded
from simulators.errors import BoundariesError
from simulators.geodesy import distance_m
from simulators.places import TOWN, read_city


@pytest.fixture(scope="module")
def boundaries(shared_data: Path) -> Path:
    return shared_data / "tarakan-kelurahan.geojson"


def test_every_place_lies_inside_the_polygon_it_names(boundaries: Path) -> None:
    features = json.loads(boundaries.read_text())["features"]
    outlines = {f["properties"]["kelurahan"]: shape(f["geometry"]) for f in features}
    city = read_city(boundaries)

    @given(st.integers())
    def holds(seed: int) -> None:
        site = city.site(seeded(seed))
        assert site.district is not None
        assert outlines[site.district].covers(Point(site.spot.lon, site.spot.lat))

    holds()


@given(st.integers())
def test_without_boundaries_every_place_lies_in_the_town(seed: int) -> None:
    site = read_city(None).site(seeded(seed))
    assert site.district is None
    assert TOWN.covers(Point(site.spot.lon, site.spot.lat))


def test_the_built_in_town_lies_in_the_real_city(boundaries: Path) -> None:
    features = json.loads(boundaries.read_text())["features"]
    city = union_all([shape(f["geometry"]) for f in features])
    assert TOWN.difference(city).area < TOWN.area / 1000  # simplified borders leave slivers


def test_a_district_is_drawn_by_its_share_of_the_area(boundaries: Path) -> None:
    city = read_city(boundaries)
    whole = sum(district.outline.area for district in city.districts)
    largest = max(city.districts, key=lambda district: district.outline.area)
    chance = seeded("share")
    drawn = sum(city.site(chance).district == largest.name for _ in range(4000)) / 4000
    assert drawn == pytest.approx(largest.outline.area / whole, abs=0.03)


@given(st.integers())
def test_a_neighbour_is_within_reach(seed: int) -> None:
    chance = seeded(seed)
    city = read_city(None)
    site = city.site(chance)
    assert distance_m(site.spot, city.near(site, chance, within_m=90.0).spot) < 92.0


def test_a_collection_with_holes_and_parts_is_understood(tmp_path: Path) -> None:
    ring = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]
    hole = [[0.1, 0.1], [0.1, 1.9], [1.9, 1.9], [1.9, 0.1], [0.1, 0.1]]
    geometry = {
        "type": "GeometryCollection",
        "geometries": [
            {"type": "Polygon", "coordinates": [ring, hole]},
            {"type": "Point", "coordinates": [5, 5]},
        ],
    }
    path = tmp_path / "one.geojson"
    path.write_text(json.dumps(geometry))
    city = read_city(path)
    chance = seeded(1)
    assert all(
        shape(geometry).covers(Point(spot.lon, spot.lat))
        for spot in (city.site(chance).spot for _ in range(100))
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "null",
        '{"type": "FeatureCollection", "features": []}',
        '{"type": "FeatureCollection", "features": 3}',
        '{"type": "FeatureCollection", "features": [3]}',
        '{"type": "Point", "coordinates": [1, 2]}',
        '{"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}',
        '{"type": "Polygon", "coordinates": [[[0, 0], [600000, 0], [600000, 9], [0, 0]]]}',
    ],
)
def test_an_unusable_file_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.geojson"
    path.write_text(text)
    with pytest.raises(BoundariesError, match=r"bad\.geojson"):
        read_city(path)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BoundariesError, match="give a GeoJSON file"):
        read_city(tmp_path / "none.geojson")
