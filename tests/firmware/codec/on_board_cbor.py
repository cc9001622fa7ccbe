"""Runs on both Pythons: bytes in, one item a line; what they decode and encode to again, out."""

import binascii
import sys

from firmware.button import cbor
from firmware.button.errors import MalformedCborError


def answer(line: str) -> str:
    try:
        value = cbor.decode(binascii.unhexlify(line.strip()))
    except MalformedCborError as error:
        return f"refused: {error}"
    if isinstance(value, cbor.Tagged):
        return f"tag {value.number}"
    return binascii.hexlify(cbor.encode(value)).decode()


if __name__ == "__main__":
    for given in sys.stdin:
        print(answer(given))  # noqa: T201 - stdout is how a board answers
