"""Publishes prepared packets as fast as the broker takes them: `ingest_load PORT FILE`."""

import socket
import sys
import threading
from pathlib import Path

_CHUNK = 64 * 1024


def publish_packet(topic: str, packet_id: int, payload: bytes) -> bytes:
    """Encode a QoS 1 PUBLISH (MQTT 3.1.1 §3.3) of at most 16,383 bytes."""
    name = topic.encode()
    content = len(name).to_bytes(2, "big") + name + packet_id.to_bytes(2, "big") + payload
    size = len(content)
    length = bytes((size,)) if size < 128 else bytes((size & 0x7F | 0x80, size >> 7))
    return b"\x32" + length + content


def connect(port: int, name: bytes = b"load") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    head = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2, "big") + name
    connection.sendall(b"\x10" + bytes((len(head),)) + head)
    assert connection.recv(4)[3] == 0
    return connection


def main() -> None:
    packets = Path(sys.argv[2]).read_bytes()
    connection = connect(int(sys.argv[1]))
    acknowledged = threading.Thread(target=_drop_answers, args=(connection,), daemon=True)
    acknowledged.start()
    print("ready", flush=True)
    sys.stdin.readline()
    for at in range(0, len(packets), _CHUNK):
        connection.sendall(packets[at : at + _CHUNK])
    print("sent", flush=True)
    sys.stdin.readline()


def _drop_answers(connection: socket.socket) -> None:
    while connection.recv(_CHUNK):
        pass


if __name__ == "__main__":
    main()
