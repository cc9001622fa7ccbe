"""What happens to a button: the input of `Button.handle`. Fields in the order of `__slots__`."""

from .values import Value


class Down(Value):
    """The switch closed. Raw: bounces are the button's business, not the board's."""


class Up(Value):
    """The switch opened. Raw, as `Down`."""


class Gesture(Value):
    """A finished gesture: a trigger of protocol.md §3, key 6, and how many presses it took."""

    __slots__ = ("trigger", "presses")  # noqa: RUF023 - the order of the constructor
    trigger: int
    presses: int


class CancelRequested(Value):
    """The person takes the alarm back: evidence for the operator, no more (protocol.md §4)."""


class DrillRequested(Value):
    """A practice run of the whole cycle is asked for."""


class Happened(Value):
    """The board noticed something to report: a status reason of protocol.md §3, key 16."""

    __slots__ = ("reason",)
    reason: int


class LinkUp(Value):
    """The broker has accepted us and our subscription is on its way."""


class LinkDown(Value):
    """The connection is gone."""


class Delivered(Value):
    """The broker acknowledged one transmission. It proves nothing about help."""

    __slots__ = ("boot", "seq")
    boot: int
    seq: int


class Receipt(Value):
    """A verified receipt for the event (boot, seq); `time` is the gateway's, Unix seconds."""

    __slots__ = ("boot", "seq", "stage", "time")
    boot: int
    seq: int
    stage: int
    time: "int | None"


class Command(Value):
    """A verified command whose counter was new and is on flash already.

    `in_session` says that it is handled in the connection that it arrived in.
    """

    __slots__ = ("counter", "command", "args", "expires", "in_session")  # noqa: RUF023 - as above
    counter: int
    command: int
    args: "dict[str, object]"
    expires: int
    in_session: bool


class CommandDone(Value):
    """The board finished what a command asked; `code` 0 is ok (see `commands`)."""

    __slots__ = ("counter", "code", "text")  # noqa: RUF023 - as above
    counter: int
    code: int
    text: str


class Fix(Value):
    """A GNSS fix. Degrees are integers at 1e-7; `details` has the optional keys of position."""

    __slots__ = ("lat_e7", "lon_e7", "details")  # noqa: RUF023 - as above
    lat_e7: int
    lon_e7: int
    details: "dict[int, int]"


class GnssTime(Value):
    """The receiver says what time it is, Unix seconds UTC."""

    __slots__ = ("unix",)
    unix: int


class Tick(Value):
    """Nothing but time has passed."""
