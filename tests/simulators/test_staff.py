import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
import pytest
import pytest_asyncio

from simulators.chance import seeded
from simulators.console import ConflictError, Console
from simulators.data_centre import Archive, DataCentre, listen
from simulators.decisions import Dismiss, verdict
from simulators.errors import ConsoleRefusedError, LoginRefusedError
from simulators.geodesy import Spot
from simulators.pace import Pace
from simulators.photo import photo, picture
from simulators.plan import CityPlan, PlannedDevice, plan_city
from simulators.staff import Habits, Officer, Operator, Person, Room, Supervisor
from simulators.wire import Case
from tests.simulators.console_process import PASSWORD, RealConsole, prepare

SECRET = b"a secret for tests"
PLAN = plan_city(8, 11, None)
SPEED = 120.0
Found = TypeVar("Found")
Json = dict[str, Any]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[int, DataCentre]]:
    stop = asyncio.Event()
    archive = Archive(tmp_path_factory.mktemp("centre") / "centre.sqlite")
    centre = DataCentre(archive, SECRET)
    listener = listen(0)
    port: int = listener.getsockname()[1]
    running = asyncio.create_task(centre.run(listener, stop))
    yield port, centre
    stop.set()
    await running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def console(
    tmp_path_factory: pytest.TempPathFactory, centre: tuple[int, DataCentre]
) -> AsyncIterator[RealConsole]:
    real = prepare(tmp_path_factory.mktemp("console"), PLAN, centre[0], SECRET)
    await real.start()
    yield real
    real.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def client(console: RealConsole) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=console.url, timeout=20) as client:
        yield client


def line(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> Console:
    return Console(client, username, password, seeded(username))


@asynccontextmanager
async def at_work(client: httpx.AsyncClient, plan: CityPlan, seed: int = 1) -> AsyncIterator[None]:
    room = Room(seed, Pace(SPEED), Habits(), frozenset({"supervisor-1"}))
    bases = {unit.id: Spot(unit.lat, unit.lon) for unit in plan.units}
    people: list[Person] = []
    for user in plan.users:
        console = line(client, user.username)
        if user.unit is not None:
            people.append(Officer(console, room, user.unit, bases[user.unit]))
        else:
            kind = Supervisor if user.role == "supervisor" else Operator
            people.append(kind(console, room))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(person.run()) for person in people]
        yield
        for task in tasks:
            task.cancel()


async def until(
    look: Callable[[], Awaitable[Found | None]], what: str, limit_s: float = 90
) -> Found:
    try:
        async with asyncio.timeout(limit_s):
            while not (found := await look()):
                await asyncio.sleep(0.1)
            return found
    except TimeoutError:
        raise AssertionError(f"waited {limit_s:.0f} s for {what}") from None


async def the_case(
    client: httpx.AsyncClient, device: PlannedDevice, **wanted: object
) -> Json | None:
    """The newest case of the device, if all of this is so."""
    query: dict[str, str | int] = {"device": device.id, "limit": 1}
    answer = await client.get("/v1/cases", params=query, headers=await _headers(client))
    for case in answer.json()["cases"]:
        if all(case[name] == value for name, value in wanted.items()):
            shown = await client.get(f"/v1/cases/{case['id']}", headers=await _headers(client))
            found: Json = shown.json()
            return found
    return None


async def newest(console: Console, device: PlannedDevice) -> Case:
    return max(
        (case for case in await console.cases() if case.device.id == device.id),
        key=lambda case: case.id,
    )


async def _headers(client: httpx.AsyncClient) -> dict[str, str]:
    if "x-test" not in client.headers:
        body = {"username": "supervisor-1", "password": PASSWORD}
        token = (await client.post("/v1/session", json=body)).json()["token"]
        client.cookies.clear()
        client.headers["x-test"] = token
    return {"Authorization": f"Bearer {client.headers['x-test']}"}


async def test_a_case_runs_through_all_seven_steps_to_the_data_centre(
    console: RealConsole, client: httpx.AsyncClient, centre: tuple[int, DataCentre]
) -> None:
    device = PLAN.devices[0]
    async with at_work(client, PLAN):
        await console.alarm(device)
        closed = await until(lambda: the_case(client, device, state="closed"), "a closed case")
    steps = ("opened", "dispatched", "accepted", "arrived", "cleared", "reported", "updated")
    assert all(closed["marks"][mark] for mark in (*steps, "registered", "closed"))
    assert closed["data_centre"] == "sent"
    assert closed["id"] in {record.case for record in centre[1].archive.records()}


async def test_a_unit_tells_where_it_drives_and_arrives_at_the_button(
    console: RealConsole, client: httpx.AsyncClient
) -> None:
    device = PLAN.devices[1]
    async with at_work(client, PLAN):
        await console.alarm(device)
        found = await until(lambda: _marked(client, device, "cleared"), "a cleared case")
        answer = await client.get(f"/v1/units/{found['unit']}", headers=await _headers(client))
    position = answer.json()["position"]
    assert position["lat"] == pytest.approx(device.lat, abs=1e-5)
    assert position["lon"] == pytest.approx(device.lon, abs=1e-5)


async def test_a_silent_alarm_is_closed_by_two_people(
    console: RealConsole, client: httpx.AsyncClient
) -> None:
    device = PLAN.devices[2]
    async with at_work(client, PLAN):
        await console.alarm(device, trigger="silent")
        closed = await until(lambda: the_case(client, device, state="closed"), "a closed case")
    by = {event["action"]: event["actor"] for event in closed["events"]}
    assert by["first_person"] != by["closed"]
    assert "supervisor-1" in {by["first_person"], by["closed"]}


async def test_a_prank_with_a_cancel_is_dismissed_with_a_reason(
    console: RealConsole, client: httpx.AsyncClient
) -> None:
    device = PLAN.devices[3]
    ref = await console.alarm(device)
    await console.event(device, "cancel", {"ref": ref})
    seen = await newest(line(client, "supervisor-1"), device)
    seed = next(seed for seed in range(100) if verdict(seen, {}, seed) == Dismiss("prank"))
    async with at_work(client, PLAN, seed=seed):
        ended = await until(lambda: the_case(client, device, state="dismissed"), "a dismissal")
    assert ended["dismiss_reason"] == "prank"


async def test_a_drill_walks_the_whole_cycle(
    console: RealConsole, client: httpx.AsyncClient
) -> None:
    device = PLAN.devices[4]
    async with at_work(client, PLAN):
        drill = {"category": device.category, "trigger": "press"}
        await console.event(device, "drill", drill)
        closed = await until(lambda: the_case(client, device, state="closed"), "a closed drill")
    assert closed["drill"]


async def test_staff_go_on_where_they_were_when_the_console_is_killed_at_every_state(
    console: RealConsole, client: httpx.AsyncClient
) -> None:
    device = PLAN.devices[5]
    async with at_work(client, PLAN):
        await console.alarm(device)
        for mark in ("opened", "accepted", "cleared"):
            await until(partial(_marked, client, device, mark), mark)
            console.kill()
            await console.start()
        await until(lambda: the_case(client, device, state="closed"), "a closed case")


async def _marked(client: httpx.AsyncClient, device: PlannedDevice, mark: str) -> Json | None:
    found = await the_case(client, device)
    return found if found is not None and found["marks"][mark] is not None else None


async def test_many_cases_at_once_all_end(console: RealConsole, client: httpx.AsyncClient) -> None:
    async with at_work(client, PLAN):
        for device in PLAN.devices:
            await console.alarm(device)

        async def all_ended() -> bool:
            answer = await client.get("/v1/cases?state=open", headers=await _headers(client))
            return bool(answer.json()["cases"] == [])

        await until(all_ended, "all cases ended", 110)


async def test_who_is_second_reads_again_and_lets_the_case_be(
    console: RealConsole, client: httpx.AsyncClient
) -> None:
    await console.alarm(PLAN.devices[6])
    first, second = line(client, "operator-1"), line(client, "operator-2")
    seen = await newest(second, PLAN.devices[6])
    await first.act(seen, "open", {})
    with pytest.raises(ConflictError):
        await second.act(seen, "open", {})
    assert (await second.case(seen.id)).operator == "operator-1"


async def test_an_expired_session_is_renewed_unnoticed(client: httpx.AsyncClient) -> None:
    operator = line(client, "operator-1")
    await operator.cases()
    token = operator._token
    ended = await client.delete("/v1/session", headers={"Authorization": f"Bearer {token}"})
    assert ended.status_code == HTTPStatus.NO_CONTENT
    await operator.cases()
    assert operator._token != token


async def test_a_wrong_password_is_one_clear_error(client: httpx.AsyncClient) -> None:
    with pytest.raises(LoginRefusedError, match="operator-1"):
        await line(client, "operator-1", "wrong").cases()


async def test_what_a_role_may_not_do_is_one_clear_error(client: httpx.AsyncClient) -> None:
    with pytest.raises(ConsoleRefusedError, match="403"):
        await line(client, "petugas-patroli-1").proposals("NONE")


async def test_photos_of_both_kinds_are_taken(
    console: RealConsole, client: httpx.AsyncClient
) -> None:
    device = PLAN.devices[7]
    await console.alarm(device)
    operator = line(client, "operator-1")
    seen = await newest(operator, device)
    await operator.attach(seen.id, *photo(seeded(1), "one", Spot(3.3, 117.6)))
    await operator.attach(seen.id, *picture(seeded(2), "two"))
    found = await the_case(client, device)
    assert found is not None
    assert [shown["lat"] for shown in found["photos"]] == [pytest.approx(3.3, abs=1e-6), None]
