"""The whole bridge between a real Mosquitto and a console over real HTTP."""

import asyncio
import sqlite3
import time
from operator import itemgetter

import cbor2
import httpx

from gateway.bridge.envelope import Envelope, open_envelope
from gateway.bridge.service import Parts
from tests.gateway.bridge.parts import (
    Broker,
    FakeConsole,
    Peer,
    alarm,
    heartbeat,
    running_console,
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


async def test_a_message_that_is_not_authentic_has_no_effect_and_the_next_one_has(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    async with running_bridge(site.settings(broker.port, console.url)) as bridge:
        peer = await Peer.connect(broker.port, DEVICE)
        topic, message = site.signed(alarm(1, 0), "alarm")
        await peer.publish(topic, message[:-1] + bytes((message[-1] ^ 1,)))
        await peer.publish(topic, b"\xff")
        await peer.publish(*site.signed(alarm(1, 1), "alarm"))
        await until(lambda: console.events, "the good one")
        await peer.close()
        counted = bridge.metrics.text().decode()
    assert list(console.events) == [f"{DEVICE}:1:1"]
    assert 'siaga_bridge_messages_total{result="tag"} 1.0' in counted
    assert 'siaga_bridge_messages_total{result="malformed"} 1.0' in counted


async def test_a_revoked_device_is_refused_within_a_second(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    async with running_bridge(site.settings(broker.port, console.url)) as bridge:
        peer = await Peer.connect(broker.port, DEVICE)
        await peer.publish(*site.signed(alarm(1, 0), "alarm"))
        await until(lambda: console.events, "the alarm before")
        site.registry.revoke(DEVICE, by="test")
        await asyncio.sleep(1)  # the promise itself: a second, not sooner
        await peer.publish(*site.signed(alarm(1, 1), "alarm"))
        await until(lambda: b'result="revoked"} 1.0' in bridge.metrics.text(), "the refusal")
        await peer.close()
    assert list(console.events) == [f"{DEVICE}:1:0"]


async def test_while_the_console_is_down_events_wait_and_then_go_once(
    broker: Broker, site: Site
) -> None:
    console = FakeConsole()
    async with running_console(console):
        settings = site.settings(broker.port, console.url)
    async with running_bridge(settings) as bridge:
        peer = await Peer.connect(broker.port, DEVICE)
        for seq in range(5):
            await peer.publish(*site.signed(alarm(1, seq), "alarm"))
        for seq in range(5, 9):
            await peer.publish(*site.signed(heartbeat(1, seq), "status"))
        await until(lambda: bridge.urgent_lane.is_up is False, "the console to be missed")
        async with running_console(console):
            await until(lambda: len(console.events) == 6, "everything")
        await peer.close()
    assert sorted(console.events) == [*(f"{DEVICE}:1:{seq}" for seq in range(5)), f"{DEVICE}:1:8"]


async def test_one_event_that_the_console_stumbles_over_does_not_hold_up_the_others(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    bad = f"{DEVICE}:1:2"
    console.status_for = lambda batch: 500 if any(one["id"] == bad for one in batch) else 200
    async with running_bridge(site.settings(broker.port, console.url)):
        peer = await Peer.connect(broker.port, DEVICE)
        for seq in range(6):
            await peer.publish(*site.signed(alarm(1, seq), "alarm"))
        await until(lambda: len(console.events) == 5, "the others")
        await peer.close()
    assert bad not in console.events


async def test_an_event_that_the_console_refuses_for_good_is_kept_for_a_technician(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    console.refuse = lambda event: "no such device" if event["id"] == f"{DEVICE}:1:0" else None
    async with running_bridge(site.settings(broker.port, console.url)) as bridge:
        peer = await Peer.connect(broker.port, DEVICE)
        await peer.publish(*site.signed(alarm(1, 0), "alarm"))
        await peer.publish(*site.signed(alarm(1, 1), "alarm"))
        await until(lambda: console.events, "the other")
        await until(bridge.journal.refused, "the answer to be on record")
        kept = bridge.journal.refused()
        await peer.close()
    assert [(reason, event_id) for _, reason, event_id in kept] == [
        ("no such device", f"{DEVICE}:1:0")
    ]


async def test_notices_become_signed_receipts_and_numbered_commands_each_once(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    settings = site.settings(broker.port, console.url)
    peer = await Peer.connect(broker.port, DEVICE)
    await peer.subscribe(DOWN)
    late = "2099-01-01T00:00:00Z"
    async with running_bridge(settings) as bridge:
        console.notify(kind="receipt", device=DEVICE, ref=f"{DEVICE}:7:3", stage="opened")
        console.notify(kind="command", device=DEVICE, command="identify", args={}, expires=late)
        console.notify(kind="something newer", device=DEVICE)
        await until(lambda: len(peer.heard) == 2, "receipt and command")
        await until(lambda: not bridge.journal.downlink(), "both to be struck off")
    async with running_bridge(settings):
        console.notify(
            kind="command", device=DEVICE, command="silence", args={"s": 1}, expires=late
        )
        console.notify(
            kind="command", device=DEVICE, command="reboot", expires="2001-01-01T00:00:00Z"
        )
        console.notify(kind="receipt", device=DEVICE, ref=f"{DEVICE}:7:3", stage="closed")
        await until(lambda: len(peer.heard) == 4, "the next two")
    bodies = [down_body(message) for _, message in peer.heard]
    await peer.close()
    assert all(site.is_authentic(*one) for one in peer.heard)
    assert [(one.get(11), one.get(12), one.get(13), one.get(14)) for one in bodies] == [
        (2, None, None, None),
        (None, 1, 1, None),
        (None, 2, 7, {"s": 1}),
        (7, None, None, None),
    ]


async def test_a_device_that_shows_itself_is_told_again_how_far_help_has_come(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    async with running_bridge(site.settings(broker.port, console.url)) as bridge:
        console.notify(kind="receipt", device=DEVICE, ref=f"{DEVICE}:7:3", stage="opened")
        # Nobody has subscribed: the broker acknowledges the receipt and drops it.
        await until(bridge.journal.notice_cursor, "the notice")
        await until(lambda: not bridge.journal.downlink(), "the receipt to be struck off")
        peer = await Peer.connect(broker.port, DEVICE)
        await peer.subscribe(DOWN)
        await peer.publish(*site.signed(heartbeat(7, 4), "status"))
        await until(lambda: peer.heard, "the receipt again")
        await peer.close()
    assert [(one[9], one[11]) for one in map(down_body, map(itemgetter(1), peer.heard))] == [
        ([7, 3], 2)
    ]


async def test_a_broker_without_its_memory_is_given_every_rung_again(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    settings = site.settings(broker.port, console.url)
    async with running_bridge(settings) as bridge:
        console.notify(kind="receipt", device=DEVICE, ref=f"{DEVICE}:7:3", stage="opened")
        console.notify(kind="receipt", device=DEVICE, ref=f"{DEVICE}:7:3", stage="accepted")
        await until(lambda: bridge.journal.notice_cursor() == "2", "the notices")
        await until(lambda: not bridge.journal.downlink(), "the receipts to be struck off")
    broker.stop()
    broker.forget()
    broker.start()
    peer = await Peer.connect(broker.port, DEVICE)
    await peer.subscribe(DOWN)
    async with running_bridge(settings):
        await until(lambda: peer.heard, "the newest rung")
    await peer.close()
    assert [down_body(message)[11] for _, message in peer.heard] == [4]


def down_body(message: bytes) -> dict[int, object]:
    envelope = open_envelope(message)
    assert isinstance(envelope, Envelope)
    body = cbor2.loads(envelope.payload)
    assert isinstance(body, dict)
    return body


async def test_a_receipt_is_signed_with_the_generation_that_the_device_uses(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    site.keys[DEVICE, 2] = site.registry.rotate_key(DEVICE, by="test").key
    async with running_bridge(site.settings(broker.port, console.url)):
        peer = await Peer.connect(broker.port, DEVICE)
        await peer.subscribe(DOWN)
        await peer.publish(*site.signed(alarm(1, 0), "alarm"))
        await until(lambda: len(peer.heard) == 1, "receipt for the old key")
        await peer.publish(*site.signed(alarm(1, 1), "alarm", generation=2))
        await until(lambda: len(peer.heard) == 2, "receipt for the new key")
        await peer.close()
    assert site.is_authentic(*peer.heard[0], generation=1)
    assert site.is_authentic(*peer.heard[1], generation=2)


async def test_a_device_whose_will_arrives_is_lost_after_a_minute_and_restored_by_a_message(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    shift_ms = [0]
    parts = Parts(now_ms=lambda: time.time_ns() // 10**6 + shift_ms[0])
    async with running_bridge(site.settings(broker.port, console.url), parts):
        peer = await Peer.connect(broker.port, DEVICE)
        await peer.publish(*site.signed(heartbeat(1, 0), "status"))
        await peer.publish(*site.signed(heartbeat(1, 1, _16=6), "status"))
        await until(lambda: len(console.events) == 2, "heartbeat and will")
        shift_ms[0] = 61_000
        await until(lambda: console.of_type("lost"), "the loss")
        await peer.publish(*site.signed(heartbeat(1, 2), "status"))
        await until(lambda: console.of_type("restored"), "the return")
        await peer.close()
    (lost,), (restored,) = console.of_type("lost"), console.of_type("restored")
    assert (lost["id"], restored["id"]) == (f"{DEVICE}:lost:1", f"{DEVICE}:restored:1")


async def test_a_locked_journal_stops_acknowledgements_and_goes_on_by_itself(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    settings = site.settings(broker.port, console.url)
    async with running_bridge(settings) as bridge:
        peer = await Peer.connect(broker.port, DEVICE)
        other = sqlite3.connect(settings.journal, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await peer.publish(*site.signed(alarm(1, 0), "alarm"))
        await until(bridge.problems, "the trouble to be noticed")
        assert console.events == {}
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: console.events, "the alarm")
        assert bridge.problems() == []
        await peer.close()


async def test_a_full_disk_stops_acknowledgements_and_goes_on_by_itself(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    async with running_bridge(site.settings(broker.port, console.url)) as bridge:
        peer = await Peer.connect(broker.port, DEVICE)
        connection = bridge.journal._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        for seq in range(300):
            await peer.publish(*site.signed(alarm(1, seq), "alarm"))
        await until(bridge.problems, "the trouble to be noticed")
        connection.execute("PRAGMA max_page_count = 1000000")
        await until(lambda: len(console.events) == 300, "every alarm")
        await peer.close()


async def test_health_readiness_and_metrics_are_served(
    broker: Broker, console: FakeConsole, site: Site
) -> None:
    settings = site.settings(broker.port, console.url, http_port=0)
    async with running_bridge(settings) as bridge:
        answers = {}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bridge.health.port}") as client:
            for path in ("/healthz", "/readyz", "/metrics", "/other"):
                answers[path] = await client.get(path)
            broker.stop()
            await until(bridge.problems, "the loss")
            down = await client.get("/readyz")
        broker.start()
    assert [one.status_code for one in answers.values()] == [200, 200, 200, 404]
    assert "siaga_bridge_backlog_urgent 0.0" in answers["/metrics"].text
    assert (down.status_code, down.text.count("broker")) == (503, 2)
