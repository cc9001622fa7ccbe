"""A broker that stops the time and answers receipts, and a button on MicroPython to press."""

import base64
import datetime as dt
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from firmware.button import mqtt_packets
from firmware.button.cose import seal, unseal

ROOT = Path(__file__).resolve().parent.parent
_DEVICE = "BENCH-1"
_KEY = bytes(32)
_KID = f"{_DEVICE}#1".encode()
_ALARM = f"siaga/v1/{_DEVICE}/alarm"
_DOWN = f"siaga/v1/{_DEVICE}/down"
_LIMIT_S = 5.0


class StopwatchBroker:
    """Speaks just enough MQTT over TLS for one button at a time, and confirms its alarms."""

    def __init__(self, directory: Path) -> None:
        self.online = threading.Event()
        self.published = threading.Event()
        self.published_at = 0.0
        self.ca_file = directory / "ca.crt"
        key_file = directory / "broker.key"
        _write_certificate(self.ca_file, key_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, key_file)
        plain = socket.create_server(("127.0.0.1", 0))
        self.port: int = plain.getsockname()[1]
        self._server = context.wrap_socket(plain, server_side=True)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept nobody any more."""
        self._server.close()

    def _accept(self) -> None:
        while self._server.fileno() >= 0:
            try:
                connection, _ = self._server.accept()
                self._serve(connection)
            except OSError:
                continue

    def _serve(self, connection: ssl.SSLSocket) -> None:
        with connection, connection.makefile("rb") as stream:
            while first := stream.read(1):
                arrived = time.perf_counter()
                body = stream.read(_length(stream.read))
                if first == b"\x10":
                    connection.sendall(b"\x20\x02\x00\x00")
                elif first == b"\x82":
                    connection.sendall(b"\x90\x03" + body[:2] + b"\x01")
                    self.online.set()
                elif first == b"\x32":
                    self._take(connection, body, arrived)

    def _take(self, connection: ssl.SSLSocket, body: bytes, arrived: float) -> None:
        end = 2 + int.from_bytes(body[:2], "big")
        connection.sendall(b"\x40\x02" + body[end : end + 2])
        if body[2:end].decode() == _ALARM:
            self.published_at = arrived
            self.published.set()
            alarm = unseal(body[end + 2 :], _KEY, _KID, _ALARM.encode())
            receipt: dict[int, object] = {
                0: 16,
                3: int(time.time()),
                9: [alarm[1], alarm[2]],
                11: 1,
            }
            message = seal(receipt, _KEY, _KID, _DOWN.encode())
            connection.sendall(mqtt_packets.publish(_DOWN, message, 1))


def _length(read: Callable[[int], bytes]) -> int:
    length = shift = 0
    while True:
        byte = read(1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return length


def _write_certificate(ca_file: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    ca_file.write_bytes(certificate.public_bytes(pem))
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


class BenchButton:
    """The host board on MicroPython with a heap of `heap_k` KiB."""

    def __init__(self, directory: Path, broker: StopwatchBroker, heap_k: int) -> None:
        directory.mkdir()
        credentials = directory / "credentials.json"
        mqtt = {"host": "localhost", "port": broker.port, "tls": True}
        mqtt |= {"ca_file": str(broker.ca_file), "client_id": _DEVICE, "username": _DEVICE}
        mqtt |= {"password": "made-up", "prefix": "siaga/v1"}
        identity = {"device_id": _DEVICE, "key": base64.urlsafe_b64encode(_KEY).decode()}
        content = {**identity, "generation": 1, "kind": "handheld", "mqtt": mqtt}
        credentials.write_text(json.dumps(content), encoding="utf-8")
        control = directory / "control"
        os.mkfifo(control)
        self.lines: list[str] = []
        interpreter = str(Path(sys.executable).parent / "micropython")
        self._process = subprocess.Popen(
            [
                *(interpreter, "-X", f"heapsize={heap_k}k", "-m", "firmware.button.boards.host"),
                *("--credentials", str(credentials), "--flash", str(directory / "flash")),
                *("--control", str(control)),
            ],
            cwd=ROOT,
            # Modules are found from the folder it runs in, as on a board: the names of their
            # files are in the heap, and must not be as long as the way to this checkout.
            env={**os.environ, "MICROPYPATH": ".frozen"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._control = os.open(control, os.O_RDWR)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def press(self) -> None:
        """Press once."""
        os.write(self._control, b"press\n")

    def saw(self, start: str, count: int) -> bool:
        """Wait for the `count`-th line that begins so; say whether it came."""
        deadline = time.monotonic() + _LIMIT_S
        while sum(line.startswith(start) for line in self.lines) < count:
            if time.monotonic() > deadline or self._process.poll() is not None:
                return False
            time.sleep(0.01)
        return True

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        os.close(self._control)

    def _read(self) -> None:
        if self._process.stdout is not None:
            self.lines.extend(self._process.stdout)
