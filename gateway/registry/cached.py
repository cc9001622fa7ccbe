"""The registry as the bridge sees it: look-ups from memory, kept true by the revision."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Protocol

from gateway.registry.area_index import AreaIndex, AreaShape
from gateway.registry.changes import Change
from gateway.registry.directory import Directory
from gateway.registry.model import Area, Device, Point

DEFAULT_CAPACITY = 100_000
_MOST_CHANGES = 10_000  # past this, forgetting everything is cheaper than reading the log


class Source(Protocol):
    """What is cached."""

    def revision(self) -> int:
        """Return the revision of the last change."""

    def device(self, device_id: str) -> Device | None:
        """Return a device."""

    def changes(
        self, after: int = 0, *, limit: int = 100, device_id: str | None = None
    ) -> Sequence[Change]:
        """Return what changed after a revision, oldest first."""

    def area_shapes(self) -> Sequence[AreaShape]:
        """Return all areas with their boundaries."""


class CachedDirectory(Directory):
    """Devices that were asked for lately, unknown ones too, and the index of areas.

    Nothing is loaded before it is asked for. What `refresh` has not seen yet is not seen here
    either: call it about once a second; without a change it costs one short query. Safe to use
    from several threads.
    """

    def __init__(self, source: Source, *, capacity: int = DEFAULT_CAPACITY) -> None:
        self._source = source
        self._capacity = capacity
        self._devices: OrderedDict[str, Device | None] = OrderedDict()
        self._areas: AreaIndex | None = None
        self._lock = Lock()
        self._revision = source.revision()

    def device(self, device_id: str) -> Device | None:
        """Return the device of this id, revoked ones included; raises RegistryError on a miss."""
        with self._lock:
            if device_id in self._devices:
                self._devices.move_to_end(device_id)
                return self._devices[device_id]
            revision = self._revision
        found = self._source.device(device_id)
        with self._lock:
            # A refresh in between may have been about this very device.
            if revision == self._revision:
                self._devices[device_id] = found
                if len(self._devices) > self._capacity:
                    self._devices.popitem(last=False)
        return found

    def area(self, at: Point) -> Area | None:
        """Return the area that a place lies in; the lowest code on a border."""
        areas = self._areas
        if areas is None:
            areas = self._areas = AreaIndex(self._source.area_shapes())
        return areas.at(at)

    def refresh(self) -> bool:
        """Forget what has changed since; tell whether anything had. Raises RegistryError."""
        revision = self._source.revision()
        if revision == self._revision:
            return False
        changed = self._changed(revision)
        with self._lock:
            if changed is None:
                self._devices.clear()
            else:
                for change in changed:
                    if change.device_id is not None:
                        self._devices.pop(change.device_id, None)
            if changed is None or any(change.device_id is None for change in changed):
                self._areas = None
            self._revision = revision
        return True

    def _changed(self, revision: int) -> Sequence[Change] | None:
        # A lower revision is another database: one restored from a backup.
        if not 0 < revision - self._revision <= _MOST_CHANGES:
            return None
        changed = self._source.changes(self._revision, limit=_MOST_CHANGES)
        return [change for change in changed if change.revision <= revision]
