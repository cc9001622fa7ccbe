"""Runs on MicroPython: one vector a line in, what the button's codec makes of it a line out."""

import binascii
import json
import sys

from firmware.button import cose
from firmware.button.errors import MessageRefused


def with_integer_keys(value: object) -> object:
    if isinstance(value, dict):
        return {int(key): with_integer_keys(item) for key, item in value.items()}
    return value


def judge(vector: dict[str, str], key: bytes) -> str:
    topic = vector["topic"].encode()
    kid = topic.split(b"/")[-2] + b"#1"
    message = binascii.unhexlify(vector["message_hex"])
    try:
        body = cose.unseal(message, key, kid, topic)
    except MessageRefused as refusal:
        return refusal.reason
    if body != with_integer_keys(vector["body"]):
        return "another body"
    return "ok" if cose.seal(body, key, kid, topic) == message else "other bytes"


secret = binascii.unhexlify(sys.argv[1])
for line in sys.stdin:
    print(judge(json.loads(line), secret))  # noqa: T201 - stdout is how a board answers
