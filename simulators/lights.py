"""What the lights of all buttons show, for whoever watches."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import msgspec


class Light(msgspec.Struct, frozen=True, omit_defaults=True):
    """A button's light: a rung of the ladder, and the alarm (boot, seq) that it is about."""

    device: str
    rung: str
    event: tuple[int, int] | None = None


class Lights:
    """The newest light of each button."""

    def __init__(self) -> None:
        self._now: dict[str, Light] = {}
        self._watchers: dict[asyncio.Queue[Light], str | None] = {}

    @property
    def now(self) -> Mapping[str, Light]:
        """Lights by device."""
        return MappingProxyType(self._now)

    def show(self, light: Light) -> None:
        """Take in what a button shows from now on."""
        self._now[light.device] = light
        for queue, device in self._watchers.items():
            if device is None or device == light.device:
                queue.put_nowait(light)

    @contextmanager
    def watch(self, device: str | None = None) -> Iterator[asyncio.Queue[Light]]:
        """Give a queue of every change from now on, of one button or of all."""
        queue: asyncio.Queue[Light] = asyncio.Queue()
        self._watchers[queue] = device
        try:
            yield queue
        finally:
            del self._watchers[queue]
