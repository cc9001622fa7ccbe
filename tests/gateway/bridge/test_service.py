"""The whole bridge between a real Mosquitto and a console over real HTTP."""

from tests.gateway.bridge.parts import (
    Broker,
    FakeConsole,
    Peer,
    alarm,
    until,
)
from tests.gateway.bridge.site import Site, running_bridge

DEVICE = "TRK-000001"
DOWN = f"siaga/v1/{DEVICE}/down"


async def test_an_alarm_reaches_the_console_and_its_device_gets_a_stored_receipt(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    async with running_bridge(site.settings(broker.port, console.url)):
        peer = await Peer.connect(broker.port, DEVICE)
        await peer.subscribe(DOWN)
        await peer.publish(*site.signed(alarm(7, 3), "alarm"))
        await until(lambda: console.events and peer.heard, "event and receipt")
        await peer.close()
    assert list(console.events) == [f"{DEVICE}:7:3"]
    topic, message = peer.heard[0]
    assert site.is_authentic(topic, message)
    assert b"\x09\x82\x07\x03\x0b\x01" in message  # ref [7, 3], stage 1
