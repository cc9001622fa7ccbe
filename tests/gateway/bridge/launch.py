"""Run a bridge that dies for real (SIGKILL) at a chosen point: `launch SETTINGS [FAULT]`."""

import asyncio
import os
import signal
import sys

import msgspec

from gateway.bridge.journal import Journal
from gateway.bridge.service import Bridge, Parts, run
from gateway.bridge.settings import BridgeSettings
from gateway.bridge.transaction import Transaction


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DiesAfterCommit(Journal):
    """Is on disk, and nobody has been told."""

    def commit(self, transaction: Transaction) -> None:
        super().commit(transaction)
        if transaction.touched_urgent:
            die()


class DiesBeforeCommit(Journal):
    """Has written, and not yet committed."""

    def commit(self, transaction: Transaction) -> None:
        if transaction.touched_urgent:
            die()
        super().commit(transaction)


def dies_before_forward(bridge: Bridge) -> None:
    """Let the PUBACK leave, and die when the alarm would go to the console."""
    lane = bridge.urgent_lane
    wake = lane.wake

    def wake_and_die() -> None:
        wake()
        asyncio.get_running_loop().call_later(0.05, die)

    lane.wake = wake_and_die  # type: ignore[method-assign] # that is the fault
    lane._send_all = _nothing  # type: ignore[method-assign] # so that it can't be faster


async def _nothing() -> None:
    return


FAULTS = {
    "none": Parts(),
    "after-commit": Parts(open_journal=DiesAfterCommit),
    "before-commit": Parts(open_journal=DiesBeforeCommit),
    "before-forward": Parts(started=dies_before_forward),
}


def main() -> None:
    settings = msgspec.json.decode(sys.argv[1], type=BridgeSettings)
    fault = sys.argv[2] if len(sys.argv) > 2 else "none"
    stop = asyncio.Event()

    async def go() -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await run(settings, stop, FAULTS[fault])

    asyncio.run(go())


if __name__ == "__main__":
    main()
