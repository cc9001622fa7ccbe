"""The runtime: joins the pure button with flash, radio, receiver and board."""

import asyncio
import gc

from . import actions, commands, events, flash, message
from .boards.board import Board
from .button import Button
from .compat import monotonic_ms, random_below
from .config import Config
from .cose import seal, unseal
from .counters import Counters
from .credentials import Credentials
from .errors import ButtonError, MessageRefused
from .flash import StateFile
from .gnss import Gnss
from .link import Broker, Link, Owner, tls_context
from .outbox import Outbox
from .schedule import Jitter
from .values import Value

FIRMWARE = "0.1.0"

_MOST_IN_MEMORY = 16


class HardwareJitter(Jitter):
    """Randomness of the hardware or the kernel."""

    def below(self, limit: int) -> int:
        """Return a random integer from 0 to `limit - 1`."""
        return random_below(limit)


class Storage:
    """All that outlives a power cut, in one directory."""

    def __init__(self, directory: str) -> None:
        """Open what is there. Raises `StorageError` if the directory cannot be used."""
        flash.make_directory(directory)
        self.counters = Counters(directory)
        self.outbox = Outbox(directory + "/outbox")
        self.alarm = StateFile(directory + "/alarm")
        self.config = StateFile(directory + "/config")


class App(Owner):
    """One button, running; make it inside the event loop that will run it.

    The boot counter has risen on flash before this returns, and so before anything is
    sent. Many may share one event loop: nothing here is global.
    """

    def __init__(self, credentials: Credentials, storage: Storage, board: Board) -> None:
        self._credentials = credentials
        self._storage = storage
        self._board = board
        self._in_memory: dict[tuple[int, int], dict[int, object]] = {}
        self._fresh: tuple[tuple[int, int], dict[int, object]] | None = None
        self._queue: list[Value] = []
        self._busy = False
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._started_ms = monotonic_ms()
        self.gnss = Gnss()
        self.boot = storage.counters.next_boot()
        config = Config(credentials.kind, credentials.category)
        saved = storage.config.load()
        if isinstance(saved, dict):
            config.change(saved)
        self.button = Button(
            self.boot, config, HardwareJitter(), monotonic_ms(), storage.alarm.load()
        )
        for boot, seq, body in storage.outbox.entries():
            self.button.adopt(boot, seq, body)
        for fault in (storage.counters.fault, storage.config.fault, storage.alarm.fault):
            if fault is not None:
                board.log(str(fault))
        self.link = Link(_broker(credentials), credentials.topic("down"), self, HardwareJitter())

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
                except asyncio.CancelledError:  # noqa: PERF203 - each part has its own end
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
                for action in self.button.handle(self._queue.pop(0), monotonic_ms()):
                    self._try(action)
        finally:
            self._busy = False
            self._changed.set()

    def feed_gnss(self, data: bytes) -> None:
        """Take bytes of the receiver."""
        now_ms = monotonic_ms()
        fix = self.gnss.fix if self.gnss.feed(data, now_ms) else None
        if fix is None:
            return
        unix = self.gnss.unix(now_ms)
        if unix is not None:
            self.dispatch(events.GnssTime(unix))
        self.dispatch(events.Fix(fix.lat_e7, fix.lon_e7, fix.details))

    def keepalive_s(self) -> int:
        """Return MQTT's keep alive for the next connection."""
        return self.button.config.keepalive_s

    def will(self) -> "tuple[str, bytes]":
        """Return the signed will for a connection that begins now."""
        topic = self._credentials.topic(actions.STATUS)
        return topic, self._seal(self.button.will(monotonic_ms()), topic)

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
        expected = self._credentials.topic("down")
        try:
            if topic != expected:
                raise MessageRefused("kid", f"on the topic {topic[:80]}")
            if payload is None:
                raise MessageRefused("size", "longer than any message")
            key, kid = self._credentials.key, self._credentials.kid
            body = unseal(payload, key, kid, expected.encode())
        except MessageRefused as error:
            self._board.log(str(error))
            return
        event = self._event(body)
        if event is not None:
            self.dispatch(event)

    def _event(self, body: "dict[int, object]") -> "Value | None":
        time = message.integer(body, message.TIME) if body[message.TIME] is not None else None
        if body[message.TYPE] == message.RECEIPT:
            boot, seq = message.reference(body)
            return events.Receipt(boot, seq, message.integer(body, message.STAGE), time)
        counter = message.integer(body, message.COUNTER)
        if not self._storage.counters.accept_command(counter):
            fault = self._storage.counters.fault
            self._board.log(
                f"command {counter} refused: seen before" + (f"; {fault}" * bool(fault))
            )
            return None
        args = body.get(message.ARGS)
        return events.Command(
            counter,
            message.integer(body, message.COMMAND),
            args if isinstance(args, dict) else {},
            message.integer(body, message.EXPIRES),
        )

    async def _tick(self) -> None:
        while True:
            self._changed.clear()
            due_ms = self.button.deadline_ms()
            if due_ms is None:
                await self._changed.wait()
                continue
            try:
                wait_ms = max(0, due_ms - monotonic_ms())
                await asyncio.wait_for(self._changed.wait(), wait_ms / 1000)
            except asyncio.TimeoutError:
                self.dispatch(events.Tick())

    def _try(self, action: Value) -> None:
        try:
            self._do(action)
        except ButtonError as error:
            self._board.log(str(error))
        except Exception as error:  # noqa: BLE001 - a broken lamp must not stop an alarm
            self._board.log(f"fault in {type(action).__name__}: {error!r}")

    def _do(self, action: Value) -> None:
        if isinstance(action, actions.Store):
            self._store(action)
        elif isinstance(action, actions.Send):
            self._send(action)
        elif isinstance(action, actions.Publish):
            self._publish(action)
        elif isinstance(action, actions.Forget):
            self._in_memory.pop((action.boot, action.seq), None)
            self._storage.outbox.remove(action.boot, action.seq)
        elif isinstance(action, actions.SaveAlarm):
            if action.state is None:
                self._storage.alarm.clear()
            else:
                self._storage.alarm.save(action.state)
        elif isinstance(action, actions.SaveConfig):
            self._save_config(action)
        elif isinstance(action, actions.SelfTest):
            self._self_test(action)
        else:
            self._show(action)

    def _show(self, action: Value) -> None:
        board = self._board
        if isinstance(action, actions.Light):
            board.light(action.rung, action.boot, action.seq)
        elif isinstance(action, actions.Sound):
            board.sound(action.rung)
        elif isinstance(action, actions.Hush):
            board.hush()
        elif isinstance(action, actions.Identify):
            board.identify()
        elif isinstance(action, actions.Log):
            board.log(action.text)
        elif isinstance(action, actions.Reboot):
            board.reboot()

    def _store(self, action: actions.Store) -> None:
        identity = (action.boot, action.seq)
        self._fresh = (identity, action.body)
        self.link.hurry()
        try:
            self._storage.outbox.put(action.boot, action.seq, action.body)
        except (ButtonError, OSError) as error:
            if len(self._in_memory) < _MOST_IN_MEMORY:
                self._in_memory[identity] = action.body
            self._board.log(f"{action.boot},{action.seq} is sent from memory: {error}")

    def _send(self, action: actions.Send) -> None:
        identity = (action.boot, action.seq)
        if self._fresh is not None and self._fresh[0] == identity:
            body: dict[int, object] | None = self._fresh[1]
        else:
            body = self._in_memory.get(identity) or self._storage.outbox.get(*identity)
        if body is None:
            self._board.log(f"{action.boot},{action.seq} cannot be read from flash")
            return
        body[message.AGE_MS] = action.age_ms
        self._transmit(actions.ALARM, body, identity)

    def _publish(self, action: actions.Publish) -> None:
        if action.health:
            action.body[message.HEALTH] = self._health()
        self._transmit(action.lane, action.body, (action.boot, action.seq))

    def _transmit(self, lane: str, body: "dict[int, object]", token: "tuple[int, int]") -> None:
        topic = self._credentials.topic(lane)
        self.link.publish(topic, self._seal(body, topic), token)

    def _seal(self, body: "dict[int, object]", topic: str) -> bytes:
        return seal(body, self._credentials.key, self._credentials.kid, topic.encode())

    def _save_config(self, action: actions.SaveConfig) -> None:
        try:
            self._storage.config.save(action.settings)
        except ButtonError as error:
            self.dispatch(events.CommandDone(action.counter, commands.FAILED, str(error)))
        else:
            self.dispatch(events.CommandDone(action.counter, commands.OK, "ok"))

    def _self_test(self, action: actions.SelfTest) -> None:
        problem = self._board.self_test()
        code = commands.OK if problem is None else commands.FAILED
        self.dispatch(events.CommandDone(action.counter, code, problem or "ok"))

    def _health(self) -> "dict[int, object]":
        now_ms = monotonic_ms()
        health = {
            5: (now_ms - self._started_ms) // 1000,
            6: FIRMWARE,
            10: len(self._storage.outbox),
            11: self.gnss.state(now_ms),
        }
        health.update(self._board.health())
        return health


def _broker(credentials: Credentials) -> Broker:
    context = None
    if credentials.tls:
        with open(credentials.ca_file, "rb") as file:
            context = tls_context(file.read())
    return Broker(
        credentials.host,
        credentials.port,
        context,
        credentials.client_id,
        credentials.username,
        credentials.password,
    )
