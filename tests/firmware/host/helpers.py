"""A real broker with TLS, real buttons as processes, and a gateway made of other parts."""

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

ROOT = Path(__file__).resolve().parents[3]
MICROPYTHON = (str(Path(sys.executable).parent / "micropython"), "-X", "heapsize=2M")
CPYTHON = (sys.executable,)
DEVICE = "TRK-000123"
KEY = bytes(range(32))
PREFIX = "siaga/v1"
LIMIT_S = 20.0
T = TypeVar("T")


def wait_until(condition: Callable[[], T], limit_s: float = LIMIT_S) -> T:
    """Return the condition's first true value; fail when the time is over."""
    deadline = time.monotonic() + limit_s
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


class Authority:
    """A certificate authority and one broker certificate of it."""

    def __init__(self, directory: Path, name: str = "localhost") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.ca_file = directory / "ca.crt"
        self.certificate = directory / "broker.crt"
        self.key = directory / "broker.key"
        ca_key, key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        root = _certificate("root", "root", ca_key.public_key(), ca_key, ca=True, names=())
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if name == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        leaf = _certificate(name, "root", key.public_key(), ca_key, ca=False, names=names)
        pem = serialization.Encoding.PEM
        self.ca_file.write_bytes(root.public_bytes(pem))
        self.certificate.write_bytes(leaf.public_bytes(pem))
        self.key.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
    names: "tuple[x509.GeneralName, ...] | list[x509.GeneralName]",
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())


class Mosquitto:
    """The real broker with TLS, on one port for its whole life."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.authority = authority
        self._config = directory / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
            f"certfile {authority.certificate}\nkeyfile {authority.key}\n"
            f"user {os.environ.get('USER', 'root')}\n",
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["/usr/sbin/mosquitto", "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Keep all connections open and answer nothing: half-open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class Gateway:
    """Verifies with cbor2 and hmac, answers receipts, remembers what came."""

    def __init__(self, port: int, ca_file: Path) -> None:
        self.answering = True
        self.bodies: list[tuple[str, dict[int, object]]] = []
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="gateway", clean_session=False
        )
        self._client.tls_set(str(ca_file), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.on_connect = self._connected
        self._client.on_message = self._received
        self._subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect("localhost", port)
        self._client.loop_start()
        assert self._subscribed.wait(LIMIT_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def alarms(self) -> list[dict[int, object]]:
        return [body for lane, body in self.bodies if lane == "alarm"]

    def statuses(self, reason: int) -> list[dict[int, object]]:
        return [body for lane, body in self.bodies if lane == "status" and body[16] == reason]

    def receipt(self, identity: object, stage: int, *, key: bytes = KEY) -> None:
        self._publish({0: 16, 3: int(time.time()), 9: identity, 11: stage}, key)

    def command(self, counter: int, kind: int, args: dict[str, object] | None = None) -> None:
        now = int(time.time())
        body: dict[int, object] = {0: 17, 3: now, 12: counter, 13: kind, 15: now + 60}
        if args is not None:
            body[14] = args
        self._publish(body, KEY)

    def publish_raw(self, payload: bytes) -> None:
        self._client.publish(f"{PREFIX}/{DEVICE}/down", payload, qos=1)

    def _publish(self, body: dict[int, object], key: bytes) -> None:
        topic = f"{PREFIX}/{DEVICE}/down"
        self._client.publish(topic, _seal(body, key, topic), qos=1)

    def _connected(self, client: paho.Client, *_: object) -> None:
        client.subscribe([(f"{PREFIX}/+/{lane}", 1) for lane in ("alarm", "track", "status")])

    def _received(self, _: object, __: object, message: paho.MQTTMessage) -> None:
        body = _unseal(bytes(message.payload), message.topic)
        lane = message.topic.split("/")[-1]
        self.bodies.append((lane, body))
        if lane == "alarm" and self.answering:
            self.receipt([body[1], body[2]], 1)


def _mac(protected: bytes, topic: str, payload: bytes, key: bytes) -> bytes:
    structure = cbor2.dumps(["MAC0", protected, topic.encode(), payload])
    return hmac.new(key, structure, hashlib.sha256).digest()


def _seal(body: dict[int, object], key: bytes, topic: str) -> bytes:
    protected, payload = cbor2.dumps({1: 5}), cbor2.dumps(body, canonical=True)
    kid = f"{DEVICE}#1".encode()
    parts = [protected, {4: kid}, payload, _mac(protected, topic, payload, key)]
    return cbor2.dumps(cbor2.CBORTag(17, parts))


def _unseal(message: bytes, topic: str) -> dict[int, object]:
    tagged = cbor2.loads(message)
    assert tagged.tag == 17
    protected, unprotected, payload, tag = tagged.value
    assert unprotected == {4: f"{DEVICE}#1".encode()}
    assert tag == _mac(protected, topic, payload, KEY)
    assert len(message) <= 140 or topic.endswith("status")
    body: dict[int, object] = cbor2.loads(payload)
    return body


class ButtonProcess:
    """The host board as its own process, pressed through a FIFO."""

    def __init__(
        self,
        python: tuple[str, ...],
        directory: Path,
        port: int,
        ca_file: Path,
        *,
        host: str = "localhost",
        gnss: Path | None = None,
        module: tuple[str, ...] = ("-m", "firmware.button.boards.host"),
        path: str = str(ROOT),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.flash = directory / "flash"
        self.lines: list[str] = []
        self._ended = False
        credentials = directory / "credentials.json"
        credentials.write_text(json.dumps(credentials_of(host, port, ca_file)), encoding="utf-8")
        control = directory / "control"
        if not control.exists():
            os.mkfifo(control)
        options = ["--credentials", str(credentials), "--flash", str(self.flash)]
        options += ["--control", str(control)]
        if gnss is not None:
            options += ["--gnss", str(gnss)]
        self._process = subprocess.Popen(
            [*python, *module, *options],
            cwd=ROOT,
            env={**os.environ, "MICROPYPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._control = os.open(control, os.O_RDWR)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self.lines.extend(line.rstrip("\n") for line in self._process.stdout)

    def say(self, line: str) -> None:
        os.write(self._control, f"{line}\n".encode())

    def wait_for(self, start: str, *, count: int = 1, limit_s: float = LIMIT_S) -> str:
        """Return the `count`-th line that begins so."""

        def found() -> list[str]:
            lines = [line for line in self.lines if line.startswith(start)]
            return lines[count - 1 : count]

        deadline = time.monotonic() + limit_s
        while not found():
            assert time.monotonic() < deadline, f"no line {start!r} in {self.lines}"
            time.sleep(0.01)
        return found()[0]

    def lights(self) -> list[str]:
        return [line.split()[1] for line in self.lines if line.startswith("light ")]

    def kill(self) -> None:
        self._process.kill()
        self._end()

    def end_if_running(self) -> None:
        if not self._ended:
            self.kill()

    def signal(self, number: int) -> int:
        self._process.send_signal(number)
        return self._end()

    def quit(self) -> int:
        self.say("quit")
        return self._end()

    def wait(self) -> int:
        return self._end()

    def _end(self) -> int:
        self._ended = True
        code = self._process.wait(LIMIT_S)
        self._reader.join(LIMIT_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        os.close(self._control)
        return code


def credentials_of(host: str, port: int, ca_file: Path) -> dict[str, object]:
    return {
        "device_id": DEVICE,
        "key": base64.urlsafe_b64encode(KEY).decode().rstrip("="),
        "generation": 1,
        "kind": "handheld",
        "category": "ambulance",
        "mqtt": {
            "host": host,
            "port": port,
            "tls": True,
            "ca_file": str(ca_file),
            "client_id": DEVICE,
            "username": DEVICE,
            "password": "made-up",
            "prefix": PREFIX,
        },
    }
