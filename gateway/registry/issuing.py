"""New keys and passwords: made, sealed and hashed."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.registry.credentials import Credentials
from gateway.registry.devices import NewRow
from gateway.registry.fields import Profile
from gateway.registry.model import Device, DeviceStatus
from gateway.registry.passwords import SALT_BYTES, hash_password, password_text
from gateway.registry.vault import KEY_BYTES, Vault

_PASSWORD_BYTES = 32


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device about to be registered, its profile checked."""

    device_id: str
    profile: Profile
    status: DeviceStatus


@dataclass(frozen=True, slots=True)
class Rotation:
    """A further key: what the device is given, and what is stored of it."""

    credentials: Credentials
    sealed_key: bytes
    password_hash: str | None


class Issuer:
    """Makes credentials out of random bytes."""

    def __init__(self, vault: Vault, random_bytes: Callable[[int], bytes]) -> None:
        self._vault = vault
        self._random_bytes = random_bytes

    def first(self, new: NewDevice) -> tuple[Credentials, NewRow]:
        """Return a new device's credentials, and the row that holds them sealed and hashed."""
        key, password = self._random_bytes(KEY_BYTES), self._password()
        kind, category = new.profile.kind, new.profile.category
        row = NewRow(
            device_id=new.device_id,
            profile=new.profile,
            status=new.status,
            sealed_key=self._vault.seal(new.device_id, 1, key),
            password_hash=self._hash(password),
        )
        return Credentials(new.device_id, kind, category, 1, key, password), row

    def rotate(self, device: Device, generation: int, *, new_password: bool) -> Rotation:
        """Return a device's next key, and a new password if asked for."""
        key = self._random_bytes(KEY_BYTES)
        password = self._password() if new_password else None
        return Rotation(
            Credentials(device.id, device.kind, device.category, generation, key, password),
            self._vault.seal(device.id, generation, key),
            None if password is None else self._hash(password),
        )

    def _password(self) -> str:
        return password_text(self._random_bytes(_PASSWORD_BYTES))

    def _hash(self, password: str) -> str:
        return hash_password(password, self._random_bytes(SALT_BYTES))
