"""The broker's files and their upkeep."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.broker.atomic import write_private, write_private_if_changed
from gateway.broker.errors import BadSettingError, BrokerFilesError
from gateway.broker.files import BrokerFiles, owner_of, watch
from gateway.registry.errors import RegistryLockedError
from gateway.registry.passwords import verify_password
from tests.gateway.broker.helpers import GATEWAY_PASSWORD, Deployment, paths


def _users(deployment: Deployment) -> list[str]:
    lines = deployment.settings.passwords.read_text().splitlines()
    return [line.partition(":")[0] for line in lines]


def test_all_files_are_there_for_their_owner_only(deployment: Deployment) -> None:
    assert paths(deployment.settings.directory) == [
        "acl",
        "emqx-acl.conf",
        "mosquitto.conf",
        "passwords",
    ]
    modes = {path.stat().st_mode & 0o777 for path in deployment.settings.directory.iterdir()}
    assert modes == {0o600}


def test_the_gateways_password_stands_there_as_a_hash(deployment: Deployment) -> None:
    text = deployment.settings.passwords.read_text()
    assert GATEWAY_PASSWORD not in text
    user, _, stored = text.splitlines()[0].partition(":")
    assert user == "siaga-gateway"
    assert verify_password(GATEWAY_PASSWORD, stored)


def test_active_and_suspended_devices_may_connect_and_revoked_ones_not(
    deployment: Deployment,
) -> None:
    for number in range(3):
        deployment.registry.add(f"TRK-00000{number}", by="test")
    deployment.registry.suspend("TRK-000001", by="test")
    deployment.registry.revoke("TRK-000002", by="test")
    assert deployment.files.refresh()
    assert _users(deployment) == ["siaga-gateway", "TRK-000000", "TRK-000001"]


def test_without_a_change_nothing_is_written(deployment: Deployment) -> None:
    before = {path: path.stat().st_mtime_ns for path in deployment.settings.directory.iterdir()}
    assert not deployment.files.refresh()
    assert not deployment.files.write()
    assert {p: p.stat().st_mtime_ns for p in deployment.settings.directory.iterdir()} == before


def test_a_change_that_the_broker_does_not_care_for_writes_nothing(deployment: Deployment) -> None:
    deployment.registry.add("TRK-000001", by="test")
    deployment.files.refresh()
    deployment.registry.rotate_key("TRK-000001", by="test")
    assert not deployment.files.refresh()


def test_another_process_writing_the_same_first_hides_no_change(deployment: Deployment) -> None:
    other = BrokerFiles(deployment.settings, deployment.registry, GATEWAY_PASSWORD)
    deployment.registry.add("TRK-000001", by="test")
    assert other.write()
    assert deployment.files.refresh()


def test_a_write_that_fails_is_tried_again(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.registry.add("TRK-000001", by="test")

    def full(path: Path, _: bytes) -> bool:
        raise BrokerFilesError(path, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("gateway.broker.files.write_private_if_changed", full)
        with pytest.raises(BrokerFilesError):
            deployment.files.refresh()
    assert deployment.files.refresh()
    assert _users(deployment) == ["siaga-gateway", "TRK-000001"]


def test_the_gateways_hash_stays_over_a_restart(deployment: Deployment) -> None:
    again = BrokerFiles(deployment.settings, deployment.registry, GATEWAY_PASSWORD)
    assert not again.write()


def test_a_new_password_of_the_gateway_replaces_the_old(deployment: Deployment) -> None:
    assert BrokerFiles(deployment.settings, deployment.registry, "new").write()
    stored = deployment.settings.passwords.read_text().splitlines()[0].partition(":")[2]
    assert verify_password("new", stored)


class Flaky:
    """A registry that is locked the first few times."""

    def __init__(self) -> None:
        self.asked = 0

    def revision(self) -> int:
        self.asked += 1
        if self.asked < 4:
            raise RegistryLockedError("registry.db")
        return 1

    def logins(self) -> Iterable[tuple[str, str]]:
        return [("TRK-000001", "$7$hash")]


async def test_watching_outlasts_a_locked_registry(deployment: Deployment) -> None:
    files = BrokerFiles(deployment.settings, Flaky(), GATEWAY_PASSWORD)
    stop, reloaded = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    watching = asyncio.create_task(
        watch(files, lambda: loop.call_soon_threadsafe(reloaded.set), stop, interval_s=0.01)
    )
    await asyncio.wait_for(reloaded.wait(), 5)
    stop.set()
    await watching
    assert _users(deployment) == ["siaga-gateway", "TRK-000001"]


async def test_a_reload_that_fails_is_tried_again(deployment: Deployment) -> None:
    deployment.registry.add("TRK-000001", by="test")
    stop = asyncio.Event()
    attempts = 0

    def reload() -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise BrokerFilesError(deployment.settings.pid_file, "no Mosquitto runs")
        stop.set()

    await asyncio.wait_for(watch(deployment.files, reload, stop, interval_s=0.01), 5)
    assert attempts == 3


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_private(file, b"first")
    with file.open("rb") as reading:
        write_private(file, b"second")
        assert reading.read() == b"first"
    assert file.read_bytes() == b"second"
    assert paths(tmp_path) == ["file"]


def test_a_file_that_cannot_be_written_is_named_and_leaves_no_rest(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(BrokerFilesError, match="folder"):
        write_private(tmp_path / "folder", b"x")
    with pytest.raises(BrokerFilesError, match="folder"):
        write_private_if_changed(tmp_path / "folder", b"x")
    assert paths(tmp_path) == ["folder"]


def test_the_owner_is_an_account(tmp_path: Path) -> None:
    assert owner_of(tmp_path) == tmp_path.owner()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"prefix": "siaga/+"}, "prefix"),
        ({"prefix": "a\nallow_anonymous true"}, "prefix"),
        ({"prefix": ""}, "prefix"),
        ({"gateway_user": "a:b"}, "gateway_user"),
        ({"host": "localhost\nuser root"}, "host"),
        ({"port": 0}, "port"),
        ({"loopback_port": 70_000}, "loopback_port"),
        ({"directory": Path("a\nb")}, "directory"),
    ],
)
def test_a_setting_that_would_change_the_files_meaning_is_refused(
    deployment: Deployment, change: dict[str, str | int | Path], name: str
) -> None:
    with pytest.raises(BadSettingError) as caught:
        replace(deployment.settings, **change)  # type: ignore[arg-type] # that is the point
    assert caught.value.name == name
