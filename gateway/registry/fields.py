"""What a person may set on a device, and the limits of each field."""

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TypedDict
from urllib.parse import urlsplit

from gateway.registry.errors import BadDeviceIdError, BadFieldError
from gateway.registry.model import Category, DeviceKind, Owner, Point

# protocol.md §4, supervision: street buttons hang on the mains, handheld ones on a battery.
DEFAULT_SUPERVISION_S = {DeviceKind.STREET: 15 * 60, DeviceKind.HANDHELD: 6 * 60 * 60}
MIN_SUPERVISION_S = 10
MAX_SUPERVISION_S = 7 * 24 * 60 * 60
MAX_TEXT = 200
MAX_URL = 500

_DEVICE_ID = re.compile(r"[A-Z0-9][A-Z0-9-]{2,23}")  # protocol.md §1
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{1,30}")
_CAMERA_SCHEMES = ("http", "https", "rtsp", "rtsps")
_DEGREE_DIGITS = 7  # the wire's resolution


@dataclass(frozen=True, slots=True)
class Profile:
    """A device without what the registry gives it: keys, password and status.

    A supervision interval of None stands for the usual one of the kind.
    """

    kind: DeviceKind = DeviceKind.HANDHELD
    label: str = ""
    address: str = ""
    category: Category = Category.CITY_ALARM
    installed: Point | None = None
    owner: Owner | None = None
    camera_url: str | None = None
    supervision_interval_s: int | None = None


class ProfileFields(TypedDict, total=False):
    """The fields of a profile, as keyword arguments."""

    kind: DeviceKind
    label: str
    address: str
    category: Category
    installed: Point | None
    owner: Owner | None
    camera_url: str | None
    supervision_interval_s: int | None


def check_device_id(device_id: str) -> str:
    """Return the id; raises BadDeviceIdError."""
    if not _DEVICE_ID.fullmatch(device_id):
        raise BadDeviceIdError(device_id)
    return device_id


def check_profile(profile: Profile) -> Profile:
    """Return the profile in its stored form; raises BadFieldError."""
    return replace(
        profile,
        label=_text("label", profile.label),
        address=_text("address", profile.address),
        installed=_point(profile.installed),
        owner=_owner(profile.owner),
        camera_url=_camera(profile.camera_url),
        supervision_interval_s=_supervision(profile.supervision_interval_s, profile.kind),
    )


def _text(field: str, value: str) -> str:
    text = unicodedata.normalize("NFC", value).strip()
    if len(text) > MAX_TEXT:
        raise BadFieldError(field, f"{text[:20]}...", f"at most {MAX_TEXT} characters")
    # Control, format, surrogate, private use, unassigned, line and paragraph separators.
    if any(unicodedata.category(char)[0] == "C" or char in "\u2028\u2029" for char in text):
        raise BadFieldError(field, value, "one line of printable text")
    return text


def _point(point: Point | None) -> Point | None:
    if point is None:
        return None
    return Point(_degrees("lat", point.lat, 90), _degrees("lon", point.lon, 180))


def _degrees(field: str, value: float, limit: int) -> float:
    if not math.isfinite(value) or abs(value) > limit:
        raise BadFieldError(field, value, f"degrees from -{limit} to {limit}")
    return round(value, _DEGREE_DIGITS) + 0.0  # no negative zero


def _owner(owner: Owner | None) -> Owner | None:
    if owner is None:
        return None
    name, phone = _text("owner_name", owner.name), _text("owner_phone", owner.phone)
    if phone and not _PHONE.fullmatch(phone):
        allowed = "digits, spaces and ( ) . / -, with a + before the country code"
        raise BadFieldError("owner_phone", phone, allowed)
    return Owner(name, phone) if name or phone else None


def _camera(url: str | None) -> str | None:
    if url is None or not url.strip():
        return None
    text = url.strip()
    allowed = f"an address like https://camera.example/snapshot, at most {MAX_URL} characters"
    if len(text) > MAX_URL or not text.isprintable() or " " in text:
        raise BadFieldError("camera_url", f"{text[:20]}...", allowed)
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise BadFieldError("camera_url", text, allowed) from None
    if parts.scheme not in _CAMERA_SCHEMES or not host:
        raise BadFieldError("camera_url", text, allowed)
    if parts.username is not None:
        # The address travels with every alarm; a password in it would, too.
        hidden = f"{parts.scheme}://...@{host}"
        raise BadFieldError("camera_url", hidden, "leave user name and password out of it")
    return text


def _supervision(seconds: int | None, kind: DeviceKind) -> int:
    if seconds is None:
        return DEFAULT_SUPERVISION_S[kind]
    if not MIN_SUPERVISION_S <= seconds <= MAX_SUPERVISION_S:
        allowed = f"{MIN_SUPERVISION_S} to {MAX_SUPERVISION_S} seconds"
        raise BadFieldError("supervision_interval_s", seconds, allowed)
    return seconds
