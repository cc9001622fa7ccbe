"""Photos: checked by their content, kept by their SHA-256, their place and time read out.

The file is on the disk, under its final name, before any row of the database names it.
"""

import hashlib
import io
import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Final, Literal

from PIL import ExifTags, Image, UnidentifiedImageError

MediaType = Literal["image/jpeg", "image/png", "image/webp"]
FORMATS: Final[Mapping[str, tuple[MediaType, str]]] = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "WEBP": ("image/webp", "webp"),
}


class NotAPhotoError(Exception):
    """The bytes are not a photo that can be kept; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; send a JPEG, PNG or WebP file as the camera made it")


@dataclass(frozen=True, slots=True)
class Photo:
    """What the bytes of a photo say; `taken_at` only where they say its zone, too."""

    sha256: str
    media_type: MediaType
    extension: str
    size: int
    width: int
    height: int
    taken_at: datetime | None
    lat: float | None
    lon: float | None

    @property
    def file(self) -> str:
        """Path below the folder of photos."""
        return f"{self.sha256[:2]}/{self.sha256}.{self.extension}"


def examine(content: bytes, most_pixels: int) -> Photo:
    """Check that the bytes are a whole photo, and read what they carry.

    Raises NotAPhotoError, before anything is unpacked that has over `most_pixels`.
    """
    try:
        with warnings.catch_warnings():
            # Damaged metadata makes Pillow warn; the photo itself is checked below.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=tuple(FORMATS)) as image:
                width, height = image.size
                if width * height > most_pixels:
                    raise NotAPhotoError(f"{width} x {height} pixels are over {most_pixels}")
                media_type, extension = FORMATS[image.format or ""]
                exif = image.getexif()
                image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, KeyError) as error:
        raise NotAPhotoError("the bytes are not a whole photo") from error
    except Image.DecompressionBombError as error:
        raise NotAPhotoError(f"more than {most_pixels} pixels") from error
    gps = _directory(exif, ExifTags.IFD.GPSInfo)
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), 90)
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), 180)
    known = lat is not None and lon is not None
    return Photo(
        sha256=hashlib.sha256(content).hexdigest(),
        media_type=media_type,
        extension=extension,
        size=len(content),
        width=width,
        height=height,
        taken_at=_taken_at(_directory(exif, ExifTags.IFD.Exif)),
        lat=lat if known else None,
        lon=lon if known else None,
    )


class PhotoFolder:
    """Files named by what is in them: the same photo twice is one file."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keep(self, photo: Photo, content: bytes) -> None:
        """Put the file on the disk, whole and under its name, before this returns."""
        path = self._root / photo.file
        if path.is_file() and path.stat().st_size == photo.size:
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        for folder in (path.parent, self._root):
            _sync_folder(folder)

    def read(self, file: str) -> bytes:
        """Return the bytes of a file; raises OSError if it is gone."""
        return (self._root / file).read_bytes()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _directory(exif: Image.Exif, which: ExifTags.IFD) -> Mapping[int, object]:
    try:
        found: dict[int, object] = exif.get_ifd(which)
    except (KeyError, ValueError, TypeError, OSError, SyntaxError):
        return {}
    return found


def _degrees(parts: object, reference: object, most: int) -> float | None:
    """Read degrees, minutes and seconds (Exif 2.32, 4.6.6) with their hemisphere."""
    if not isinstance(parts, tuple) or len(parts) != 3 or reference not in {"N", "S", "E", "W"}:
        return None
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not 0 <= value <= most:
        return None
    return round(-value if reference in {"S", "W"} else value, 7)


def _taken_at(exif: Mapping[int, object]) -> datetime | None:
    moment = exif.get(ExifTags.Base.DateTimeOriginal)
    zone = exif.get(ExifTags.Base.OffsetTimeOriginal)
    if not isinstance(moment, str) or not isinstance(zone, str):
        return None
    try:
        local = datetime.strptime(moment.strip("\0 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
        hours, minutes = zone.strip("\0 ")[1:].split(":")
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        sign = -1 if zone.startswith("-") else 1
        return local.replace(tzinfo=timezone(sign * offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
