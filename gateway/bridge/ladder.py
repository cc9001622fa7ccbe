"""How far help has come, said again: a broker that dies takes along what it had accepted.

The broker's acknowledgement of a receipt says nothing of the device: its session may be gone,
and with it the receipt. So the newest rung of each alarm is kept and repeated whenever a
device shows itself (it does at each connection), or the broker has forgotten the gateway's own
session. On the device a repeated receipt changes nothing: stages only rise (docs/protocol.md §4).
"""

from typing import Final

from gateway.bridge.transaction import Transaction

# On the device an alarm is over after 60 minutes at the latest (docs/protocol.md §4).
REMEMBERED_MS: Final = 90 * 60 * 1000


def rise(
    transaction: Transaction, device: str, ref: tuple[int, int], stage: int, now_ms: int
) -> None:
    """Owe a device the receipt of a new stage, and remember it."""
    transaction.add_receipt(device, ref, stage)
    transaction.keep_rung(device, ref, stage, now_ms)
    transaction.forget_rungs(now_ms - REMEMBERED_MS)


def repeat(transaction: Transaction, device: str, now_ms: int) -> None:
    """Owe a device that has shown itself the newest receipts again."""
    rung_ms = transaction.rung_ms(device)
    if rung_ms is not None and rung_ms >= now_ms - REMEMBERED_MS:
        _repeat(transaction, now_ms, device)


def repeat_all(transaction: Transaction, now_ms: int) -> None:
    """Owe all devices their newest receipts again."""
    _repeat(transaction, now_ms, None)


def _repeat(transaction: Transaction, now_ms: int, device: str | None) -> None:
    for name, boot, seq, stage in transaction.rungs(now_ms - REMEMBERED_MS, device):
        transaction.add_receipt(name, (boot, seq), stage)
