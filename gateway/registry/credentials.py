"""What a device must be given to speak, shown once."""

import base64
import json
from dataclasses import dataclass, field
from typing import TypedDict

from gateway.registry.model import Category, DeviceKind


@dataclass(frozen=True, slots=True)
class MqttEndpoint:
    """Where devices reach the broker."""

    host: str
    port: int
    tls: bool = True
    ca_file: str | None = None
    prefix: str = "siaga/v1"


class MqttCredentials(TypedDict):
    """How a device connects; the password is null where it was left as it is."""

    host: str
    port: int
    tls: bool
    ca_file: str | None
    client_id: str
    username: str
    password: str | None
    prefix: str


class CredentialsDocument(TypedDict):
    """The JSON that `siaga device add` prints and a button reads."""

    device_id: str
    key: str
    generation: int
    kind: str
    category: str
    mqtt: MqttCredentials


@dataclass(frozen=True, slots=True)
class Credentials:
    """A device's new key, and its MQTT password unless that was left as it is."""

    device_id: str
    kind: DeviceKind
    category: Category
    generation: int
    key: bytes = field(repr=False)
    password: str | None = field(repr=False)

    def document(self, endpoint: MqttEndpoint) -> CredentialsDocument:
        """Return what a button needs to reach this endpoint; the key is unpadded base64url."""
        return {
            "device_id": self.device_id,
            "key": base64.urlsafe_b64encode(self.key).decode().rstrip("="),
            "generation": self.generation,
            "kind": self.kind.value,
            "category": self.category.value,
            "mqtt": {
                "host": endpoint.host,
                "port": endpoint.port,
                "tls": endpoint.tls,
                "ca_file": endpoint.ca_file,
                "client_id": self.device_id,
                "username": self.device_id,
                "password": self.password,
                "prefix": endpoint.prefix,
            },
        }

    def json(self, endpoint: MqttEndpoint) -> str:
        """Return the document as one line of JSON."""
        return json.dumps(self.document(endpoint))
