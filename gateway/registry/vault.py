"""Device keys at rest: AES-256-GCM under the deployment key."""

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.registry.errors import (
    BadDeploymentKeyError,
    DamagedKeyError,
    WrongDeploymentKeyError,
)

KEY_BYTES = 32
_NONCE_BYTES = 12
_CHECK_TEXT = b"siaga registry"
_CHECK_NAME = b"check"


class Vault:
    """Seals keys so that one can't be read without the deployment key, nor swapped for another.

    A sealed key is nonce (12 bytes), ciphertext and tag (16); the associated data is the key id
    `{device}#{generation}`.
    """

    def __init__(self, deployment_key: bytes, random_bytes: Callable[[int], bytes]) -> None:
        if len(deployment_key) != KEY_BYTES:
            raise BadDeploymentKeyError(len(deployment_key))
        self._cipher = AESGCM(deployment_key)
        self._random_bytes = random_bytes

    def seal(self, device_id: str, generation: int, secret: bytes) -> bytes:
        """Return what may be stored."""
        return self._seal(_name(device_id, generation), secret)

    def unseal(self, device_id: str, generation: int, sealed: bytes) -> bytes:
        """Return the key; raises DamagedKeyError."""
        try:
            return self._unseal(_name(device_id, generation), sealed)
        except InvalidTag:
            raise DamagedKeyError(device_id, generation) from None

    def check_value(self) -> bytes:
        """Return a value by which `verify` recognises this deployment key."""
        return self._seal(_CHECK_NAME, _CHECK_TEXT)

    def verify(self, check_value: bytes) -> None:
        """Raise WrongDeploymentKeyError if another deployment key made this check value."""
        try:
            self._unseal(_CHECK_NAME, check_value)
        except InvalidTag:
            raise WrongDeploymentKeyError from None

    def _seal(self, name: bytes, secret: bytes) -> bytes:
        nonce = self._random_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, name)

    def _unseal(self, name: bytes, sealed: bytes) -> bytes:
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name)


def _name(device_id: str, generation: int) -> bytes:
    return f"{device_id}#{generation}".encode()
