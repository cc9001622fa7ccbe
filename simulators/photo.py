"""A photo as an officer's telephone would send it, drawn instead of taken."""

from io import BytesIO
from random import Random
from typing import Final, Literal

from PIL import ExifTags, Image, ImageDraw

from simulators.geodesy import Spot

SIZE: Final = (640, 480)


def photo(chance: Random, caption: str, spot: Spot) -> tuple[bytes, Literal["image/jpeg"]]:
    """Return a small JPEG with the place in its EXIF data, and its media type."""
    return _encoded(_drawing(chance, caption), "JPEG", spot), "image/jpeg"


def picture(chance: Random, caption: str) -> tuple[bytes, Literal["image/png"]]:
    """Return a small PNG without a place, and its media type."""
    return _encoded(_drawing(chance, caption), "PNG", None), "image/png"


def _drawing(chance: Random, caption: str) -> Image.Image:
    image = Image.new("RGB", SIZE, (150, 190, 220))
    draw = ImageDraw.Draw(image)
    ground = chance.randint(280, 340)
    draw.rectangle((0, ground, *SIZE), fill=(110, 105, 100))
    for _ in range(chance.randint(3, 7)):
        left = chance.randint(0, SIZE[0] - 60)
        wide, high = chance.randint(40, 160), chance.randint(40, 200)
        shade = chance.randint(90, 220)
        draw.rectangle((left, ground - high, left + wide, ground), fill=(shade, shade - 20, 80))
    draw.text((12, SIZE[1] - 24), caption, fill=(255, 255, 255))
    return image


def _encoded(image: Image.Image, form: Literal["JPEG", "PNG"], spot: Spot | None) -> bytes:
    exif = Image.Exif()
    if spot is not None:
        tags = ExifTags.GPS
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(
            {
                tags.GPSLatitudeRef: "N" if spot.lat >= 0 else "S",
                tags.GPSLatitude: _sexagesimal(spot.lat),
                tags.GPSLongitudeRef: "E" if spot.lon >= 0 else "W",
                tags.GPSLongitude: _sexagesimal(spot.lon),
            }
        )
    out = BytesIO()
    image.save(out, form, exif=exif)
    return out.getvalue()


def _sexagesimal(angle: float) -> tuple[float, float, float]:
    minutes, seconds = divmod(abs(angle) * 3600, 60)
    degrees, minutes = divmod(minutes, 60)
    return degrees, minutes, round(seconds, 3)
