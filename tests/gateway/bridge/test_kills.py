"""A bridge that is killed for real, and started again: no alarm lost, none twice."""

import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest

from gateway.bridge.settings import BridgeSettings
from tests.gateway.bridge.parts import Broker, FakeConsole, Peer, alarm, until
from tests.gateway.bridge.site import Site, start_bridge

DEVICE = "TRK-000001"
IDS = [f"{DEVICE}:1:{seq}" for seq in range(3)]


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start bridges, and leave none behind."""
    started: list[subprocess.Popen[bytes]] = []

    def start_one(settings: BridgeSettings, *faults: str) -> subprocess.Popen[bytes]:
        started.append(start_bridge(settings, *faults))
        return started[-1]

    yield start_one
    for process in started:
        process.kill()
        process.wait()


async def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    await until(lambda: process.poll() is not None, "the bridge to stop")
    assert process.returncode == 0


def refs(listener: Peer) -> set[bytes]:
    """Return the references that the receipts heard so far bear."""
    return {message[message.index(b"\x09\x82") :][2:4] for _, message in listener.heard}


@pytest.mark.parametrize("fault", ["before-commit", "after-commit", "before-forward"])
async def test_a_killed_bridge_loses_no_alarm_and_sends_none_twice(
    broker: Broker,
    console: FakeConsole,
    site: Site,
    start: Callable[..., subprocess.Popen[bytes]],
    fault: str,
) -> None:
    settings = site.settings(broker.port, console.url, http_port=site.http_port)
    subscribes = start(settings)
    await until(lambda: site.is_serving(settings), "a first bridge")
    await stop(subscribes)
    peer = await Peer.connect(broker.port, DEVICE)
    await peer.subscribe(f"siaga/v1/{DEVICE}/down")
    doomed = start(settings, fault)
    for seq in range(3):
        await peer.publish(*site.signed(alarm(1, seq), "alarm"))
    await until(lambda: doomed.poll() is not None, "the kill")
    assert doomed.returncode == -signal.SIGKILL
    assert console.events == {}
    again = start(settings)
    await until(lambda: len(console.events) >= 3, "the alarms")
    await until(lambda: len(refs(peer)) >= 3, "the receipts")
    await stop(again)
    await peer.close()
    assert sorted(console.events) == IDS
    assert sorted(one for post in console.posts for one in post) == IDS


async def test_a_console_that_dies_before_it_answers_gets_the_same_ids_again(
    broker: Broker,
    console: FakeConsole,
    site: Site,
    start: Callable[..., subprocess.Popen[bytes]],
) -> None:
    settings = site.settings(broker.port, console.url, http_port=site.http_port)
    bridge = start(settings)
    await until(lambda: site.is_serving(settings), "the bridge")
    stored: list[bool] = []

    async def store_and_hang_up() -> None:
        if not stored:
            stored.append(True)
            for event_id in console.posts[-1]:
                console.events[event_id] = {"type": "id.siaga.button.alarm.v1"}
            raise ConnectionResetError

    console.before_answer = store_and_hang_up
    peer = await Peer.connect(broker.port, DEVICE)
    await peer.publish(*site.signed(alarm(1, 0), "alarm"))
    await until(lambda: len(console.posts) == 2, "the second attempt")
    await stop(bridge)
    await peer.close()
    assert console.posts == [[IDS[0]], [IDS[0]]]
    assert list(console.events) == [IDS[0]]
