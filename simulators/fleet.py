"""Many simulated buttons in one process, pressed by a schedule and through a control socket."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from simulators import control
from simulators.button import SimulatedButton, fixed, portable, read_credentials
from simulators.chance import seeded
from simulators.errors import ButtonFailedError, FleetRefusedError
from simulators.geodesy import Spot
from simulators.lights import Lights
from simulators.pace import Pace
from simulators.plan import PlannedDevice
from simulators.schedule import Act, Deed, deeds

log: Final = logging.getLogger(__name__)

START_EVERY_S: Final = 0.03  # TLS handshakes one after another, not all at once
LEAVE_S: Final = 5.0


class Fleet:
    """The buttons of a city.

    `printed` are the credentials as `siaga device add --json` printed them, of all devices that
    are to live; `data` holds the buttons' flash and the control socket.
    """

    def __init__(
        self,
        devices: Iterable[PlannedDevice],
        printed: Iterable[Mapping[str, object]],
        data: Path,
        seed: int,
    ) -> None:
        self.lights = Lights()
        self._seed = seed
        self._started = asyncio.Event()
        self._data = data
        plans = {device.id: device for device in devices}
        self.buttons = {
            button.device: button
            for credentials in printed
            if (button := self._button(plans, credentials)) is not None
        }
        self.devices = tuple(plans[name] for name in plans if name in self.buttons)

    async def run(self, stop: asyncio.Event) -> None:
        """Keep all buttons alive until `stop`; then let them leave the broker cleanly."""
        path = control.socket_path(self._data)
        serving = asyncio.create_task(control.serve(self, path), name="control socket")
        lives = asyncio.create_task(self._live(), name="buttons")
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                {serving, lives, stopping}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        finally:
            for button in self.buttons.values():
                button.stop()
            await asyncio.wait({lives}, timeout=LEAVE_S)
            for task in (serving, lives, stopping):
                task.cancel()
            await asyncio.gather(serving, lives, stopping, return_exceptions=True)

    async def press_by_schedule(self, pace: Pace, every_s: float) -> None:
        """Do what the day brings, on average one alarm every `every_s` simulated seconds."""
        await self._started.wait()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for deed in deeds(self.devices, self._seed, every_s=every_s):
            await asyncio.sleep(max(0.0, began_s + pace.wall(deed.at_s) - loop.time()))
            self._carry_out(deed)

    def do(self, device: str, act: Act) -> None:
        """Do something to a button. Raises FleetRefusedError."""
        button = self.buttons.get(device)
        if button is None:
            raise FleetRefusedError(f"the fleet has no button {device!r}")
        try:
            button.do(act)
        except ButtonFailedError as error:
            raise FleetRefusedError(str(error)) from error

    def _carry_out(self, deed: Deed) -> None:
        try:
            if deed.walks:
                self.buttons[deed.device].walk()
            self.do(deed.device, deed.act)
        except FleetRefusedError as refusal:
            log.warning("not pressed: %s", refusal)

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as group:
            for button in tuple(self.buttons.values()):
                group.create_task(button.run(), name=button.device)
                await asyncio.sleep(START_EVERY_S)
            self._started.set()

    def _button(
        self, plans: Mapping[str, PlannedDevice], printed: Mapping[str, object]
    ) -> SimulatedButton | None:
        plan = plans.get(str(printed.get("device_id")))
        if plan is None:
            return None
        folder = self._data / "buttons" / plan.id
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        credentials = read_credentials(printed, folder / "credentials.json")
        chance = seeded(self._seed, "button", plan.id)
        home = Spot(plan.lat, plan.lon)
        build = fixed(home) if plan.kind == "street" else portable(home, chance)
        return SimulatedButton(credentials, folder / "flash", build, chance, self.lights)
