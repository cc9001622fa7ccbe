"""Anchors: copies of the log's head outside of the database.

A hash chain shows that nothing inside it changed, but not that its end was cut off, nor
that all of it was computed anew. An anchor names the head at a time; a log that does not
hold it any more was cut or rewritten. One line of JSON each hour goes to a file, which may
lie on another disk or be copied off the machine, and each document for the data centre
carries the head of its moment as well.

What this can't find: events cut off that are younger than the latest anchor that survived;
and anything at all, if the one who rewrites the log can rewrite every copy of its anchors.
"""

import os
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from console_api.store.engine import reading
from console_api.store.log import Head, head


class Anchor(msgspec.Struct, frozen=True):
    """The log's head at a time; `hash` is in hexadecimal."""

    seq: int
    hash: str
    at: datetime


def write_anchor(connection: Connection, path: Path, now: datetime) -> Anchor:
    """Append the log's head to the anchor file and wait until it is on the disk."""
    with reading(connection):
        now_head: Head = head(connection)
    anchor = Anchor(seq=now_head.seq, hash=now_head.hash.hex(), at=now)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, msgspec.json.encode(anchor) + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return anchor


def read_anchors(path: Path) -> tuple[list[Anchor], list[int]]:
    """Return the anchors of a file and the numbers of the lines that are none.

    A last line without its end is what a power cut leaves, and no anchor.
    """
    anchors, bad = [], []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            anchors.append(msgspec.json.decode(line, type=Anchor))
        except (msgspec.DecodeError, UnicodeDecodeError):
            bad.append(number)
    return anchors, bad
