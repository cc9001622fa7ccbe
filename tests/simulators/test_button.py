import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simulators import control
from simulators.button import SimulatedButton, fixed, portable, read_credentials
from simulators.chance import seeded
from simulators.errors import ButtonFailedError, CredentialsError
from simulators.fleet import Fleet
from simulators.geodesy import Spot, distance_m
from simulators.lights import Lights
from simulators.plan import plan_city
from simulators.schedule import Act
from tests.simulators.broker import ALARM, CANCEL, DRILL, STATUS, TRACK, Ear, RealBroker, mosquitto

HOME = Spot(3.3005, 117.6005)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBroker]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as found:
        yield found


@pytest.fixture
async def ear(broker: RealBroker) -> AsyncIterator[Ear]:
    async with Ear(broker) as found:
        yield found


async def until(look: Callable[[], bool], limit_s: float = 15.0) -> None:
    async with asyncio.timeout(limit_s):
        while not look():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def alive(
    broker: RealBroker, folder: Path, device: str, kind: str = "handheld"
) -> AsyncIterator[SimulatedButton]:
    credentials = read_credentials(broker.printed(device, kind), folder / f"{device}.json")
    chance = seeded(device)
    build = fixed(HOME) if kind == "street" else portable(HOME, chance)
    button = SimulatedButton(credentials, folder / device, build, chance, Lights())
    running = asyncio.create_task(button.run())
    await until(lambda: button.ready)
    yield button
    button.stop()
    await running


async def test_a_press_is_sent_signed_and_the_light_climbs_with_each_receipt(
    broker: RealBroker, ear: Ear, tmp_path: Path
) -> None:
    async with alive(broker, tmp_path, "B-PRESS") as button:
        await until(lambda: button.online)
        button.press()
        body = await ear.first("B-PRESS", ALARM)
        assert (body[5], body[6]) == (1, 1)
        assert button.light.rung == "pending"
        boot, seq = body[1], body[2]
        assert isinstance(boot, int)
        assert isinstance(seq, int)
        rungs = ("stored", "opened", "dispatched", "accepted", "arrived", "handled", "closed")
        for stage, rung in enumerate(rungs, 1):
            ear.answer("B-PRESS", boot, seq, stage)
            await until(lambda rung=rung: button.light.rung == rung)  # type: ignore[misc]
        assert button.light.event == (boot, seq)


@pytest.mark.parametrize(("act", "trigger"), [(Act.HOLD, 2), (Act.MULTI, 3)])
async def test_a_finger_makes_the_gesture_that_the_firmware_recognises(
    broker: RealBroker, ear: Ear, tmp_path: Path, act: Act, trigger: int
) -> None:
    async with alive(broker, tmp_path, f"B-{act.name}") as button:
        button.do(act)
        assert (await ear.first(button.device, ALARM))[6] == trigger


async def test_a_silent_alarm_is_sent_and_nothing_is_shown(
    broker: RealBroker, ear: Ear, tmp_path: Path
) -> None:
    async with alive(broker, tmp_path, "B-SILENT") as button:
        button.silent()
        assert (await ear.first("B-SILENT", ALARM))[6] == 4
        assert button.light.rung == "idle"


async def test_a_drill_is_a_drill_and_a_cancel_names_its_alarm(
    broker: RealBroker, ear: Ear, tmp_path: Path
) -> None:
    async with alive(broker, tmp_path, "B-DRILL") as button:
        button.drill()
        drill = await ear.first("B-DRILL", DRILL)
        button.cancel()
        assert (await ear.first("B-DRILL", CANCEL))[9] == [drill[1], drill[2]]


async def test_an_alarm_outlives_a_power_cut_and_is_sent_after_it(
    broker: RealBroker, ear: Ear, tmp_path: Path
) -> None:
    async with alive(broker, tmp_path, "B-POWER") as button:
        button.drill()
        first = await ear.first("B-POWER", DRILL)
    ear.bodies.clear()
    async with alive(broker, tmp_path, "B-POWER"):
        again = await ear.first("B-POWER", DRILL)
    assert (again[1], again[2]) == (first[1], first[2])


async def test_a_handheld_tells_where_it_is_once_it_sees_the_sky(
    broker: RealBroker, ear: Ear, tmp_path: Path
) -> None:
    async with alive(broker, tmp_path, "B-TRACK") as button:
        button.press()
        alarm = await ear.first("B-TRACK", ALARM)
        position = alarm.get(7)
        if position is None:  # pressed before the receiver had started
            position = (await ear.first("B-TRACK", TRACK))[7]
    assert isinstance(position, dict)
    seen = Spot(position[0] / 1e7, position[1] / 1e7)
    assert distance_m(seen, HOME) < 30


async def test_a_street_button_runs_on_mains_and_has_no_receiver(
    broker: RealBroker, ear: Ear, tmp_path: Path
) -> None:
    async with alive(broker, tmp_path, "B-STREET", "street"):
        health = (await ear.first("B-STREET", STATUS))[8]
    assert isinstance(health, dict)
    assert (health[2], health[11], 1 in health) == (1, 0, False)


async def test_a_stopped_button_leaves_the_broker_without_its_will(
    broker: RealBroker, ear: Ear, tmp_path: Path
) -> None:
    async with alive(broker, tmp_path, "B-LEAVE") as button:
        await ear.first("B-LEAVE", STATUS)
    assert not button.online
    async with alive(broker, tmp_path, "B-LEAVE"):
        hears = ear.hears("B-LEAVE", STATUS)
        reasons = [(await anext(hears))[16], (await anext(hears))[16]]
    assert reasons == [2, 2]


async def test_credentials_that_lack_something_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="siaga device add"):
        read_credentials({"device_id": "B-1"}, tmp_path / "bad.json")


async def test_a_flash_that_cannot_be_used_is_one_clear_error(
    broker: RealBroker, tmp_path: Path
) -> None:
    flash = tmp_path / "file"
    flash.write_text("not a directory")
    credentials = read_credentials(broker.printed("B-FLASH"), tmp_path / "c.json")
    button = SimulatedButton(credentials, flash / "x", fixed(HOME), seeded(1), Lights())
    with pytest.raises(ButtonFailedError, match="B-FLASH"):
        await button.run()


async def test_a_fleet_is_pressed_through_its_socket(
    broker: RealBroker, ear: Ear, tmp_path: Path
) -> None:
    plan = plan_city(4, 1, None)
    printed = [broker.printed(device.id, device.kind) for device in plan.devices]
    fleet = Fleet(plan.devices, printed, tmp_path, 1)
    stop = asyncio.Event()
    running = asyncio.create_task(fleet.run(stop))
    await until(lambda: all(button.online for button in fleet.buttons.values()))
    device = plan.devices[0].id
    lights = control.press(tmp_path, device, "press")
    async with asyncio.timeout(15):
        async for light in lights:
            if light.rung == "pending" and light.event is not None:
                ear.answer(device, *light.event, 1)
            if light.rung == "stored":
                break
    await lights.aclose()
    stop.set()
    await running
    assert (tmp_path / "buttons" / device / "credentials.json").stat().st_mode & 0o077 == 0
