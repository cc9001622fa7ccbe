"""Does what the button asks for: flash first, then radio, then lights."""

from . import actions, commands, events, message
from .compat import TYPE_CHECKING, monotonic_ms
from .cose import seal
from .errors import ButtonError
from .values import Value

if TYPE_CHECKING:
    from .boards.board import Board
    from .credentials import Credentials
    from .gnss import Gnss
    from .link import Link
    from .storage import Storage

FIRMWARE = "0.1.0"

_MOST_IN_MEMORY = 16


class Executor:
    """The hands of one button."""

    def __init__(
        self, credentials: "Credentials", storage: "Storage", board: "Board", gnss: "Gnss"
    ) -> None:
        self.link: Link | None = None
        self._credentials = credentials
        self._storage = storage
        self._board = board
        self._gnss = gnss
        self._started_ms = monotonic_ms()
        self._fresh: tuple[tuple[int, int], dict[int, object]] | None = None
        self._in_memory: dict[tuple[int, int], dict[int, object]] = {}

    def do(self, action: Value) -> "Value | None":
        """Do one action; return the event it leads to. Nothing that fails here is raised.

        A worn flash or a broken lamp must not keep the next action, the sending of an
        alarm, from being done.
        """
        try:
            return self._do(action)
        except ButtonError as error:
            self._board.log(str(error))
        except Exception as error:  # noqa: BLE001 - see above
            self._board.log(f"fault in {type(action).__name__}: {error!r}")
        return None

    def seal(self, body: "dict[int, object]", topic: str) -> bytes:
        """Return the signed message of a body."""
        return seal(body, self._credentials.key, self._credentials.kid, topic.encode())

    def _do(self, action: Value) -> "Value | None":
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
            self._save_alarm(action)
        elif isinstance(action, actions.SaveConfig):
            return self._save_config(action)
        elif isinstance(action, actions.SelfTest):
            problem = self._board.self_test()
            code = commands.OK if problem is None else commands.FAILED
            return events.CommandDone(action.counter, code, problem or "ok")
        else:
            self._show(action)
        return None

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
        if self.link is not None:
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
        if self.link is not None:
            self.link.publish(topic, self.seal(body, topic), token)

    def _save_alarm(self, action: actions.SaveAlarm) -> None:
        if action.state is None:
            self._storage.alarm.clear()
        else:
            self._storage.alarm.save(action.state)

    def _save_config(self, action: actions.SaveConfig) -> Value:
        try:
            self._storage.config.save(action.settings)
        except ButtonError as error:
            return events.CommandDone(action.counter, commands.FAILED, str(error))
        return events.CommandDone(action.counter, commands.OK, "ok")

    def _health(self) -> "dict[int, object]":
        now_ms = monotonic_ms()
        health: dict[int, object] = {
            5: (now_ms - self._started_ms) // 1000,
            6: FIRMWARE,
            10: len(self._storage.outbox),
            11: self._gnss.state(now_ms),
        }
        health.update(self._board.health())
        return health
