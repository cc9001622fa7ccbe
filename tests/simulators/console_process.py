"""The real console as a child process, and the gateway's side of it, for tests of the staff."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count
from pathlib import Path

import httpx
import msgspec

from console_api import admin
from console_api.accounts.roles import Role
from console_api.cycle.model import Category, Point
from console_api.settings import ConsoleSettings, DataCentreSettings
from simulators.plan import CityPlan, PlannedDevice

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long made-up password"
PROGRAM = """
import asyncio, signal, sys
import msgspec
from console_api.service import run
from console_api.settings import ConsoleSettings

async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run(msgspec.json.decode(sys.argv[1], type=ConsoleSettings), stop)

asyncio.run(main())
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass
class RealConsole:
    """A console with the plan's people and units, and a gateway that speaks for its buttons."""

    settings: ConsoleSettings
    plan: CityPlan
    log: Path
    token: str
    process: subprocess.Popen[bytes] | None = None
    sequence: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def passwords(self) -> dict[str, str]:
        return {user.username: PASSWORD for user in self.plan.users}

    async def start(self) -> None:
        self.process = self._spawned()
        async with httpx.AsyncClient(base_url=self.url) as client, asyncio.timeout(30):
            while not await _ready(client):
                assert self.process.poll() is None, self.log.read_text()
                await asyncio.sleep(0.05)

    async def _delivered(self, batch: str) -> httpx.Response:
        """Deliver as a gateway does: again for as long as the console is busy."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/cloudevents-batch+json",
        }
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as client:
            while True:
                answer = await client.post("/v1/events", content=batch, headers=headers)
                if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                    return answer
                await asyncio.sleep(0.2)

    def _spawned(self) -> subprocess.Popen[bytes]:
        settings = msgspec.json.encode(self.settings).decode()
        command = [sys.executable, "-c", PROGRAM, settings]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)

    async def alarm(self, device: PlannedDevice, **members: object) -> str:
        """Deliver an alarm as the gateway does; the event's identity."""
        body = {
            "category": device.category,
            "trigger": "press",
            "position": {
                "lat": device.lat,
                "lon": device.lon,
                "source": "gnss",
                "fix_age_s": 1,
            },
        }
        return await self.event(device, "alarm", {**body, **members})

    async def event(self, device: PlannedDevice, kind: str, body: Mapping[str, object]) -> str:
        sequence = next(self.sequence)
        name = f"{device.id}:1:{sequence}"
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        data = {
            "boot": 1,
            "seq": sequence,
            "occurred_at": now,
            "occurred_by": "device",
            "delay_s": 0.1,
            "late": False,
            "device": {
                "id": device.id,
                "kind": device.kind,
                "label": device.label,
                "address": device.address,
                "category": device.category,
                "installed": {"lat": device.lat, "lon": device.lon},
            },
            "area": None,
        }
        event = {
            "specversion": "1.0",
            "id": name,
            "source": f"/gateways/gw1/devices/{device.id}",
            "type": f"id.siaga.button.{kind}.v1",
            "time": now,
            "datacontenttype": "application/json",
            "data": {**data, **body},
        }
        answer = await self._delivered(json.dumps([event]))
        assert answer.status_code == HTTPStatus.OK, answer.text
        assert answer.json()["results"][0]["status"] == "created", answer.text
        return name


def prepare(folder: Path, plan: CityPlan, data_centre_port: int, secret: bytes) -> RealConsole:
    """A console with the plan's people and units and a gateway, not started yet."""
    (folder / "secret").write_bytes(secret)
    settings = ConsoleSettings(
        database=f"sqlite:///{folder / 'console.sqlite'}",
        photos_dir=str(folder / "photos"),
        port=free_port(),
        data_centre=DataCentreSettings(
            url=f"http://127.0.0.1:{data_centre_port}/",
            secret_file=str(folder / "secret"),
            longest_wait_s=1.0,
        ),
    )
    admin.initialise(settings)
    for unit in plan.units:
        categories = [Category(category) for category in unit.categories]
        admin.add_unit(settings, unit.id, unit.name, categories, Point(unit.lat, unit.lon))
    for user in plan.users:
        admin.add_user(settings, user.username, Role(user.role), PASSWORD, user.unit)
    token = admin.create_service_token(settings, "gw1", Role.GATEWAY)
    return RealConsole(settings, plan, folder / "console.log", token)


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).is_success
    except httpx.TransportError:
        return False
