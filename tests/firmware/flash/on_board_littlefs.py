"""Runs on MicroPython: the boards' own file system, its power cut at every write and erase.

A block device in memory, written to half at the cut; then littlefs is mounted again from
what is left, and everything that had returned before the cut must be there.
"""

import gc
import os

from firmware.button.counters import Counters
from firmware.button.flash import StateFile
from firmware.button.outbox import Outbox

BLOCK = 512
BLOCKS = 64
ERASED = b"\xff" * BLOCK
FIRST = {0: 1, 1: 12, 2: 0, 3: 1790000000, 7: {0: 33012345, 1: 1175890123, 2: 1, 3: 2}}
SECOND = {0: 3, 1: 12, 2: 1, 9: [12, 0]}
LARGE = {0: 4, 8: b"h" * 700}


class PowerCutError(Exception):
    """The power is gone."""


class Ram:
    """Blocks of flash in memory, as MicroPython's extended block protocol wants them."""

    def __init__(self, content: bytes | bytearray, cut_at: int | None) -> None:
        self.content = bytearray(content)
        self.left = cut_at
        self.abandoned = False

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        if self.abandoned:
            return
        start = block * BLOCK + offset
        buffer[:] = self.content[start : start + len(buffer)]

    def writeblocks(self, block: int, buffer: bytes, offset: int = 0) -> None:
        if not self.abandoned:
            self._change(block * BLOCK + offset, buffer)

    def ioctl(self, operation: int, argument: int) -> int:
        # The collector closes files that the cut left open, and it must not allocate.
        if operation == 4:
            return BLOCKS
        if operation == 5:
            return BLOCK
        if operation == 6 and not self.abandoned:
            self._change(argument * BLOCK, ERASED)
        return 0

    def _change(self, start: int, data: bytes) -> None:
        whole = True
        if self.left is not None:
            self.left -= 1
            whole = self.left > 0
        if self.left is None or self.left >= 0:
            size = len(data) if whole else len(data) // 2
            self.content[start : start + size] = data[:size]
        # Also what runs on the way out, such as closing the file, finds no power.
        if not whole:
            raise PowerCutError


def mounted(content: bytes | bytearray, cut_at: int | None) -> Ram:
    device = Ram(content, cut_at)
    os.mount(os.VfsLfs2(device), "/flash")  # type: ignore[attr-defined]  # MicroPython only
    return device


def unmount() -> None:
    os.umount("/flash")  # type: ignore[attr-defined]  # MicroPython only


def life(done: dict[str, object]) -> None:
    """One run of a button; `done` says what has returned."""
    counters = Counters("/flash/counters")
    done["boot"] = counters.next_boot()
    outbox = Outbox("/flash/outbox")
    state = StateFile("/flash/state")
    outbox.put(12, 0, FIRST)
    done["first"] = True
    state.save("pending")
    done["state"] = "pending"
    outbox.put(12, 1, SECOND)
    done["second"] = True
    done["command"] = counters.accept_command(7)
    outbox.put(12, 2, LARGE)
    done["large"] = True
    done["removing"] = True
    outbox.remove(12, 0)
    state.save("stored")
    done["state"] = "stored"
    done["boot"] = counters.next_boot()
    state.clear()
    done["state"] = None


def problems(done: dict[str, object], last_boot: int) -> list[str]:
    """Say what of the things that had returned is not there any more."""
    found = []
    counters = Counters("/flash/counters")
    outbox = Outbox("/flash/outbox")
    bodies = {seq: body for _, seq, body in outbox.entries()}
    if done.get("first") and not done.get("removing") and bodies.get(0) != FIRST:
        found.append("the first alarm is lost")
    if done.get("second") and bodies.get(1) != SECOND:
        found.append("the second alarm is lost")
    if done.get("large") and bodies.get(2) != LARGE:
        found.append("the large entry is lost")
    if outbox.damaged:
        found.append("an entry is torn")
    state = StateFile("/flash/state")
    following = {"pending": ("pending", "stored"), "stored": ("stored", None), None: (None,)}
    if "state" in done and state.load() not in following[done["state"]]:  # type: ignore[index]
        found.append("the state is lost")
    if state.fault:
        found.append("the state is torn")
    if counters.next_boot() <= max(last_boot, done.get("boot", 0)):  # type: ignore[call-overload]
        found.append("a boot number came back")
    if done.get("command") and counters.accept_command(7):
        found.append("a command came back")
    outbox.put(13, 0, FIRST)
    if (13, 0, FIRST) not in list(outbox.entries()):
        found.append("the outbox does not go on")
    return found


def main() -> None:
    blank = Ram(bytes(BLOCK * BLOCKS), None)
    os.VfsLfs2.mkfs(blank)  # type: ignore[attr-defined]  # MicroPython only
    device = mounted(blank.content, None)
    boot = Counters("/flash/counters").next_boot()
    unmount()
    start = bytes(device.content)
    cut_at = 1
    returned = False
    while not returned:
        done: dict[str, object] = {}
        device = mounted(start, cut_at)
        try:
            life(done)
            returned = True
        except PowerCutError:
            pass
        device.abandoned = True
        unmount()
        gc.collect()
        mounted(device.content, None)
        for problem in problems(done, boot):
            print("cut", cut_at, problem)  # noqa: T201 - stdout is how a board answers
        unmount()
        cut_at += 1
    print("cuts", cut_at - 2)  # noqa: T201 - stdout is how a board answers


main()
