"""The registry of devices on a real SQLite database."""

import base64
import json
import sqlite3
from pathlib import Path

import pytest

from gateway.registry.credentials import MqttEndpoint
from gateway.registry.devices import Filter
from gateway.registry.errors import (
    BadDeploymentKeyError,
    BadDeviceIdError,
    BadFieldError,
    DeviceExistsError,
    LastKeyError,
    RegistryFullError,
    RegistryLockedError,
    RegistryUnavailableError,
    SchemaTooNewError,
    SchemaTooOldError,
    UnknownDeviceError,
    UnknownGenerationError,
    WrongDeploymentKeyError,
)
from gateway.registry.fields import Profile
from gateway.registry.migrate import migrate
from gateway.registry.model import Category, DeviceKind, DeviceStatus, Owner, Point
from gateway.registry.passwords import verify_password
from gateway.registry.registry import Registry
from tests.gateway.registry.helpers import DEPLOYMENT_KEY

PROFILE = Profile(
    kind=DeviceKind.STREET,
    label="Pasar Gusher",
    address="Jl. Gajah Mada 1",
    category=Category.RESCUE,
    installed=Point(3.3274, 117.5913),
    owner=Owner("Ibu Sari", "+62 812 0000 0000"),
    camera_url="https://camera.example/snap",
)


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def test_a_device_is_kept_as_it_was_given(registry: Registry) -> None:
    given = registry.add("TRK-000001", PROFILE, by="test")
    device = registry.show("TRK-000001")
    assert (device.kind, device.label, device.address) == (
        PROFILE.kind,
        PROFILE.label,
        PROFILE.address,
    )
    assert (device.category, device.installed, device.owner) == (
        PROFILE.category,
        PROFILE.installed,
        PROFILE.owner,
    )
    assert device.camera_url == PROFILE.camera_url
    assert device.status is DeviceStatus.ACTIVE
    assert device.keys[1].secret == given.key
    assert len(given.key) == 32


@pytest.mark.parametrize(("kind", "seconds"), [("street", 900), ("handheld", 21600)])
def test_the_usual_supervision_interval_follows_the_kind(
    registry: Registry, kind: str, seconds: int
) -> None:
    registry.add("TRK-000001", Profile(kind=DeviceKind(kind)), by="test")
    assert registry.show("TRK-000001").supervision_interval_s == seconds


def test_credentials_say_all_that_a_button_needs(registry: Registry) -> None:
    given = registry.add("TRK-000001", PROFILE, by="test")
    endpoint = MqttEndpoint("localhost", 8883, ca_file="/etc/siaga/ca.pem")
    document = json.loads(given.json(endpoint))
    assert base64.urlsafe_b64decode(document.pop("key") + "=") == given.key
    assert document["mqtt"].pop("password") == given.password
    assert document == {
        "device_id": "TRK-000001",
        "generation": 1,
        "kind": "street",
        "category": "rescue",
        "mqtt": {
            "host": "localhost",
            "port": 8883,
            "tls": True,
            "ca_file": "/etc/siaga/ca.pem",
            "client_id": "TRK-000001",
            "username": "TRK-000001",
            "prefix": "siaga/v1",
        },
    }


def test_nothing_secret_lies_readable_in_the_database(url: str) -> None:
    registry = Registry.open(url, DEPLOYMENT_KEY)
    given = registry.add("TRK-000001", by="test")
    second = registry.rotate_key("TRK-000001", by="test", new_password=True)
    registry.close()
    stored = _file(url).read_bytes()
    for secret in (given.key, second.key, DEPLOYMENT_KEY):
        assert secret not in stored
    for password in (given.password, second.password):
        assert password is not None
        assert password.encode() not in stored


def test_secrets_do_not_show_in_a_log_line(registry: Registry) -> None:
    given = registry.add("TRK-000001", by="test")
    text = f"{given!r} {registry.show('TRK-000001')!r}"
    assert given.password is not None
    assert given.password not in text
    assert repr(given.key) not in text


def test_a_key_moved_to_another_device_is_not_believed(url: str, registry: Registry) -> None:
    registry.add("TRK-000001", by="test")
    registry.add("TRK-000002", by="test")
    with sqlite3.connect(_file(url)) as database:
        database.execute(
            "UPDATE device_key SET sealed = (SELECT sealed FROM device_key"
            " WHERE device_id = 'TRK-000001') WHERE device_id = 'TRK-000002'"
        )
    database.close()
    assert registry.show("TRK-000002").keys == {}
    assert registry.show("TRK-000001").keys[1].secret


def test_a_device_with_a_damaged_key_can_be_given_a_new_one(url: str, registry: Registry) -> None:
    registry.add("TRK-000001", by="test")
    with sqlite3.connect(_file(url)) as database:
        database.execute("UPDATE device_key SET sealed = zeroblob(60)")
    database.close()
    given = registry.rotate_key("TRK-000001", by="test")
    assert given.generation == 2
    assert list(registry.show("TRK-000001").keys) == [2]


def test_the_password_hash_is_what_the_broker_gets(registry: Registry) -> None:
    given = registry.add("TRK-000001", by="test")
    ((device_id, password_hash),) = registry.logins()
    assert device_id == "TRK-000001"
    assert given.password is not None
    assert verify_password(given.password, password_hash)


def test_an_id_can_be_given_once(registry: Registry) -> None:
    registry.add("TRK-000001", by="test")
    revision = registry.revision()
    with pytest.raises(DeviceExistsError, match="TRK-000001 is registered already"):
        registry.add("TRK-000001", by="test")
    assert registry.revision() == revision


@pytest.mark.parametrize(
    "device_id", ["", "AB", "trk-1", "-AB", "A" * 25, "TRK/1", "TRK-1\n", "ÄÖÜ"]
)
def test_a_bad_id_is_refused_with_what_is_allowed(registry: Registry, device_id: str) -> None:
    with pytest.raises(BadDeviceIdError, match="3 to 24 of A-Z, 0-9 and '-'"):
        registry.add(device_id, by="test")


@pytest.mark.parametrize(
    ("profile", "field"),
    [
        (Profile(installed=Point(90.1, 0)), "lat"),
        (Profile(installed=Point(0, float("nan"))), "lon"),
        (Profile(label="x" * 201), "label"),
        (Profile(address="two\nlines"), "address"),
        (Profile(owner=Owner("Sari", "call me")), "owner_phone"),
        (Profile(camera_url="ftp://camera.example"), "camera_url"),
        (Profile(camera_url="https://user:secret@camera.example/"), "camera_url"),
        (Profile(camera_url="https://[::1"), "camera_url"),
        (Profile(supervision_interval_s=1), "supervision_interval_s"),
    ],
)
def test_a_bad_field_is_named(registry: Registry, profile: Profile, field: str) -> None:
    with pytest.raises(BadFieldError) as caught:
        registry.add("TRK-000001", profile, by="test")
    assert caught.value.field == field
    assert "secret" not in str(caught.value)


def test_fields_can_be_set_one_by_one(registry: Registry) -> None:
    registry.add("TRK-000001", PROFILE, by="test")
    device = registry.update("TRK-000001", by="test", label="Pasar Baru", installed=None)
    assert (device.label, device.installed, device.address) == (
        "Pasar Baru",
        None,
        PROFILE.address,
    )


def test_each_status_is_kept(registry: Registry) -> None:
    registry.add("TRK-000001", by="test")
    for change, status in (
        (registry.suspend, DeviceStatus.SUSPENDED),
        (registry.revoke, DeviceStatus.REVOKED),
        (registry.activate, DeviceStatus.ACTIVE),
    ):
        assert change("TRK-000001", by="test").status is status
        assert registry.show("TRK-000001").status is status


def test_only_unrevoked_devices_may_connect(registry: Registry) -> None:
    for number in range(3):
        registry.add(f"TRK-00000{number}", by="test")
    registry.suspend("TRK-000001", by="test")
    registry.revoke("TRK-000002", by="test")
    assert [login.device_id for login in registry.logins()] == ["TRK-000000", "TRK-000001"]


def test_rotated_keys_overlap_until_the_old_one_is_retired(registry: Registry) -> None:
    first = registry.add("TRK-000001", by="test")
    second = registry.rotate_key("TRK-000001", by="test")
    assert (second.generation, second.password) == (2, None)
    keys = registry.show("TRK-000001").keys
    assert {n: (k.secret, k.retired) for n, k in keys.items()} == {
        1: (first.key, False),
        2: (second.key, False),
    }
    keys = registry.retire_key("TRK-000001", 1, by="test").keys
    assert {n: k.retired for n, k in keys.items()} == {1: True, 2: False}


def test_the_last_key_is_not_retired(registry: Registry) -> None:
    registry.add("TRK-000001", by="test")
    with pytest.raises(LastKeyError, match="only valid key"):
        registry.retire_key("TRK-000001", 1, by="test")


def test_an_unknown_generation_is_named_with_those_there_are(registry: Registry) -> None:
    registry.add("TRK-000001", by="test")
    with pytest.raises(UnknownGenerationError, match="it has 1"):
        registry.retire_key("TRK-000001", 7, by="test")


def test_an_unknown_device_is_named(registry: Registry) -> None:
    assert registry.device("TRK-000009") is None
    for attempt in (registry.show, lambda name: registry.revoke(name, by="test")):
        with pytest.raises(UnknownDeviceError, match="TRK-000009"):
            attempt("TRK-000009")


def test_a_listing_comes_in_pages(registry: Registry) -> None:
    ids = [f"TRK-{number:06}" for number in range(7)]
    for device_id in ids:
        registry.add(device_id, by="test")
    seen: list[str] = []
    after: str | None = None
    while True:
        page = registry.page(after=after, limit=3)
        seen += [device.id for device in page.devices]
        after = page.next
        if after is None:
            break
    assert seen == ids


def test_a_listing_can_be_narrowed(registry: Registry) -> None:
    registry.add("TRK-000001", PROFILE, by="test")
    registry.add("TRK-000002", by="test")
    registry.suspend("TRK-000002", by="test")

    def ids(wanted: Filter) -> list[str]:
        return [device.id for device in registry.page(wanted=wanted).devices]

    assert ids(Filter(kind=DeviceKind.STREET)) == ["TRK-000001"]
    assert ids(Filter(status=DeviceStatus.SUSPENDED)) == ["TRK-000002"]
    assert ids(Filter(text="gusher")) == ["TRK-000001"]
    assert ids(Filter(text="%")) == []


def test_devices_are_counted_by_status(registry: Registry) -> None:
    registry.add("TRK-000001", by="test")
    registry.add("TRK-000002", by="test")
    registry.revoke("TRK-000002", by="test")
    assert dict(registry.count()) == {
        DeviceStatus.ACTIVE: 1,
        DeviceStatus.SUSPENDED: 0,
        DeviceStatus.REVOKED: 1,
    }


def test_every_change_raises_the_revision_by_one_and_is_logged(url: str) -> None:
    registry = Registry.open(url, DEPLOYMENT_KEY, now_ms=lambda: 1_700_000_000_000)
    registry.add("TRK-000001", PROFILE, by="ani")
    registry.update("TRK-000001", by="budi", label="new", owner=None)
    registry.rotate_key("TRK-000001", by="ani")
    registry.retire_key("TRK-000001", 1, by="ani")
    registry.revoke("TRK-000001", by="ani", reason="stolen")
    log = registry.changes()
    registry.close()
    assert [(change.revision, change.who, change.action) for change in log] == [
        (1, "ani", "add"),
        (2, "budi", "update"),
        (3, "ani", "rotate_key"),
        (4, "ani", "retire_key"),
        (5, "ani", "status"),
    ]
    assert {change.at_ms for change in log} == {1_700_000_000_000}
    assert log[1].details == {"label": {"from": "Pasar Gusher", "to": "new"}, "owner": "changed"}
    assert log[4].details == {"from": "active", "to": "revoked", "reason": "stolen"}


def test_what_changes_nothing_is_no_change(registry: Registry) -> None:
    registry.add("TRK-000001", PROFILE, by="test")
    registry.rotate_key("TRK-000001", by="test")
    registry.retire_key("TRK-000001", 1, by="test")
    before = registry.revision()
    registry.activate("TRK-000001", by="test")
    registry.update("TRK-000001", by="test", label=PROFILE.label)
    registry.retire_key("TRK-000001", 1, by="test")
    assert registry.revision() == before


def test_another_deployment_key_is_refused(url: str) -> None:
    Registry.open(url, DEPLOYMENT_KEY).close()
    with pytest.raises(WrongDeploymentKeyError):
        Registry.open(url, b"x" * 32)
    with pytest.raises(BadDeploymentKeyError, match="this one 5"):
        Registry.open(url, b"short")


def test_a_database_without_tables_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(SchemaTooOldError, match="run `siaga migrate`"):
        Registry.open(f"sqlite:///{tmp_path}/none.db", DEPLOYMENT_KEY)
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_a_later_version_is_left_alone(url: str) -> None:
    with sqlite3.connect(_file(url)) as database:
        database.execute("UPDATE registry_version SET version_num = '9999'")
    database.close()
    with pytest.raises(SchemaTooNewError, match="9999"):
        Registry.open(url, DEPLOYMENT_KEY)
    with pytest.raises(SchemaTooNewError):
        migrate(url)


def test_a_locked_database_is_one_clear_line(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.registry.database.BUSY_TIMEOUT_S", 0.05)
    registry = Registry.open(url, DEPLOYMENT_KEY)
    other = sqlite3.connect(_file(url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegistryLockedError, match="locked by another process"):
        registry.add("TRK-000001", by="test")
    assert registry.revision() == 0
    other.execute("ROLLBACK")
    other.close()
    registry.add("TRK-000001", by="test")
    registry.close()


def test_a_full_disk_is_one_clear_line_and_changes_nothing(registry: Registry) -> None:
    with registry._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    rows = "".join(f"TRK-{n:06},{'x' * 200}\n" for n in range(500))
    with pytest.raises(RegistryFullError, match="free disk space"):
        registry.import_csv("id,label\n" + rows, by="test")
    assert registry.revision() == 0


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_text("not a database, but long enough to be looked at" * 20)
    with pytest.raises(RegistryUnavailableError, match="file is not a database"):
        Registry.open(f"sqlite:///{tmp_path}/registry.db", DEPLOYMENT_KEY)


def test_a_folder_that_is_missing_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnavailableError, match="No such file"):
        migrate(f"sqlite:///{tmp_path}/none/registry.db")


@pytest.mark.parametrize("url", ["nonsense", "nosuch://x/y"])
def test_a_bad_url_is_one_clear_line(url: str) -> None:
    with pytest.raises(RegistryUnavailableError):
        Registry.open(url, DEPLOYMENT_KEY)


def test_the_database_is_for_its_owner_only(url: str, registry: Registry) -> None:
    registry.add("TRK-000001", by="test")
    modes = {path.stat().st_mode & 0o777 for path in _file(url).parent.glob("registry.db*")}
    assert modes == {0o600}


def test_two_processes_take_turns(url: str, registry: Registry) -> None:
    other = Registry.open(url, DEPLOYMENT_KEY)
    for number in range(20):
        (registry if number % 2 else other).add(f"TRK-{number:06}", by="test")
    assert registry.revision() == other.revision() == 20
    other.close()
