import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators import control
from simulators.errors import FleetRefusedError, NoFleetError, SocketPathError
from simulators.lights import Light, Lights
from simulators.schedule import Act


class Wall:
    """A panel of one button that does at once what it is told."""

    def __init__(self) -> None:
        self.lights = Lights()
        self.lights.show(Light("B-1", "idle"))
        self.done: list[tuple[str, Act]] = []

    def do(self, device: str, act: Act) -> None:
        if act is Act.SILENT:
            raise FleetRefusedError("a street button has no silent alarm")
        self.done.append((device, act))
        self.lights.show(Light(device, "pending", (1, 7)))


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
async def data(wall: Wall, tmp_path: Path) -> AsyncIterator[Path]:
    path = control.socket_path(tmp_path)
    serving = asyncio.create_task(control.serve(wall, path))
    async with asyncio.timeout(10):
        while not path.exists():
            await asyncio.sleep(0.01)
    yield tmp_path
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def test_a_press_is_done_and_its_light_seen_changing(wall: Wall, data: Path) -> None:
    seen = []
    lights = control.press(data, "B-1", "press")
    async for light in lights:
        seen.append((light.rung, light.event))
        if light.rung == "pending":
            wall.lights.show(Light("B-1", "stored", (1, 7)))
        if light.rung == "stored":
            break
    await lights.aclose()
    assert wall.done == [("B-1", Act.PRESS)]
    assert seen == [("idle", None), ("pending", (1, 7)), ("stored", (1, 7))]


async def test_the_list_says_what_every_button_shows(wall: Wall, data: Path) -> None:
    wall.lights.show(Light("B-2", "arrived", (3, 0)))
    assert await control.lights(data) == [Light("B-1", "idle"), Light("B-2", "arrived", (3, 0))]


async def test_an_unknown_button_is_refused_by_name(data: Path) -> None:
    with pytest.raises(FleetRefusedError, match="B-9"):
        await anext(control.press(data, "B-9", "press"))


async def test_what_a_button_cannot_do_is_refused_with_the_reason(data: Path) -> None:
    with pytest.raises(FleetRefusedError, match="no silent alarm"):
        await anext(control.press(data, "B-1", "silent"))


async def test_without_a_fleet_the_error_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NoFleetError, match="siaga up --demo"):
        await anext(control.press(tmp_path, "B-1", "press"))


def test_a_path_too_long_for_a_socket_is_named() -> None:
    with pytest.raises(SocketPathError, match="shorter"):
        control.socket_path(Path("/" + "x" * 120))


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"press B-1\n", b'{"do": "explode"}\n', b"[1]\n"])
async def test_what_is_no_request_is_answered_with_an_error(data: Path, line: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(control.socket_path(data))
    writer.write(line)
    assert "not a request" in json.loads(await reader.readline())["error"]
    writer.close()


async def test_a_line_without_end_does_not_stop_the_fleet(data: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(control.socket_path(data))
    writer.write(b"x" * 100_000)
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    assert len(await control.lights(data)) == 1


async def test_only_the_owner_may_press(data: Path) -> None:
    assert control.socket_path(data).stat().st_mode & 0o077 == 0


async def test_the_socket_goes_with_the_fleet(wall: Wall, tmp_path: Path) -> None:
    path = control.socket_path(tmp_path)
    serving = asyncio.create_task(control.serve(wall, path))
    while not path.exists():
        await asyncio.sleep(0.01)
    watching = control.press(tmp_path, "B-1", "watch")
    await anext(watching)
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    assert [light async for light in watching] == []
    assert not path.exists()
