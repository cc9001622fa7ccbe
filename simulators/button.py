"""A simulated button: the firmware itself on a board made of a directory, a sky and a finger."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

from firmware.button import events, message
from firmware.button.app import App
from firmware.button.boards.board import Board
from firmware.button.credentials import Credentials, load
from firmware.button.errors import ButtonError
from firmware.button.storage import Storage
from firmware.button.values import Value
from simulators.errors import ButtonFailedError, CredentialsError
from simulators.geodesy import Spot
from simulators.lights import Light, Lights
from simulators.roads import Motion, Route, stroll
from simulators.schedule import Act
from simulators.sky import Receiver, Reception

log: Final = logging.getLogger(__name__)

IDLE: Final = "idle"
PRESS_S: Final = 0.15
HOLD_OVER_S: Final = 0.3
GNSS_BUSY_S: Final = 1.0
GNSS_IDLE_S: Final = 5.0  # a receiver that saves its battery
FULL_MV: Final = 4200
EMPTY_MV: Final = 3300
DRAIN_PERCENT_PER_DAY: Final = 4.0
BATTERY_MV, BATTERY_PERCENT, POWER, RSSI_DBM, TEMPERATURE_CC = 0, 1, 2, 3, 7  # protocol.md §3
ASKED_FOR: Final[Mapping[Act, Callable[[], Value]]] = {
    Act.SILENT: lambda: events.Gesture(message.SILENT, 1),
    Act.CANCEL: events.CancelRequested,
    Act.DRILL: events.DrillRequested,
}


@dataclass(frozen=True, slots=True)
class Build:
    """How a button is made: where it starts, what it hears of the sky, its battery in percent.

    Without `reception` it has no receiver: its position is the installed one.
    """

    home: Spot
    reception: Reception | None
    battery_percent: float | None


def portable(home: Spot, chance: Random) -> Build:
    """Return a handheld: a receiver and a battery."""
    reception = Reception(cold_start_s=chance.uniform(5.0, 30.0))
    return Build(home, reception, chance.uniform(55.0, 100.0))


def fixed(home: Spot) -> Build:
    """Return a street button: mains and an installed position."""
    return Build(home, None, None)


def read_credentials(printed: Mapping[str, object], path: Path) -> Credentials:
    """Read what `siaga device add --json` printed, by way of a file as on a board.

    The file at `path` can be read by its owner only. Raises CredentialsError if something
    is missing.
    """
    path.touch(mode=0o600)
    path.write_text(json.dumps(dict(printed)), encoding="utf-8")
    try:
        return load(str(path))
    except ButtonError as error:
        raise CredentialsError(str(error)) from error


class SimulatedButton:
    """One button that can be pressed and watched; `run` keeps it alive over its own reboots."""

    def __init__(
        self, credentials: Credentials, flash: Path, build: Build, chance: Random, lights: Lights
    ) -> None:
        self.device = credentials.device_id
        self._credentials = credentials
        self._flash = flash
        self._build = build
        self._chance = chance
        self._lights = lights
        self._app: App | None = None
        self._stopping = False
        self._fingers: set[asyncio.Task[None]] = set()
        self._made_at_s = time.monotonic()
        self._walk: tuple[Route, float] | None = None
        lights.show(Light(self.device, IDLE))

    @property
    def light(self) -> Light:
        """What the button shows now."""
        return self._lights.now[self.device]

    @property
    def online(self) -> bool:
        """Whether the broker has accepted the button."""
        return self._app is not None and self._app.link.state == "online"

    @property
    def ready(self) -> bool:
        """Whether the firmware runs and takes presses, with or without a broker."""
        return self._app is not None

    async def run(self) -> None:
        """Be a button until `stop`. Raises ButtonFailedError if its flash cannot be used."""
        try:
            while not self._stopping:
                await self._live()
        except ButtonError as error:
            raise ButtonFailedError(self.device, str(error)) from error

    def stop(self) -> None:
        """Leave the broker cleanly and end `run`."""
        self._stopping = True
        if self._app is not None:
            self._app.stop()

    def press(self) -> None:
        """Press it once."""
        self._finger(PRESS_S)

    def hold(self) -> None:
        """Press it until it takes that for a hold."""
        app = self._running()
        self._finger(app.button.config.hold_ms / 1000 + HOLD_OVER_S)

    def multi(self) -> None:
        """Press it as often in a row as it wants."""
        app = self._running()
        self._finger(*[PRESS_S] * app.button.config.multi_count)

    def silent(self) -> None:
        """Call for help unseen."""
        self.do(Act.SILENT)

    def cancel(self) -> None:
        """Take the alarm back."""
        self.do(Act.CANCEL)

    def drill(self) -> None:
        """Practise."""
        self.do(Act.DRILL)

    def do(self, act: Act) -> None:
        """Do any of these."""
        match act:
            case Act.PRESS:
                self.press()
            case Act.HOLD:
                self.hold()
            case Act.MULTI:
                self.multi()
            case _:
                self._running().dispatch(ASKED_FOR[act]())

    def walk(self) -> None:
        """Let the owner walk around from here on and come back."""
        self._walk = (stroll(self._build.home, self._chance), time.monotonic())

    def motion(self) -> Motion:
        """Return where the button really is."""
        if self._walk is None:
            return Motion(self._build.home)
        route, since_s = self._walk
        return route.at(time.monotonic() - since_s)

    async def _live(self) -> None:
        """Run from one boot to the next."""
        board = _Board(self)
        self._app = App(self._credentials, Storage(str(self._flash)), board)
        board.app = self._app
        hearing = asyncio.create_task(self._hear(self._app), name=f"sky of {self.device}")
        try:
            await self._app.run()
        finally:
            self._app = None
            hearing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await hearing

    async def _hear(self, app: App) -> None:
        if self._build.reception is None:
            return
        receiver = Receiver(self._chance, self._build.reception)
        began_s = time.monotonic()
        while True:
            elapsed_s = time.monotonic() - began_s
            app.feed_gnss(receiver.burst(elapsed_s, datetime.now(UTC), self.motion()))
            found = receiver.has_fix(elapsed_s)
            await asyncio.sleep(GNSS_IDLE_S if found and self.light.rung == IDLE else GNSS_BUSY_S)

    def _finger(self, *closed_s: float) -> None:
        app = self._running()

        async def move() -> None:
            for seconds in closed_s:
                app.dispatch(events.Down())
                await asyncio.sleep(seconds)
                app.dispatch(events.Up())
                await asyncio.sleep(PRESS_S)

        task = asyncio.create_task(move(), name=f"finger on {self.device}")
        self._fingers.add(task)
        task.add_done_callback(self._fingers.discard)

    def _running(self) -> App:
        if self._app is None:
            raise ButtonFailedError(self.device, "it is switched off")
        return self._app

    def shows(self, rung: str, event: tuple[int, int] | None) -> None:
        """Take in what the board's light shows."""
        self._lights.show(Light(self.device, rung, event))

    def health(self) -> dict[int, object]:
        """Return what only the board knows: battery, power, radio, temperature."""
        health: dict[int, object] = {
            RSSI_DBM: self._chance.randint(-95, -60),
            TEMPERATURE_CC: self._chance.randint(2600, 3400),
        }
        full = self._build.battery_percent
        if full is None:
            return {POWER: 1, **health}
        days = (time.monotonic() - self._made_at_s) / 86_400
        percent = max(1.0, full - days * DRAIN_PERCENT_PER_DAY)
        millivolts = EMPTY_MV + (FULL_MV - EMPTY_MV) * percent / 100
        return {
            BATTERY_MV: round(millivolts),
            BATTERY_PERCENT: round(percent),
            POWER: 0,
            **health,
        }


class _Board(Board):
    """Lights go to whoever watches; a reboot ends this life of the button."""

    def __init__(self, owner: SimulatedButton) -> None:
        self._owner = owner
        self.app: App | None = None

    def light(self, rung: str, boot: int | None, seq: int | None) -> None:
        """Show it."""
        self._owner.shows(rung, None if boot is None or seq is None else (boot, seq))

    def sound(self, rung: str) -> None:
        """Make no noise."""

    def hush(self) -> None:
        """Make no noise."""

    def identify(self) -> None:
        """Tell the log."""
        self.log("identify")

    def self_test(self) -> str | None:
        """Return None: nothing here can break."""
        return None

    def health(self) -> dict[int, object]:
        """Return the owner's."""
        return self._owner.health()

    def log(self, text: str) -> None:
        """Tell the log."""
        log.debug("%s: %s", self._owner.device, text)

    def reboot(self) -> None:
        """End this life."""
        if self.app is not None:
            self.app.stop()
