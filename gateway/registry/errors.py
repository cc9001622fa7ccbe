"""What can go wrong with the registry; every message says what to do next."""

from collections.abc import Collection


class RegistryError(Exception):
    """Something a person can put right: a wrong name, a wrong file, a full disk."""


class BadDeviceIdError(RegistryError):
    """A device id outside protocol.md §1."""

    def __init__(self, device_id: str) -> None:
        super().__init__(
            f"{device_id!r} is no device id: use 3 to 24 of A-Z, 0-9 and '-', "
            "beginning with a letter or digit, e.g. TRK-000123"
        )
        self.device_id = device_id


class BadFieldError(RegistryError):
    """A value that a device can't have."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field} can't be {value!r}: {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed


class UnknownDeviceError(RegistryError):
    """No device of this id is registered."""

    def __init__(self, device_id: str) -> None:
        super().__init__(f"no device {device_id!r}: see `siaga device list`")
        self.device_id = device_id


class DeviceExistsError(RegistryError):
    """A device of this id is registered already."""

    def __init__(self, device_id: str) -> None:
        super().__init__(
            f"device {device_id} is registered already: choose another id, "
            "or give it a new key with `siaga device rotate-key`"
        )
        self.device_id = device_id


class UnknownGenerationError(RegistryError):
    """The device has no such key generation."""

    def __init__(self, device_id: str, generation: int, known: Collection[int]) -> None:
        have = ", ".join(str(number) for number in sorted(known))
        super().__init__(f"device {device_id} has no key generation {generation}: it has {have}")
        self.device_id = device_id
        self.generation = generation
        self.known = frozenset(known)


class LastKeyError(RegistryError):
    """Retiring this key would leave an unrevoked device without any."""

    def __init__(self, device_id: str, generation: int) -> None:
        super().__init__(
            f"generation {generation} is the only valid key of {device_id}: "
            "rotate first, or revoke the device"
        )
        self.device_id = device_id
        self.generation = generation


class WrongDeploymentKeyError(RegistryError):
    """The deployment key isn't the one that this registry was made with."""

    def __init__(self) -> None:
        super().__init__(
            "the deployment key doesn't fit this registry: use the key file that was made "
            "together with it, or restore both from one backup"
        )


class BadDeploymentKeyError(RegistryError):
    """The deployment key has the wrong length."""

    def __init__(self, length: int) -> None:
        super().__init__(f"a deployment key has 32 bytes, this one {length}: restore the key file")
        self.length = length


class DamagedKeyError(RegistryError):
    """A stored device key fails authentication although the deployment key fits."""

    def __init__(self, device_id: str, generation: int) -> None:
        super().__init__(
            f"the stored key {device_id}#{generation} is damaged or was moved from another "
            "device: restore the registry from a backup, or rotate the device's key"
        )
        self.device_id = device_id
        self.generation = generation


class SchemaTooOldError(RegistryError):
    """The database has no tables yet, or those of an earlier version."""

    def __init__(self, found: str | None, wanted: str) -> None:
        what = f"is at schema {found}" if found else "has no registry yet"
        super().__init__(f"the database {what}, this version needs {wanted}: run `siaga migrate`")
        self.found = found
        self.wanted = wanted


class SchemaTooNewError(RegistryError):
    """A later version of Siaga has written the database."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(
            f"the database is at schema {found}, this version knows up to {wanted}: "
            "run a Siaga at least as new as the one that wrote it"
        )
        self.found = found
        self.wanted = wanted


class RegistryLockedError(RegistryError):
    """Another process holds the database for longer than we wait."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} is locked by another process: try again when it is done")
        self.where = where


class RegistryFullError(RegistryError):
    """No room left to write; nothing was changed."""

    def __init__(self, where: str) -> None:
        super().__init__(f"no room left to write {where}: free disk space, nothing was changed")
        self.where = where


class RegistryUnavailableError(RegistryError):
    """The database can't be opened, read or written."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"can't use {where}: {reason}")
        self.where = where
        self.reason = reason


class BoundariesError(RegistryError):
    """A file of boundaries from which nothing can be read."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no boundaries in this file: {reason}")
        self.reason = reason


class TableError(RegistryError):
    """A CSV file from which no row can be read."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no devices in this file: {reason}")
        self.reason = reason
