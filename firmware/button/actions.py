"""What a button wants done, in order: the output of `Button.handle`."""

from .values import Value

ALARM = "alarm"
TRACK = "track"
STATUS = "status"


class Store(Value):
    """Put an event on flash; `body` has no age yet (protocol.md §3)."""

    __slots__ = ("boot", "seq", "body")  # noqa: RUF023 - the order of the constructor
    boot: int
    seq: int
    body: "dict[int, object]"


class Send(Value):
    """Publish a stored event on the alarm lane with this age (None: unknown)."""

    __slots__ = ("boot", "seq", "age_ms")  # noqa: RUF023 - as above
    boot: int
    seq: int
    age_ms: "int | None"


class Publish(Value):
    """Publish a message that is kept in memory only; `health` asks for the board's health map."""

    __slots__ = ("lane", "boot", "seq", "body", "health")  # noqa: RUF023 - as above
    lane: str
    boot: int
    seq: int
    body: "dict[int, object]"
    health: bool


class Forget(Value):
    """Take an event off flash: the gateway has it."""

    __slots__ = ("boot", "seq")
    boot: int
    seq: int


class SaveAlarm(Value):
    """Keep the active alarm and its rungs over a reboot; None when there is none."""

    __slots__ = ("state",)
    state: "dict[int, object] | None"


class Light(Value):
    """Show a rung of the ladder, of the alarm (boot, seq); both None with the rung idle."""

    __slots__ = ("rung", "boot", "seq")  # noqa: RUF023 - as above
    rung: str
    boot: "int | None"
    seq: "int | None"


class Sound(Value):
    """Sound for a rung just reached."""

    __slots__ = ("rung",)
    rung: str


class Hush(Value):
    """Stop sounding at once."""


class Identify(Value):
    """Blink and sound so that a technician finds this button among others."""


class SelfTest(Value):
    """Test the board and answer with `CommandDone`."""

    __slots__ = ("counter",)
    counter: int


class SaveConfig(Value):
    """Put the configuration on flash and answer with `CommandDone`."""

    __slots__ = ("counter", "settings")
    counter: int
    settings: "dict[str, int]"


class Reboot(Value):
    """Start again; what is on flash stays."""


class Log(Value):
    """Tell a technician."""

    __slots__ = ("text",)
    text: str
