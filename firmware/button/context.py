"""What the parts of a button share while it handles one event."""

from . import actions
from .compat import TYPE_CHECKING
from .config import Config
from .values import Value
from .wallclock import WallClock

if TYPE_CHECKING:
    from .interfaces import Jitter


class Context:
    """Identity, time and the list of what is to be done."""

    def __init__(self, boot: int, config: Config, jitter: "Jitter", now_ms: int) -> None:
        self.boot = boot
        self.config = config
        self.jitter = jitter
        self.now_ms = now_ms
        self.clock = WallClock()
        self.linked = False
        self.out: list[Value] = []
        self._seq = 0

    def begin(self, now_ms: int) -> None:
        """Begin to handle an event."""
        self.now_ms = now_ms
        self.out = []

    def next_seq(self) -> int:
        """Return the next event's number of this boot, from 0."""
        self._seq += 1
        return self._seq - 1

    def unix(self) -> "int | None":
        """Return the time of day, if it is known."""
        return self.clock.unix(self.now_ms)

    def log(self, text: str) -> None:
        """Tell a technician."""
        self.out.append(actions.Log(text))
