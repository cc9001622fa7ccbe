from io import BytesIO

import pytest
from PIL import ExifTags, Image

from simulators.chance import seeded
from simulators.geodesy import Spot
from simulators.photo import photo, picture


def test_a_photo_is_a_small_jpeg_that_knows_its_place() -> None:
    data, media_type = photo(seeded(1), "C-1", Spot(3.3005, -117.6))
    image = Image.open(BytesIO(data))
    place = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    degrees, minutes, seconds = place[ExifTags.GPS.GPSLatitude]
    assert (image.format, media_type) == ("JPEG", "image/jpeg")
    assert len(data) < 100_000
    assert place[ExifTags.GPS.GPSLongitudeRef] == "W"
    assert float(degrees + minutes / 60 + seconds / 3600) == pytest.approx(3.3005, abs=1e-6)


def test_a_picture_is_a_png() -> None:
    data, media_type = picture(seeded(1), "C-1")
    assert Image.open(BytesIO(data)).format == "PNG"
    assert media_type == "image/png"


def test_no_two_photos_of_a_city_are_the_same() -> None:
    chance = seeded(1)
    assert picture(chance, "C-1") != picture(chance, "C-1")
