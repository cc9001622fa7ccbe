"""A broker, a gateway and buttons for the tests of the host board."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.firmware.host.helpers import (
    CPYTHON,
    MICROPYTHON,
    Authority,
    ButtonProcess,
    Gateway,
    Mosquitto,
)

Start = Callable[..., ButtonProcess]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def broker(tmp_path: Path, authority: Authority) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path / "broker", authority)
    yield mosquitto
    mosquitto.thaw()
    mosquitto.kill()


@pytest.fixture
def gateway(broker: Mosquitto) -> Iterator[Gateway]:
    gateway = Gateway(broker.port, broker.authority.ca_file)
    yield gateway
    gateway.close()


@pytest.fixture(params=[MICROPYTHON, CPYTHON], ids=["micropython", "cpython"])
def python(request: pytest.FixtureRequest) -> tuple[str, ...]:
    chosen: tuple[str, ...] = request.param
    return chosen


@pytest.fixture
def start(tmp_path: Path, broker: Mosquitto, python: tuple[str, ...]) -> Iterator[Start]:
    """Start the button, again and again over the same flash."""
    started: list[ButtonProcess] = []

    def start(**options: object) -> ButtonProcess:
        chosen = {"host": "localhost", "ca_file": broker.authority.ca_file, **options}
        button = ButtonProcess(python, tmp_path / "button", broker.port, **chosen)  # type: ignore[arg-type]  # a test names its own
        started.append(button)
        return button

    yield start
    for button in started:
        button.end_if_running()
