"""What the registry's tests share."""

import json

from hypothesis import strategies as st

from gateway.registry.fields import MAX_SUPERVISION_S, MIN_SUPERVISION_S, Profile
from gateway.registry.model import Category, DeviceKind, Owner, Point

DEPLOYMENT_KEY = bytes(range(32))

# At most 60, for NFC makes up to three characters of one, and 200 are allowed.
printable = st.characters(categories=("L", "M", "N", "P", "S"), include_characters=" ")
texts = st.text(printable, max_size=60).map(str.strip)
phones = st.from_regex(r"\+?[0-9][0-9 ()./-]{0,29}[0-9]", fullmatch=True)

device_ids = st.from_regex(r"[A-Z0-9][A-Z0-9-]{2,23}", fullmatch=True)
points = st.builds(Point, lat=st.floats(-90, 90), lon=st.floats(-180, 180))
profiles = st.builds(
    Profile,
    kind=st.sampled_from(DeviceKind),
    label=texts,
    address=texts,
    category=st.sampled_from(Category),
    installed=st.none() | points,
    owner=st.none() | st.builds(Owner, name=texts, phone=st.just("") | phones),
    camera_url=st.sampled_from([None, "https://camera.example/snap?x=1", "rtsp://10.0.0.9:554/a"]),
    supervision_interval_s=st.none() | st.integers(MIN_SUPERVISION_S, MAX_SUPERVISION_S),
)


def square(west: float, south: float, size: float = 1.0) -> list[list[float]]:
    east, north = west + size, south + size
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def feature(properties: object, *rings: list[list[float]]) -> dict[str, object]:
    geometry = {"type": "Polygon", "coordinates": list(rings)}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: object, **more: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features, **more})
