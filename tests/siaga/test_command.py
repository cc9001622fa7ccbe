import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from siaga.initialise import initialise
from tests.e2e.programs import ROOT, siaga


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return initialise(tmp_path_factory.mktemp("deployments") / "city").layout.root


def _run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        siaga(*arguments),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


def test_a_device_is_registered_and_its_credentials_are_printed_once(data: Path) -> None:
    added = _run("device", "add", "TRK-000001", "--kind", "street", "--json", "--data", data)
    given = json.loads(added.stdout)
    assert (given["device_id"], given["generation"]) == ("TRK-000001", 1)
    assert set(given["mqtt"]) == {
        *("host", "port", "tls", "ca_file", "client_id", "username", "password", "prefix")
    }
    shown = _run("device", "show", "TRK-000001", "--json", "--data", data).stdout
    assert given["key"] not in shown
    assert given["mqtt"]["password"] not in shown


def test_the_same_device_twice_is_one_line_and_exit_code_1(data: Path) -> None:
    _run("device", "add", "TRK-000002", "--data", data)
    again = _run("device", "add", "TRK-000002", "--data", data)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "registered already" in again.stderr


def test_wrong_usage_is_exit_code_2(data: Path) -> None:
    assert _run("device", "add", "TRK-000003", "--lat", "3.3", "--data", data).returncode == 2


def test_a_misspelt_setting_names_its_line_and_the_nearest_one(data: Path, tmp_path: Path) -> None:
    text = (data / "siaga.toml").read_text().replace("time_zone", "timezone")
    (tmp_path / "siaga.toml").write_text(text)
    refused = _run("device", "list", "--data", tmp_path)
    assert refused.returncode == 1
    assert "line 17" in refused.stderr
    assert "did you mean 'console.time_zone'?" in refused.stderr


def test_a_taken_port_is_one_clear_line(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = _run("up", "--data", data, "--mqtt-port", "0", "--http-port", port)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert f"port {port} on 127.0.0.1 is taken" in refused.stderr
    assert "--http-port" in refused.stderr


def test_no_fleet_to_press_is_one_clear_line(data: Path) -> None:
    refused = _run("press", "DEMO-0001", "--data", data)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "siaga up --demo" in refused.stderr


def test_a_new_log_is_sound(data: Path) -> None:
    report = json.loads(_run("verify", "--json", "--data", data).stdout)
    assert report["problems"] == []
