"""What a button wants done: the output of `Button.handle`, to be executed in order."""

from .values import Value

ALARM = "alarm"
TRACK = "track"
STATUS = "status"


class Store(Value):
    """Put an event on flash; `body` has no age yet (protocol.md §3)."""

    __slots__ = ("body", "boot", "seq")

    def __init__(self, boot: int, seq: int, body: "dict[int, object]") -> None:
        self.boot = boot
        self.seq = seq
        self.body = body


class Send(Value):
    """Publish a stored event on the alarm lane with this age (None: unknown)."""

    __slots__ = ("age_ms", "boot", "seq")

    def __init__(self, boot: int, seq: int, age_ms: "int | None") -> None:
        self.boot = boot
        self.seq = seq
        self.age_ms = age_ms


class Publish(Value):
    """Publish a message that is kept in memory only; `health` asks for the board's health map."""

    __slots__ = ("body", "boot", "health", "lane", "seq")

    def __init__(
        self,
        lane: str,
        boot: int,
        seq: int,
        body: "dict[int, object]",
        *,
        health: bool = False,
    ) -> None:
        self.lane = lane
        self.boot = boot
        self.seq = seq
        self.body = body
        self.health = health


class Forget(Value):
    """Take an event off flash: the gateway has it."""

    __slots__ = ("boot", "seq")

    def __init__(self, boot: int, seq: int) -> None:
        self.boot = boot
        self.seq = seq


class SaveAlarm(Value):
    """Keep the active alarm and its rungs over a reboot; None when there is none."""

    __slots__ = ("state",)

    def __init__(self, state: "dict[int, object] | None") -> None:
        self.state = state


class Light(Value):
    """Show a rung of the ladder, of the alarm (`boot`, `seq`); None with rung idle."""

    __slots__ = ("boot", "rung", "seq")

    def __init__(self, rung: str, boot: "int | None" = None, seq: "int | None" = None) -> None:
        self.rung = rung
        self.boot = boot
        self.seq = seq


class Sound(Value):
    """Sound for a rung just reached."""

    __slots__ = ("rung",)

    def __init__(self, rung: str) -> None:
        self.rung = rung


class Hush(Value):
    """Stop sounding at once."""


class Identify(Value):
    """Blink and sound so that a technician finds this button among others."""


class SelfTest(Value):
    """Test the board and answer with `CommandDone`."""

    __slots__ = ("counter",)

    def __init__(self, counter: int) -> None:
        self.counter = counter


class SaveConfig(Value):
    """Put the configuration on flash and answer with `CommandDone`."""

    __slots__ = ("counter", "settings")

    def __init__(self, counter: int, settings: "dict[str, int]") -> None:
        self.counter = counter
        self.settings = settings


class Reboot(Value):
    """Start again; what is on flash stays."""


class Log(Value):
    """Tell a technician."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text
