"""The credentials file: what `siaga device add --json` prints, checked member by member."""

import binascii
import json

from .credentials import Credentials
from .errors import CredentialsError

_CATEGORIES = ("city_alarm", "ambulance", "fire", "rescue", "hearse", "other")
_KINDS = ("street", "handheld")
_KEY_BYTES = 32


def read(path: str) -> Credentials:
    """Read a credentials file. Raises `CredentialsError`."""
    try:
        with open(path, "rb") as file:
            data = json.loads(file.read())
    except OSError as error:
        raise CredentialsError(path, f"cannot be read: {error}") from None
    except ValueError:
        raise CredentialsError(path, "is not JSON; use the output of siaga device add") from None
    fields = _Fields(path, data)
    credentials = Credentials(
        fields.text("device_id"),
        _key(fields),
        fields.number("generation", 1, 1 << 30),
        kind=_kind(fields),
        category=_category(fields),
    )
    mqtt = _Fields(path, fields.data.get("mqtt"))
    credentials.host = mqtt.text("host")
    credentials.port = mqtt.number("port", 1, 65_535)
    credentials.tls = mqtt.data.get("tls") is not False
    credentials.ca_file = mqtt.text("ca_file") if credentials.tls else ""
    credentials.client_id = mqtt.text("client_id")
    credentials.username = mqtt.text("username")
    credentials.password = mqtt.text("password")
    credentials.prefix = mqtt.text("prefix")
    return credentials


class _Fields:
    """A JSON object whose members are asked for by type."""

    def __init__(self, path: str, data: object) -> None:
        if not isinstance(data, dict):
            raise CredentialsError(path, "an object is missing; use the output of siaga device add")
        self.path = path
        self.data: dict[str, object] = data

    def text(self, name: str) -> str:
        value = self.data.get(name)
        if not isinstance(value, str) or not value:
            raise CredentialsError(self.path, f"{name} is missing or no text")
        return value

    def number(self, name: str, low: int, high: int) -> int:
        value = self.data.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise CredentialsError(self.path, f"{name} is missing or not {low} to {high}")
        return value


def _key(fields: _Fields) -> bytes:
    text = fields.text("key").rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key = binascii.a2b_base64((text + "=" * (-len(text) % 4)).encode())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise CredentialsError(fields.path, f"key is not {_KEY_BYTES} bytes in base64url")
    return key


def _kind(fields: _Fields) -> str:
    kind = fields.data.get("kind", "handheld")
    if kind not in _KINDS:
        raise CredentialsError(fields.path, f"kind is not one of {', '.join(_KINDS)}")
    return str(kind)


def _category(fields: _Fields) -> int:
    category = fields.data.get("category", _CATEGORIES[0])
    if category not in _CATEGORIES:
        raise CredentialsError(fields.path, f"category is not one of {', '.join(_CATEGORIES)}")
    return _CATEGORIES.index(str(category))
