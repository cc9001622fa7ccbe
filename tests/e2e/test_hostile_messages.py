"""Forged, replayed and cloned messages have no effect but their record."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cbor2
import httpx
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.e2e.deployment import Deployment, Desk, Json, credentials_of
from tests.e2e.programs import until

DEVICE = "TRK-000123"
TOPIC = f"siaga/v1/{DEVICE}/alarm"
ALARM = {0: 1, 1: 1, 2: 0, 3: 1_790_000_000, 4: 0, 5: 0, 6: 1}


class Stranger:
    """Somebody who has a device's MQTT password, and perhaps its key."""

    def __init__(self, credentials: Json) -> None:
        self._key = base64.urlsafe_b64decode(credentials["key"] + "==")
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=DEVICE)
        broker = credentials["mqtt"]
        self._client.username_pw_set(broker["username"], broker["password"])
        self._client.tls_set_context(ssl.create_default_context(cafile=broker["ca_file"]))
        connected = threading.Event()
        self._client.on_connect = lambda *_: connected.set()
        self._client.connect(broker["host"], broker["port"])
        self._client.loop_start()
        assert connected.wait(20)

    def sealed(self, body: dict[int, object], key: bytes | None = None) -> bytes:
        protected = cbor2.dumps({1: 5})
        payload = cbor2.dumps(body, canonical=True)
        to_sign = cbor2.dumps(["MAC0", protected, TOPIC.encode(), payload])
        tag = hmac.digest(key or self._key, to_sign, hashlib.sha256)
        kid = f"{DEVICE}#1".encode()
        return cbor2.dumps(cbor2.CBORTag(17, [protected, {4: kid}, payload, tag]))

    def publish(self, message: bytes, topic: str = TOPIC) -> None:
        self._client.publish(topic, message, qos=1).wait_for_publish(20)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def stranger(credentials: Path) -> Iterator[Stranger]:
    person = Stranger(credentials_of(credentials))
    try:
        yield person
    finally:
        person.close()


def counted(city: Deployment) -> dict[str, float]:
    """What the gateway's messages turned out to be."""
    text = httpx.get(f"http://127.0.0.1:{city.gateway_port}/metrics", timeout=5).text
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line.startswith("siaga_bridge_messages_total{"):
            found[line.split('"')[1]] = float(line.rsplit(" ", 1)[1])
    return found


def test_forged_replayed_and_cloned_messages_leave_only_their_record(city: Deployment) -> None:
    city.add_staff()
    credentials = city.add_device(DEVICE)
    with (
        city.broker(),
        city.console(),
        city.gateway(),
        stranger(credentials) as person,
        Desk(city, "rini") as desk,
    ):
        genuine = person.sealed({**ALARM})
        person.publish(genuine)
        case = desk.await_case(state="received")
        before = desk.case(case["id"])

        person.publish(person.sealed({**ALARM, 2: 1}, key=bytes(32)))
        until(lambda: counted(city).get("tag") == 1, "the forgery's record")
        person.publish(genuine)
        person.publish(person.sealed({**ALARM, 6: 2}))

        def conflicts() -> list[Json]:
            history: list[Json] = desk.get(f"/v1/devices/{DEVICE}")["history"]
            return [item for item in history if item["kind"] == "conflict"]

        until(conflicts, "the clone's record")
        after = desk.case(case["id"])
        assert len(desk.cases()) == 1
        assert after["presses"] == before["presses"]
        assert after["version"] == before["version"]
    kept = json.loads(city.command("gateway", "quarantine", "--json"))
    assert [message["reason"] for message in kept] == ["tag", "conflict"]
    city.command("verify")
