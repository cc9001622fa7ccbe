"""The registry of devices: one object over one database."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Self, TextIO, Unpack

from sqlalchemy import Connection, select, update

from gateway.registry import area_rows, changes, devices
from gateway.registry.area_index import AreaShape
from gateway.registry.boundaries import AreaProperties, AreaReport, read_boundaries
from gateway.registry.cached import CachedDirectory
from gateway.registry.changes import Change, NewChange
from gateway.registry.credentials import Credentials
from gateway.registry.database import Database, check_schema
from gateway.registry.devices import Filter, Login
from gateway.registry.errors import (
    BadFieldError,
    BoundariesError,
    DeviceExistsError,
    LastKeyError,
    SchemaTooOldError,
    UnknownDeviceError,
    UnknownGenerationError,
)
from gateway.registry.fields import Profile, ProfileFields, check_device_id, check_profile
from gateway.registry.issuing import Issuer, NewDevice
from gateway.registry.model import Area, Device, DeviceStatus
from gateway.registry.schema import STATE, VERSIONS
from gateway.registry.table import RowProblem, TableRow, read_table, write_table
from gateway.registry.vault import Vault

__all__ = ["CachedDirectory", "ImportReport", "Page", "Registry"]

MAX_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a listing; `next` goes into `after` for the following one, None at the end."""

    devices: tuple[Device, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a CSV file did: new devices' credentials, ids of updated ones, refused rows."""

    added: tuple[Credentials, ...]
    updated: tuple[str, ...]
    refused: tuple[RowProblem, ...]


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000


class Registry:
    """Devices, their keys and the areas; every change raises the revision and is logged.

    Synchronous, and safe to use from several threads. `by` names who makes a change. Any call
    may raise RegistryLockedError, RegistryFullError or RegistryUnavailableError.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        now_ms: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._vault = vault
        self._now_ms = now_ms
        self._issuer = Issuer(vault, random_bytes)

    @classmethod
    def open(
        cls,
        url: str,
        deployment_key: bytes,
        *,
        now_ms: Callable[[], int] = _unix_ms,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> Self:
        """Open a migrated registry; the first to open it binds it to its deployment key.

        Raises SchemaTooOldError, SchemaTooNewError, WrongDeploymentKeyError,
        BadDeploymentKeyError.
        """
        vault = Vault(deployment_key, random_bytes)
        database = Database(url)
        if database.file is not None and not database.file.exists():
            raise SchemaTooOldError(None, VERSIONS[-1])
        registry = cls(database, vault, now_ms, random_bytes)
        try:
            registry._check()
        except BaseException:
            database.close()
            raise
        return registry

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def revision(self) -> int:
        """Return a number that rises with every change."""
        with self._database.read() as connection:
            return changes.current_revision(connection)

    def device(self, device_id: str) -> Device | None:
        """Return a device with its readable keys, or None."""
        with self._database.read() as connection:
            return devices.find(connection, self._vault, device_id)

    def show(self, device_id: str) -> Device:
        """Return a device with its readable keys; raises UnknownDeviceError."""
        device = self.device(device_id)
        if device is None:
            raise UnknownDeviceError(device_id)
        return device

    def page(
        self, *, wanted: Filter | None = None, after: str | None = None, limit: int = 100
    ) -> Page:
        """Return devices by id; at most 1,000 at once."""
        size = max(1, min(limit, MAX_PAGE))
        with self._database.read() as connection:
            found = devices.page(connection, self._vault, wanted or Filter(), after or "", size + 1)
        return Page(tuple(found[:size]), found[size - 1].id if len(found) > size else None)

    def count(self) -> Mapping[DeviceStatus, int]:
        """Return how many devices have each status."""
        with self._database.read() as connection:
            return devices.count(connection)

    def logins(self) -> Iterator[Login]:
        """Give the broker's logins, by device id: all devices that aren't revoked."""
        with self._database.read() as connection:
            yield from devices.logins(connection)

    def changes(
        self, after: int = 0, *, limit: int = 100, device_id: str | None = None
    ) -> Sequence[Change]:
        """Return what changed after a revision, oldest first."""
        with self._database.read() as connection:
            return changes.read(connection, after, limit, device_id)

    def add(
        self,
        device_id: str,
        profile: Profile | None = None,
        *,
        by: str,
        status: DeviceStatus = DeviceStatus.ACTIVE,
    ) -> Credentials:
        """Register a device; its credentials are readable only here.

        Raises BadDeviceIdError, BadFieldError, DeviceExistsError.
        """
        check_device_id(device_id)
        checked = check_profile(profile or Profile())
        with self._database.write() as connection:
            if devices.existing(connection, [device_id]):
                raise DeviceExistsError(device_id)
            (credentials,) = self._add(connection, [NewDevice(device_id, checked, status)], by)
        return credentials

    def import_csv(
        self, data: str | bytes, *, by: str, update_existing: bool = False
    ) -> ImportReport:
        """Register the devices of a CSV file; its good rows go in together, bad ones are named.

        A device that is registered already is refused, or updated if asked for. Raises TableError.
        """
        table = read_table(data)
        with self._database.write() as connection:
            known = devices.existing(connection, [row.device_id for row in table.rows])
            new = [row for row in table.rows if row.device_id not in known]
            old = [row for row in table.rows if row.device_id in known]
            added = self._add(connection, [_new(row) for row in new], by)
            if update_existing:
                problems = [p for row in old if (p := self._apply(connection, row, by))]
            else:
                problems = [_exists(row) for row in old]
        refused = sorted((*table.problems, *problems), key=lambda problem: problem.line)
        untouched = {problem.line for problem in problems}
        updated = tuple(row.device_id for row in old if row.line not in untouched)
        return ImportReport(tuple(added), updated, tuple(refused))

    def export_csv(self, out: TextIO) -> None:
        """Write all devices as CSV; no keys, no passwords."""
        write_table(self._all(), out)

    def update(self, device_id: str, *, by: str, **fields: Unpack[ProfileFields]) -> Device:
        """Set some fields of a device; raises UnknownDeviceError, BadFieldError."""
        with self._changing(device_id) as (connection, device):
            self._set_fields(connection, device, fields, by)
        return self.show(device_id)

    def revoke(self, device_id: str, *, by: str, reason: str = "") -> Device:
        """Believe nothing more from a device; raises UnknownDeviceError."""
        return self._change_status(device_id, DeviceStatus.REVOKED, by, reason)

    def suspend(self, device_id: str, *, by: str, reason: str = "") -> Device:
        """Stop supervising a device; its alarms still count. Raises UnknownDeviceError."""
        return self._change_status(device_id, DeviceStatus.SUSPENDED, by, reason)

    def activate(self, device_id: str, *, by: str, reason: str = "") -> Device:
        """Undo `suspend` or `revoke`; raises UnknownDeviceError."""
        return self._change_status(device_id, DeviceStatus.ACTIVE, by, reason)

    def rotate_key(self, device_id: str, *, by: str, new_password: bool = False) -> Credentials:
        """Give a device its next key; the old ones stay valid until they are retired.

        A new password, unlike a new key, shuts the device out until it has it. Raises
        UnknownDeviceError.
        """
        with self._changing(device_id) as (connection, device):
            generation = max(devices.generations(connection, device_id), default=0) + 1
            made = self._issuer.rotate(device, generation, new_password=new_password)
            at_ms = self._now_ms()
            devices.add_key(connection, device_id, generation, made.sealed_key, at_ms)
            if made.password_hash is not None:
                devices.set_password(connection, device_id, made.password_hash)
            details = {"generation": generation, "new_password": new_password}
            self._log(connection, by, "rotate_key", device_id, details)
        return made.credentials

    def retire_key(self, device_id: str, generation: int, *, by: str) -> Device:
        """Refuse a key generation from now on.

        Raises UnknownDeviceError, UnknownGenerationError, LastKeyError.
        """
        with self._changing(device_id) as (connection, device):
            known = devices.generations(connection, device_id)
            if generation not in known:
                raise UnknownGenerationError(device_id, generation, known)
            valid = {number for number, retired in known.items() if not retired}
            if valid == {generation} and device.status is not DeviceStatus.REVOKED:
                raise LastKeyError(device_id, generation)
            if generation in valid:
                devices.retire_key(connection, device_id, generation)
                details = {"generation": generation}
                self._log(connection, by, "retire_key", device_id, details)
        return self.show(device_id)

    def import_areas(
        self, geojson: str | bytes, *, by: str, properties: AreaProperties | None = None
    ) -> AreaReport:
        """Put the areas of a file in the place of all that were there.

        Raises BoundariesError, and changes nothing, where no feature can be used.
        """
        shapes, report = read_boundaries(geojson, properties)
        if not shapes:
            first = f"feature 1: {report.refused[0].message}" if report.refused else "no features"
            raise BoundariesError(first)
        with self._database.write() as connection:
            area_rows.replace_all(connection, shapes)
            self._log(connection, by, "import_areas", None, {"areas": len(shapes)})
        return report

    def areas(self) -> tuple[Area, ...]:
        """Return all areas by code."""
        with self._database.read() as connection:
            return area_rows.names(connection)

    def area_shapes(self) -> tuple[AreaShape, ...]:
        """Return all areas with their boundaries, by code."""
        with self._database.read() as connection:
            return area_rows.shapes(connection)

    def _all(self) -> Iterator[Device]:
        after: str | None = None
        while True:
            page = self.page(after=after, limit=MAX_PAGE)
            yield from page.devices
            if page.next is None:
                return
            after = page.next

    def _apply(self, connection: Connection, row: TableRow, by: str) -> RowProblem | None:
        device = devices.find(connection, self._vault, row.device_id)
        if device is None:
            return _exists(row)
        try:
            self._set_fields(connection, device, row.fields, by)
        except BadFieldError as error:
            return RowProblem(row.line, error.field, str(error))
        if row.status is not None:
            self._set_status(connection, device, row.status, by, "import")
        return None

    def _set_fields(
        self, connection: Connection, device: Device, fields: ProfileFields, by: str
    ) -> None:
        before = devices.profile_of(device)
        after = check_profile(replace(before, **fields))
        if after != before:
            devices.set_profile(connection, device.id, after)
            self._log(connection, by, "update", device.id, _difference(before, after))

    def _check(self) -> None:
        with self._database.read() as connection:
            check_schema(connection)
            check_value = connection.scalar(select(STATE.c.key_check))
        if check_value is None:
            check_value = self._bind()
        self._vault.verify(check_value)

    def _bind(self) -> bytes:
        with self._database.write() as connection:
            connection.execute(
                update(STATE)
                .where(STATE.c.key_check.is_(None))
                .values(key_check=self._vault.check_value())
            )
            # Another process may have been first.
            check_value: bytes = connection.execute(select(STATE.c.key_check)).scalar_one()
        return check_value

    @contextmanager
    def _changing(self, device_id: str) -> Iterator[tuple[Connection, Device]]:
        with self._database.write() as connection:
            device = devices.find(connection, self._vault, device_id)
            if device is None:
                raise UnknownDeviceError(device_id)
            yield connection, device

    def _change_status(self, device_id: str, status: DeviceStatus, by: str, reason: str) -> Device:
        with self._changing(device_id) as (connection, device):
            self._set_status(connection, device, status, by, reason)
        return replace(device, status=status)

    def _set_status(
        self, connection: Connection, device: Device, status: DeviceStatus, by: str, reason: str
    ) -> None:
        if device.status is not status:
            devices.set_status(connection, device.id, status)
            details = {"from": device.status.value, "to": status.value, "reason": reason}
            self._log(connection, by, "status", device.id, details)

    def _add(self, connection: Connection, new: Sequence[NewDevice], by: str) -> list[Credentials]:
        issued = [self._issuer.first(device) for device in new]
        at_ms = self._now_ms()
        devices.add(connection, [row for _, row in issued], at_ms)
        log = [
            NewChange("add", row.device_id, {"kind": row.profile.kind, "status": row.status})
            for _, row in issued
        ]
        changes.record(connection, by, at_ms, log)
        return [credentials for credentials, _ in issued]

    def _log(
        self,
        connection: Connection,
        by: str,
        action: str,
        device_id: str | None,
        details: Mapping[str, object],
    ) -> None:
        change = NewChange(action, device_id, details)
        changes.record(connection, by, self._now_ms(), [change])


def _difference(before: Profile, after: Profile) -> dict[str, object]:
    """Return the changed fields; of a person only that something changed."""
    old, new = asdict(before), asdict(after)
    return {
        name: "changed" if name == "owner" else {"from": old[name], "to": new[name]}
        for name in old
        if old[name] != new[name]
    }


def _new(row: TableRow) -> NewDevice:
    profile = check_profile(Profile(**row.fields))
    return NewDevice(row.device_id, profile, row.status or DeviceStatus.ACTIVE)


def _exists(row: TableRow) -> RowProblem:
    return RowProblem(row.line, "id", f"{row.device_id} is registered already")
