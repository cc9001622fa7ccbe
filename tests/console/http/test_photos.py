"""Photos over HTTP: what is taken, what is kept, and how it is shown."""

import errno
import io
import os
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import ExifTags, Image, ImageFile

from console_api.accounts.roles import Role
from console_api.photos import NotAPhotoError, PhotoFolder, examine
from tests.console.http.helpers import Api, Json, Site, alarm


def picture(kind: str = "JPEG", *, located: bool = False) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    if located:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[ExifTags.GPS.GPSLatitudeRef] = "S"
        gps[ExifTags.GPS.GPSLatitude] = (3.0, 18.0, 4.32)
        gps[ExifTags.GPS.GPSLongitudeRef] = "E"
        gps[ExifTags.GPS.GPSLongitude] = (117.0, 35.0, 20.4)
        taken = exif.get_ifd(ExifTags.IFD.Exif)
        taken[ExifTags.Base.DateTimeOriginal] = "2026:11:24 10:00:00"
        taken[ExifTags.Base.OffsetTimeOriginal] = "+08:00"
    Image.new("RGB", (40, 30), "red").save(out, kind, exif=exif)
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 30,000 pixels square."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 90_001))


def send(api: Api, case: Json, content: bytes, media_type: str = "image/jpeg") -> Json:
    answer = api.ask(
        Role.OPERATOR,
        "POST",
        f"/v1/cases/{case['id']}/photos?note=depan",
        content=content,
        headers={"content-type": media_type},
    )
    found: Json = answer.json() | {"status_code": answer.status_code}
    return found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_comes_back_as_it_was_sent(api: Api, kind: str) -> None:
    content = picture(kind)
    sent = send(api, api.case_of(alarm()), content, f"image/{kind.lower()}")
    shown = api.ask(Role.AUDITOR, "GET", f"/v1/photos/{sent['id']}")
    assert (sent["status_code"], shown.content) == (201, content)
    assert shown.headers["content-type"] == f"image/{kind.lower()}"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert shown.headers["x-content-type-options"] == "nosniff"


def test_place_and_time_of_a_photo_are_shown(api: Api) -> None:
    sent = send(api, api.case_of(alarm()), picture(located=True))
    assert (sent["lat"], sent["lon"]) == (-3.3012, 117.589)
    assert sent["taken_at"] == "2026-11-24T02:00:00Z"
    assert sent["note"] == "depan"


def test_the_content_decides_what_a_photo_is(api: Api) -> None:
    sent = send(api, api.case_of(alarm()), picture("PNG"), "image/jpeg")
    assert sent["media_type"] == "image/png"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><script>alert(1)</script></html>",
        picture()[:-200],
        picture("PNG")[:60],
        bomb(),
        b"GIF89a" + b"\0" * 40,
    ],
    ids=["nothing", "page", "cut jpeg", "cut png", "bomb", "gif"],
)
def test_what_is_no_whole_photo_is_refused(api: Api, content: bytes) -> None:
    assert send(api, api.case_of(alarm()), content)["status_code"] == 422


def test_the_same_photo_twice_is_one(api: Api) -> None:
    case = api.case_of(alarm())
    first, again = (send(api, case, picture()) for _ in range(2))
    assert first == again
    assert len(api.ask(Role.OPERATOR, "GET", f"/v1/cases/{case['id']}").json()["photos"]) == 1


def test_a_photo_is_kept_under_its_hash_and_nothing_else_is_left(api: Api, site: Site) -> None:
    sent = send(api, api.case_of(alarm()), picture())
    files = [path for path in Path(site.settings.photos_dir).rglob("*") if path.is_file()]
    assert [path.name for path in files] == [f"{sent['sha256']}.jpg"]


def test_a_photo_that_is_known_need_not_be_sent_again(api: Api) -> None:
    sent = send(api, api.case_of(alarm()), picture())
    headers = {"if-none-match": f'"{sent["sha256"]}"'}
    answer = api.ask(Role.OPERATOR, "GET", f"/v1/photos/{sent['id']}", headers=headers)
    assert (answer.status_code, answer.content) == (304, b"")


def test_nonsense_in_the_metadata_does_no_harm(api: Api) -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef] = "N"
    gps[ExifTags.GPS.GPSLatitude] = (Fraction(4000, 1), Fraction(1, 1), Fraction(0, 1))
    Image.new("RGB", (4, 3)).save(out, "JPEG", exif=exif)
    sent = send(api, api.case_of(alarm()), out.getvalue())
    assert (sent["status_code"], sent["lat"]) == (201, None)


def test_looking_at_a_photo_is_on_record(api: Api) -> None:
    case = api.case_of(alarm())
    sent = send(api, case, picture())
    api.ask(Role.AUDITOR, "GET", f"/v1/photos/{sent['id']}")
    entry = api.ask(Role.AUDITOR, "GET", f"/v1/audit?case={case['id']}").json()["entries"][0]
    assert (entry["actor"], entry["action"]) == ("auditor", "show_photo")
    assert entry["detail"] == {"photo": sent["id"]}


def test_a_full_disk_is_a_503_and_leaves_no_row(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        assert descriptor >= 0
        raise OSError(errno.ENOSPC, "No space left on device")

    case = api.case_of(alarm())
    with monkeypatch.context() as patch:
        patch.setattr("console_api.photos.os.fsync", full)
        assert send(api, case, picture())["status_code"] == 503
    assert api.ask(Role.OPERATOR, "GET", f"/v1/cases/{case['id']}").json()["photos"] == []
    assert send(api, case, picture())["status_code"] == 201


def test_a_photo_over_the_pixels_is_refused_before_it_is_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = picture("PNG")
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("unpacked"))
    with pytest.raises(NotAPhotoError, match="40 x 30 pixels are over 1199"):
        examine(content, 1199)


def test_a_photo_is_on_the_disk_before_it_has_its_name_and_the_name_is_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync = os.fsync

    def noting(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        sync(descriptor)

    monkeypatch.setattr("console_api.photos.os.fsync", noting)
    content = picture()
    photo = examine(content, 10_000)
    PhotoFolder(tmp_path).keep(photo, content)
    file, folder, root = synced
    assert file.startswith(".")
    assert (folder, root) == (photo.sha256[:2], tmp_path.name)
    assert PhotoFolder(tmp_path).read(photo.file) == content
