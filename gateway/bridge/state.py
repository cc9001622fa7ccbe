"""What the bridge remembers of a device, and what a new message does to it: pure."""

import struct
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final

import cbor2
import msgspec

from gateway.bridge.verify import Event
from gateway.bridge.wire import Field, Type

RECENT_HEARTBEATS: Final = 16
_ENTRY: Final = struct.Struct(">QQq")  # boot, seq, time or -1
_TIME: Final = int(Field.TIME)
_ESSENTIALS: Final = (
    ("type", int(Field.TYPE)),
    ("category", int(Field.CATEGORY)),
    ("trigger", int(Field.TRIGGER)),
    ("time", _TIME),
    ("ref", int(Field.REF)),
)


class DeviceState(msgspec.Struct, frozen=True, gc=False):
    """One device's memory, durable in the journal. Times are Unix milliseconds, UTC.

    `top_*` is the highest identity of any event, `recent` the identities of its last heartbeats,
    `heartbeat` the payload of the newest one while the console has not got it.
    """

    generation: int
    top_boot: int = -1
    top_seq: int = -1
    recent: bytes = b""
    heard_ms: int = 0
    will_ms: int | None = None
    lost_ms: int | None = None
    losses: int = 0
    heartbeat: bytes | None = None
    heartbeat_ms: int = 0


class Essence(msgspec.Struct, frozen=True, gc=False):
    """What two messages of one identity must agree on (docs/protocol.md §4)."""

    type: int
    category: int | None = None
    trigger: int | None = None
    time: int | None = None
    ref: tuple[int, int] | None = None
    occurred_ms: int | None = None

    def agrees_with(self, other: "Essence") -> bool:
        """Compare all but when it happened, which a retransmission may tell less exactly."""
        return self.packed() == other.packed()

    def packed(self) -> bytes:
        """Return the compact form that the journal keeps."""
        return cbor2.dumps([self.type, self.category, self.trigger, self.time, self.ref])

    @classmethod
    def unpacked(cls, data: bytes, occurred_ms: int | None) -> "Essence":
        """Read the compact form back."""
        kind, category, trigger, time, ref = cbor2.loads(data)
        return cls(kind, category, trigger, time, tuple(ref) if ref else None, occurred_ms)


class Novelty(Enum):
    """How an authentic message relates to what has been seen of its device."""

    NEW = auto()
    DUPLICATE = auto()
    STALE = auto()  # a heartbeat that an earlier-arrived newer one has overtaken
    CONFLICT = auto()


def essence_of(event: Event, received_ms: int) -> Essence:
    """Extract what identifies the content of an event, whose body has been checked."""
    essentials = {name: event.body.get(key) for name, key in _ESSENTIALS}
    essentials["occurred_ms"] = occurred_ms(event.body, received_ms)
    return msgspec.convert(essentials, Essence)


def occurred_ms(body: dict[int, object], received_ms: int) -> int | None:
    """Return when an event happened: by the device's clock, else by its age, else None."""
    time, age = body[_TIME], body[int(Field.AGE_MS)]
    if isinstance(time, int):
        return time * 1000
    return received_ms - age if isinstance(age, int) else None


def is_newest(event: Event, state: DeviceState | None) -> bool:
    """Say whether nothing at or above this identity has been seen; then it is surely new."""
    return state is None or (event.boot, event.seq) > (state.top_boot, state.top_seq)


def compare(
    event: Event, state: DeviceState, essence: Essence, first: Essence | None
) -> tuple[Novelty, Essence | None]:
    """Judge an event that may have been seen; `first` is what the journal holds under its name.

    Returns the first message's essence with DUPLICATE and CONFLICT.
    """
    first = first or _recent_heartbeat(event, state)
    if first is not None:
        agreed = first.agrees_with(essence)
        return (Novelty.DUPLICATE if agreed else Novelty.CONFLICT), first
    if event.is_heartbeat and (event.boot, event.seq) <= _newest_heartbeat(state):
        return Novelty.STALE, None
    return Novelty.NEW, None


def after(event: Event, state: DeviceState | None, received_ms: int) -> DeviceState:
    """Return the memory after a new event: any but a will is a sign of life."""
    state = state or DeviceState(event.generation)
    top = max((event.boot, event.seq), (state.top_boot, state.top_seq))
    generation = max(event.generation, state.generation)
    recent, heartbeat, heartbeat_ms = state.recent, state.heartbeat, state.heartbeat_ms
    if event.is_will:
        # A will of an earlier start says nothing of a device that has started again since.
        is_current = event.boot >= state.top_boot
        will_ms = received_ms if is_current else state.will_ms
        heard_ms, lost_ms = state.heard_ms or received_ms, state.lost_ms
    else:
        will_ms, heard_ms, lost_ms = None, max(received_ms, state.heard_ms), None
    if event.is_heartbeat:
        recent = _remember(recent, event)
        heartbeat, heartbeat_ms = event.payload, received_ms
    return DeviceState(
        generation,
        top[0],
        top[1],
        recent,
        heard_ms,
        will_ms,
        lost_ms,
        state.losses,
        heartbeat,
        heartbeat_ms,
    )


def _remember(recent: bytes, event: Event) -> bytes:
    time = event.body[_TIME]
    entry = _ENTRY.pack(event.boot, event.seq, time if isinstance(time, int) else -1)
    return recent[-_ENTRY.size * (RECENT_HEARTBEATS - 1) :] + entry


def _recent(state: DeviceState) -> Iterator[tuple[int, int, int]]:
    yield from _ENTRY.iter_unpack(state.recent)


def _recent_heartbeat(event: Event, state: DeviceState) -> Essence | None:
    for boot, seq, time in _recent(state):
        if (boot, seq) == (event.boot, event.seq):
            known = time if time >= 0 else None
            return Essence(
                int(Type.STATUS), time=known, occurred_ms=None if known is None else known * 1000
            )
    return None


def _newest_heartbeat(state: DeviceState) -> tuple[int, int]:
    return max(((boot, seq) for boot, seq, _ in _recent(state)), default=(-1, -1))
