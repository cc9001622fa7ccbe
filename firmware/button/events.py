"""What happens to a button: the input of `Button.handle`."""

from .values import Value


class Down(Value):
    """The switch closed. Raw: bounces are the button's business, not the board's."""


class Up(Value):
    """The switch opened. Raw, as `Down`."""


class Gesture(Value):
    """A finished gesture: a `trigger` of protocol.md §3, key 6, and how many presses it took."""

    __slots__ = ("presses", "trigger")

    def __init__(self, trigger: int, presses: int = 1) -> None:
        self.trigger = trigger
        self.presses = presses


class CancelRequested(Value):
    """The person takes the alarm back: evidence for the operator, no more (protocol.md §4)."""


class DrillRequested(Value):
    """A practice run of the whole cycle is asked for."""


class Happened(Value):
    """The board noticed something to report: a status `reason` of protocol.md §3, key 16."""

    __slots__ = ("reason",)

    def __init__(self, reason: int) -> None:
        self.reason = reason


class LinkUp(Value):
    """The broker has accepted us and our subscription."""


class LinkDown(Value):
    """The connection is gone."""


class Delivered(Value):
    """The broker acknowledged one transmission. It proves nothing about help."""

    __slots__ = ("boot", "seq")

    def __init__(self, boot: int, seq: int) -> None:
        self.boot = boot
        self.seq = seq


class Receipt(Value):
    """A verified receipt for the event (`boot`, `seq`); `time` is the gateway's, Unix seconds."""

    __slots__ = ("boot", "seq", "stage", "time")

    def __init__(self, boot: int, seq: int, stage: int, time: "int | None" = None) -> None:
        self.boot = boot
        self.seq = seq
        self.stage = stage
        self.time = time


class Command(Value):
    """A verified command whose `counter` was new and is on flash already.

    `in_session` says that it is handled in the connection that it arrived in.
    """

    __slots__ = ("args", "command", "counter", "expires", "in_session")

    def __init__(
        self,
        counter: int,
        command: int,
        args: "dict[str, object]",
        expires: int,
        *,
        in_session: bool = True,
    ) -> None:
        self.counter = counter
        self.command = command
        self.args = args
        self.expires = expires
        self.in_session = in_session


class CommandDone(Value):
    """The board finished what a command asked; `code` 0 is ok (see `commands`)."""

    __slots__ = ("code", "counter", "text")

    def __init__(self, counter: int, code: int, text: str) -> None:
        self.counter = counter
        self.code = code
        self.text = text


class Fix(Value):
    """A GNSS fix. Degrees are integers at 1e-7; `details` has the optional keys of position."""

    __slots__ = ("details", "lat_e7", "lon_e7")

    def __init__(self, lat_e7: int, lon_e7: int, details: "dict[int, int]") -> None:
        self.lat_e7 = lat_e7
        self.lon_e7 = lon_e7
        self.details = details


class GnssTime(Value):
    """The receiver says what time it is, Unix seconds UTC."""

    __slots__ = ("unix",)

    def __init__(self, unix: int) -> None:
        self.unix = unix


class Tick(Value):
    """Nothing but time has passed."""
