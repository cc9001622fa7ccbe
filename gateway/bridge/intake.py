"""What one arrived message leaves in the journal."""

import hashlib

from gateway.bridge.enrich import conflict_data, restored_data
from gateway.bridge.ladder import repeat
from gateway.bridge.state import (
    DeviceState,
    Essence,
    Novelty,
    after,
    compare,
    essence_of,
    is_newest,
)
from gateway.bridge.transaction import Pending, Transaction
from gateway.bridge.verify import Event, Refusal
from gateway.bridge.wire import Stage, Type

_LANES = {Type.ALARM: 0, Type.DRILL: 0, Type.CANCEL: 0, Type.TRACK: 1}
_BULK = 2


def record(
    transaction: Transaction, topic: str, message: bytes, verdict: Event | Refusal, now_ms: int
) -> str:
    """Write down what a message means and return one word for the counters."""
    if isinstance(verdict, Refusal):
        transaction.quarantine(now_ms, verdict.reason, topic, message)
        return verdict.reason.value
    state = transaction.state(verdict.device)
    if verdict.is_heartbeat and is_newest(verdict, state):
        _take(transaction, verdict, state, now_ms)
        repeat(transaction, verdict.device, now_ms)
        return Novelty.NEW.name.lower()
    essence = essence_of(verdict, now_ms)
    novelty, first = _compare(transaction, verdict, state, essence)
    if novelty is Novelty.NEW:
        if not verdict.is_heartbeat:
            _keep(transaction, verdict, essence, now_ms)
        _take(transaction, verdict, state, now_ms)
    elif novelty is Novelty.CONFLICT and first is not None:
        _raise_conflict(transaction, verdict, (first, essence), (topic, message), now_ms)
    if verdict.wants_receipt and novelty in (Novelty.NEW, Novelty.DUPLICATE):
        transaction.add_receipt(verdict.device, (verdict.boot, verdict.seq), Stage.STORED)
    if not verdict.is_will and novelty is not Novelty.CONFLICT:
        repeat(transaction, verdict.device, now_ms)
    return novelty.name.lower()


def _compare(
    transaction: Transaction, event: Event, state: DeviceState | None, essence: Essence
) -> tuple[Novelty, Essence | None]:
    if state is None or is_newest(event, state):
        return Novelty.NEW, None
    first = transaction.first(event.device, event.boot, event.seq)
    return compare(event, state, essence, first)


def _keep(transaction: Transaction, event: Event, essence: Essence, now_ms: int) -> None:
    transaction.remember(event.device, event.boot, event.seq, essence)
    transaction.add_event(
        Pending(
            id=0,
            lane=_LANES.get(Type(event.type), _BULK),
            event_id=event.identity,
            type=Type(event.type).name.lower(),
            device=event.device,
            received_ms=now_ms,
            payload=event.payload,
        )
    )


def _take(transaction: Transaction, event: Event, state: DeviceState | None, now_ms: int) -> None:
    """Move the device's memory on; a lost device that speaks is restored."""
    new = after(event, state, now_ms)
    transaction.put_state(event.device, new)
    if state is not None and state.lost_ms is not None and new.lost_ms is None:
        transaction.add_event(
            Pending(
                id=0,
                lane=_BULK,
                event_id=f"{event.device}:restored:{state.losses}",
                type="restored",
                device=event.device,
                received_ms=now_ms,
                payload=restored_data(event.body, state.lost_ms, now_ms),
            )
        )


def _raise_conflict(
    transaction: Transaction,
    event: Event,
    essences: tuple[Essence, Essence],
    arrived: tuple[str, bytes],
    now_ms: int,
) -> None:
    """Tell technicians once of a second message under a name that is taken."""
    digest = hashlib.sha256(arrived[1]).hexdigest()[:16]
    conflict_id = f"{event.identity}:conflict:{digest}"
    if not transaction.add_conflict(conflict_id):
        return
    transaction.quarantine(now_ms, Novelty.CONFLICT.name.lower(), *arrived)
    transaction.add_event(
        Pending(
            id=0,
            lane=_BULK,
            event_id=conflict_id,
            type="conflict",
            device=event.device,
            received_ms=now_ms,
            payload=conflict_data(event.device, event.body, *essences, now_ms),
        )
    )
