"""Receipts and commands on their way down: sealed when sent, owed until the broker has them."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import structlog

from gateway.bridge.envelope import seal
from gateway.bridge.errors import LinkLostError, PublishRefusedError
from gateway.bridge.mqtt import Session
from gateway.bridge.pipeline import Pipeline
from gateway.bridge.state import DeviceState
from gateway.bridge.transaction import Downlink, Transaction
from gateway.bridge.wire import Field
from gateway.registry.directory import Directory
from gateway.registry.errors import RegistryError
from gateway.registry.model import Device, DeviceStatus, Key

_RETRY_S: Final = 1.0
StateOf = Callable[[str], DeviceState | None]


def key_for(device: Device, state: DeviceState | None) -> Key | None:
    """Choose the newest generation that the device has shown it has, else the newest there is."""
    usable = {number: key for number, key in device.keys.items() if not key.retired}
    if device.status is DeviceStatus.REVOKED or not usable:
        return None
    used = usable.get(state.generation) if state is not None else None
    return used or usable[max(usable)]


def sealed(
    item: Downlink, topic: str, directory: Directory, state: DeviceState | None, now_s: int
) -> bytes | None:
    """Return the message to publish now; None when nobody could or should take it any more."""
    device = directory.device(item.device)
    key = key_for(device, state) if device is not None else None
    expires = item.body.get(Field.EXPIRES)
    if key is None or (isinstance(expires, int) and expires <= now_s):
        return None
    body = {**item.body, int(Field.TIME): now_s}
    return seal(topic, f"{item.device}#{key.generation}", key.secret, body)


class DownlinkSender:
    """Publishes what is owed, in order, again on each new connection until acknowledged."""

    def __init__(
        self,
        pipeline: Pipeline,
        directory: Directory,
        state_of: StateOf,
        prefix: str,
        now_ms: Callable[[], int],
    ) -> None:
        self._pipeline = pipeline
        self._directory = directory
        self._state_of = state_of
        self._prefix = prefix
        self._now_ms = now_ms
        self._owed: dict[int, Downlink] = {}
        self._settled: deque[int] = deque()
        self._wake = asyncio.Event()
        self._session: Session | None = None
        self._log = structlog.get_logger()

    @property
    def owed(self) -> int:
        """Count what the broker has not acknowledged."""
        return len(self._owed)

    def add(self, items: Iterable[Downlink]) -> None:
        """Owe these; they are in the journal already."""
        for item in items:
            self._owed[item.id] = item
            self._send(item)

    def connected(self, session: Session) -> None:
        """Send everything owed on a new connection."""
        self._session = session
        for item in list(self._owed.values()):
            self._send(item)

    async def run(self) -> None:
        """Strike off in the journal what has been acknowledged."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            ids = [self._settled.popleft() for _ in range(len(self._settled))]
            await self._pipeline.write(partial(_forget, ids=ids), hurry=False)

    def _send(self, item: Downlink) -> None:
        if self._session is None:
            return
        topic = f"{self._prefix}/{item.device}/down"
        state = self._state_of(item.device)
        try:
            message = sealed(item, topic, self._directory, state, self._now_ms() // 1000)
        except RegistryError as error:
            self._log.warning("can't sign a receipt or command; trying again", why=str(error))
            asyncio.get_running_loop().call_later(_RETRY_S, self._send_if_owed, item)
            return
        if message is None:
            self._settle(item.id)
            return
        self._session.publish(topic, message).add_done_callback(partial(self._published, item.id))

    def _send_if_owed(self, item: Downlink) -> None:
        if item.id in self._owed:
            self._send(item)

    def _published(self, item_id: int, future: asyncio.Future[None]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            self._settle(item_id)
        elif isinstance(error, PublishRefusedError):
            self._log.error(
                "receipt or command refused; trying on the next connection", why=str(error)
            )
        elif not isinstance(error, LinkLostError):
            raise error

    def _settle(self, item_id: int) -> None:
        if self._owed.pop(item_id, None) is not None:
            self._settled.append(item_id)
            self._wake.set()


def _forget(transaction: Transaction, ids: list[int]) -> None:
    transaction.forget_downlinks(ids)
