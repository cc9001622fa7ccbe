"""Who presses when: a seeded, endless day in the city."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush
from random import Random
from typing import Final

from simulators.chance import seeded
from simulators.plan import PlannedDevice

FIRST_S: Final = 6.0
REST_S: Final = 900.0  # a button that was pressed is left alone so long
NEIGHBOUR_SHARE: Final = 0.5
WALK_SHARE: Final = 0.35


class Act(StrEnum):
    """What somebody does to a button."""

    PRESS = "press"
    HOLD = "hold"
    MULTI = "multi"
    SILENT = "silent"
    DRILL = "drill"
    CANCEL = "cancel"


HANDHELD_ACTS: Final[Mapping[Act, float]] = {
    Act.PRESS: 0.72,
    Act.HOLD: 0.09,
    Act.MULTI: 0.06,
    Act.SILENT: 0.07,
    Act.DRILL: 0.06,
}
STREET_ACTS: Final[Mapping[Act, float]] = {Act.PRESS: 0.93, Act.DRILL: 0.07}
PRANK_SHARE: Final = 0.07


@dataclass(frozen=True, slots=True, order=True)
class Deed:
    """Something done to a button, so many seconds after the city starts.

    `walks` says that the owner of a handheld moves on while waiting for help.
    """

    at_s: float
    device: str
    act: Act
    walks: bool = False


def deeds(devices: Sequence[PlannedDevice], seed: int, *, every_s: float = 60.0) -> Iterator[Deed]:
    """Yield what is done, in order of time, on average one alarm every `every_s` seconds."""
    chance = seeded(seed, "deeds")
    coming: list[Deed] = []
    rested: dict[str, float] = {}
    at_s = FIRST_S
    while devices:
        while coming and coming[0].at_s <= at_s:
            yield heappop(coming)
        device = _choose(devices, rested, at_s, chance)
        rested[device.id] = at_s + REST_S
        for deed in _deeds_of(device, at_s, chance):
            heappush(coming, deed)
        neighbour = _neighbour(devices, device)
        if neighbour is not None and chance.random() < NEIGHBOUR_SHARE:
            rested[neighbour.id] = at_s + REST_S
            heappush(coming, Deed(at_s + chance.uniform(8.0, 60.0), neighbour.id, Act.PRESS))
        at_s += chance.expovariate(1.0 / every_s)


def _choose(
    devices: Sequence[PlannedDevice], rested: Mapping[str, float], at_s: float, chance: Random
) -> PlannedDevice:
    free = [device for device in devices if rested.get(device.id, 0.0) <= at_s]
    return chance.choice(free or devices)


def _deeds_of(device: PlannedDevice, at_s: float, chance: Random) -> Iterator[Deed]:
    handheld = device.kind == "handheld"
    acts = HANDHELD_ACTS if handheld else STREET_ACTS
    (act,) = chance.choices(list(acts), list(acts.values()))
    walks = handheld and act is not Act.DRILL and chance.random() < WALK_SHARE
    yield Deed(at_s, device.id, act, walks)
    if act is Act.PRESS and chance.random() < PRANK_SHARE:
        yield Deed(at_s + chance.uniform(4.0, 12.0), device.id, Act.CANCEL)


def _neighbour(devices: Sequence[PlannedDevice], device: PlannedDevice) -> PlannedDevice | None:
    """Return the button that was planned beside this one, right after it in the list."""
    index = devices.index(device) + 1
    if index >= len(devices) or not device.twin:
        return None
    return devices[index]
