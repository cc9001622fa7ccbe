"""The bridge's view of the registry."""

from collections.abc import Sequence

import pytest

from gateway.registry.area_index import AreaShape
from gateway.registry.cached import CachedDirectory
from gateway.registry.changes import Change
from gateway.registry.model import Device, DeviceStatus, Point
from gateway.registry.registry import Registry
from tests.gateway.registry.helpers import collection, feature, square


class Counting:
    """A registry that counts how often it is asked for a device."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.asked: list[str] = []

    def revision(self) -> int:
        return self._registry.revision()

    def device(self, device_id: str) -> Device | None:
        self.asked.append(device_id)
        return self._registry.device(device_id)

    def changes(
        self, after: int = 0, *, limit: int = 100, device_id: str | None = None
    ) -> Sequence[Change]:
        return self._registry.changes(after, limit=limit, device_id=device_id)

    def area_shapes(self) -> Sequence[AreaShape]:
        return self._registry.area_shapes()


@pytest.fixture
def source(registry: Registry) -> Counting:
    registry.add("TRK-000001", by="test")
    registry.add("TRK-000002", by="test")
    return Counting(registry)


def test_nothing_is_read_before_it_is_asked_for(source: Counting) -> None:
    CachedDirectory(source)
    assert source.asked == []


def test_a_device_is_read_once_known_or_not(source: Counting) -> None:
    directory = CachedDirectory(source)
    for _ in range(3):
        assert directory.device("TRK-000001") is not None
        assert directory.device("TRK-999999") is None
    assert source.asked == ["TRK-000001", "TRK-999999"]


def test_a_change_is_seen_after_a_refresh(registry: Registry, source: Counting) -> None:
    directory = CachedDirectory(source)
    directory.device("TRK-000001")
    registry.revoke("TRK-000001", by="test")
    assert directory.refresh()
    device = directory.device("TRK-000001")
    assert device is not None
    assert device.status is DeviceStatus.REVOKED


def test_a_new_device_is_seen_although_it_was_asked_for_before(
    registry: Registry, source: Counting
) -> None:
    directory = CachedDirectory(source)
    assert directory.device("TRK-000003") is None
    registry.add("TRK-000003", by="test")
    directory.refresh()
    assert directory.device("TRK-000003") is not None


def test_a_rotated_key_is_seen(registry: Registry, source: Counting) -> None:
    directory = CachedDirectory(source)
    directory.device("TRK-000001")
    given = registry.rotate_key("TRK-000001", by="test")
    directory.refresh()
    device = directory.device("TRK-000001")
    assert device is not None
    assert device.keys[2].secret == given.key


def test_a_change_of_one_device_leaves_the_others_alone(
    registry: Registry, source: Counting
) -> None:
    directory = CachedDirectory(source)
    directory.device("TRK-000001")
    directory.device("TRK-000002")
    registry.revoke("TRK-000001", by="test")
    directory.refresh()
    directory.device("TRK-000002")
    assert source.asked.count("TRK-000002") == 1


def test_without_a_change_a_refresh_does_nothing(source: Counting) -> None:
    directory = CachedDirectory(source)
    assert not directory.refresh()


def test_only_so_many_devices_are_kept_the_latest_first(source: Counting) -> None:
    directory = CachedDirectory(source, capacity=2)
    for device_id in ("TRK-000001", "TRK-000002", "TRK-000001", "TRK-000003", "TRK-000001"):
        directory.device(device_id)
    assert source.asked == ["TRK-000001", "TRK-000002", "TRK-000003"]


def test_more_changes_than_the_log_is_read_for_forget_everything(
    registry: Registry, source: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.registry.cached._MOST_CHANGES", 1)
    directory = CachedDirectory(source)
    directory.device("TRK-000001")
    registry.revoke("TRK-000001", by="test")
    registry.suspend("TRK-000002", by="test")
    assert directory.refresh()
    device = directory.device("TRK-000001")
    assert device is not None
    assert device.status is DeviceStatus.REVOKED


def test_new_areas_are_seen_after_a_refresh(registry: Registry, source: Counting) -> None:
    directory = CachedDirectory(source)
    assert directory.area(Point(0.5, 0.5)) is None
    registry.import_areas(
        collection(feature({"code": "1", "kelurahan": "A", "kecamatan": "B"}, square(0, 0))),
        by="test",
    )
    assert directory.area(Point(0.5, 0.5)) is None
    directory.refresh()
    area = directory.area(Point(0.5, 0.5))
    assert area is not None
    assert area.kelurahan == "A"


@pytest.mark.usefixtures("source")
def test_a_change_while_a_device_is_read_is_not_lost(registry: Registry) -> None:
    class Late(Counting):
        def device(self, device_id: str) -> Device | None:
            read = super().device(device_id)
            if len(self.asked) == 1:
                registry.revoke(device_id, by="test")
                directory.refresh()
            return read

    directory = CachedDirectory(Late(registry))
    directory.device("TRK-000001")
    device = directory.device("TRK-000001")
    assert device is not None
    assert device.status is DeviceStatus.REVOKED
