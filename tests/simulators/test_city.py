import asyncio
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from simulators.city import CitySettings, run_city
from simulators.data_centre import listen
from simulators.errors import BoundariesError, LoginRefusedError, PortTakenError
from simulators.plan import plan_city
from tests.simulators.broker import RealBroker, mosquitto
from tests.simulators.console_process import RealConsole, free_port, prepare

PLAN = plan_city(4, 2, None)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBroker]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as found:
        yield found


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealConsole]:
    real = prepare(tmp_path_factory.mktemp("console"), PLAN, free_port(), b"secret")
    asyncio.run(real.start())
    yield real
    real.stop()


@pytest.fixture
def settings(broker: RealBroker, console: RealConsole, tmp_path: Path) -> CitySettings:
    return CitySettings(
        console_url=console.url,
        plan=PLAN,
        passwords=console.passwords,
        devices=[broker.printed(device.id, device.kind) for device in PLAN.devices],
        data_centre_port=free_port(),
        data_centre_secret=b"secret",
        data=tmp_path,
        speed=240.0,
        press_every_s=0,
        language="en",
        out=StringIO(),
    )


async def test_a_city_shows_its_cases_and_ends_when_it_is_told(
    settings: CitySettings, console: RealConsole
) -> None:
    stop = asyncio.Event()
    living = asyncio.create_task(run_city(settings, stop))
    await console.alarm(PLAN.devices[0])
    assert isinstance(settings.out, StringIO)
    async with asyncio.timeout(90):
        while "registering" not in settings.out.getvalue():
            if living.done():
                living.result()
            await asyncio.sleep(0.05)
    stop.set()
    async with asyncio.timeout(15):
        await living


async def test_a_taken_port_is_one_clear_error(settings: CitySettings) -> None:
    with listen(0) as taken:
        port: int = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"{port}.*another"):
            await run_city(replace(settings, data_centre_port=port), asyncio.Event())


async def test_staff_whom_nobody_knows_are_one_clear_error(settings: CitySettings) -> None:
    wrong = dict.fromkeys(settings.passwords, "not this one")
    with pytest.raises(LoginRefusedError, match="register the staff"):
        await run_city(replace(settings, passwords=wrong), asyncio.Event())


async def test_secrets_are_not_in_what_a_log_may_show(settings: CitySettings) -> None:
    words = repr(settings)
    assert "password" not in words
    assert "made up" not in words
    assert "b'secret'" not in words


def test_a_plan_over_unusable_boundaries_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BoundariesError):
        plan_city(3, 1, tmp_path / "none.geojson")
