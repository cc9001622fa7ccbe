"""The runtime: joins the pure button with flash, radio, receiver and board."""

import asyncio
import gc

from . import actions, events, message
from .button import Button
from .compat import TYPE_CHECKING, const, monotonic_ms, random_below
from .config import Config
from .cose import unseal
from .errors import MessageRefused
from .executor import FIRMWARE, Executor
from .gnss import Gnss
from .link import Link
from .streams import Broker, tls_context
from .values import Value

if TYPE_CHECKING:
    from .boards.board import Board
    from .credentials import Credentials
    from .storage import Storage


_PAUSE_S = const(1)


class HardwareJitter:
    """Randomness of the hardware or the kernel."""

    def below(self, limit: int) -> int:
        """Return a random integer from 0 to `limit - 1`."""
        return random_below(limit)


class App:
    """One button, running; make it inside the event loop that will run it.

    The boot counter has risen on flash before this returns, and so before anything is
    sent. Many may share one event loop: nothing here is global.
    """

    def __init__(self, credentials: "Credentials", storage: "Storage", board: "Board") -> None:
        self._credentials = credentials
        self._storage = storage
        self._board = board
        self._queue: list[Value] = []
        self._busy = False
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self.gnss = Gnss()
        self.boot = storage.counters.next_boot()
        jitter = HardwareJitter()
        config = Config(credentials.kind, credentials.category)
        saved = storage.config.load()
        if isinstance(saved, dict):
            config.change(saved)
        self.button = Button(self.boot, config, jitter, monotonic_ms(), storage.alarm.load())
        for boot, seq, body in storage.outbox.entries():
            self.button.adopt(boot, seq, body)
        for fault in (storage.counters.fault, storage.config.fault, storage.alarm.fault):
            if fault is not None:
                board.log(str(fault))
        self._executor = Executor(credentials, storage, board, self.gnss)
        self.link = Link(_broker(credentials), credentials.topic("down"), self, jitter)
        self._executor.link = self.link

    async def run(self) -> None:
        """Serve until `stop`; then leave the broker cleanly."""
        self._board.log(f"boot {self.boot} firmware {FIRMWARE}")
        self.dispatch(events.Tick())
        parts = [asyncio.create_task(self.link.run()), asyncio.create_task(self._tick())]
        try:
            await self._stopping.wait()
            await self.link.close()
        finally:
            for part in parts:
                part.cancel()
            for part in parts:
                try:
                    await part
                except asyncio.CancelledError:
                    pass

    def stop(self) -> None:
        """End `run`."""
        self._stopping.set()

    def dispatch(self, event: Value) -> None:
        """Let the button handle an event and do all it asks for before this returns."""
        self._queue.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._queue:
                self._handle(self._queue.pop(0))
        finally:
            self._busy = False
            self._changed.set()

    def _handle(self, event: Value) -> None:
        try:
            wanted = self.button.handle(event, monotonic_ms())
        except Exception as error:  # noqa: BLE001 - a bug of ours must not end the button
            self._board.log(f"fault at {event!r}: {error!r}")
            return
        for action in wanted:
            follows = self._executor.do(action)
            if follows is not None:
                self._queue.append(follows)

    def feed_gnss(self, data: bytes) -> None:
        """Take bytes of the receiver."""
        now_ms = monotonic_ms()
        fix = self.gnss.fix if self.gnss.feed(data, now_ms) else None
        if fix is None:
            return
        unix = self.gnss.unix(now_ms)
        if unix is not None:
            self.dispatch(events.GnssTime(unix))
        self.dispatch(fix)

    def keepalive_s(self) -> int:
        """Return MQTT's keep alive for the next connection."""
        return self.button.config.keepalive_s

    def will(self) -> "tuple[str, bytes]":
        """Return the signed will for a connection that begins now."""
        topic = self._credentials.topic(actions.STATUS)
        return topic, self._executor.seal(self.button.will(monotonic_ms()), topic)

    def is_urgent(self) -> bool:
        """Say whether an event waits for its receipt."""
        return self.button.is_calling()

    def on_online(self, *, session_present: bool) -> None:
        """Send what waits."""
        self._board.log(f"online session_present={int(session_present)}")
        self.dispatch(events.LinkUp())

    def on_offline(self, reason: str) -> None:
        """Wait for the link to come back."""
        self._board.log(reason)
        self.dispatch(events.LinkDown())
        # What a connection leaves behind is the largest garbage there is; the next
        # handshake needs room in one piece.
        gc.collect()

    def on_delivered(self, token: "tuple[int, int]") -> None:
        """Tell the button what the broker has."""
        self.dispatch(events.Delivered(*token))

    async def on_message(self, topic: str, payload: "bytes | None") -> None:
        """Verify a receipt or a command and let the button handle it."""
        try:
            event = self._event(self._unseal(topic, payload))
        except MessageRefused as error:
            self._board.log(str(error))
            return
        if event is not None:
            self.dispatch(event)

    def _unseal(self, topic: str, payload: "bytes | None") -> "dict[int, object]":
        expected = self._credentials.topic("down")
        if topic != expected:
            raise MessageRefused("kid", f"on the topic {topic[:80]}")
        if payload is None:
            raise MessageRefused("size", "longer than any message")
        return unseal(payload, self._credentials.key, self._credentials.kid, expected.encode())

    def _event(self, body: "dict[int, object]") -> "Value | None":
        if body[message.TYPE] == message.RECEIPT:
            boot, seq = message.reference(body)
            time = body[message.TIME]
            return events.Receipt(boot, seq, message.integer(body, message.STAGE), time)
        counter = message.integer(body, message.COUNTER)
        counters = self._storage.counters
        if not counters.accept_command(counter):
            why = "it was seen before" if counters.fault is None else str(counters.fault)
            self._board.log(f"command {counter} refused: {why}")
            return None
        args = body.get(message.ARGS)
        return events.Command(
            counter,
            message.integer(body, message.COMMAND),
            args if isinstance(args, dict) else {},
            message.integer(body, message.EXPIRES),
            self.link.is_online(),
        )

    async def _tick(self) -> None:
        while True:
            try:
                await self._wait()
            except asyncio.TimeoutError:
                self.dispatch(events.Tick())
            except Exception as error:  # noqa: BLE001 - not even a full heap may stop the time
                gc.collect()
                self._board.log(f"fault, going on: {error!r}")
                await asyncio.sleep(_PAUSE_S)

    async def _wait(self) -> None:
        """Wait until something has changed. Raises `TimeoutError` when time is due first."""
        self._changed.clear()
        due_ms = self.button.deadline_ms()
        if due_ms is None:
            await self._changed.wait()
        else:
            wait_ms = max(0, due_ms - monotonic_ms())
            await asyncio.wait_for(self._changed.wait(), wait_ms / 1000)


def _broker(credentials: "Credentials") -> Broker:
    context = None
    if credentials.tls:
        with open(credentials.ca_file, "rb") as file:
            context = tls_context(file.read())
    return Broker(
        credentials.host,
        credentials.port,
        context,
        client_id=credentials.client_id,
        username=credentials.username,
        password=credentials.password,
    )
