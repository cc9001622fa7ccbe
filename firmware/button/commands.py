"""Whether a command may be carried out, and the codes of its result (protocol.md §3, key 17)."""

from . import message
from .config import Config
from .events import Command

OK = 0
UNSUPPORTED = 1
EXPIRED = 2
BAD_ARGUMENTS = 3
BUSY = 4
FAILED = 5


def refusal(
    command: Command,
    config: Config,
    now_unix: "int | None",
    *,
    alarm_active: bool,
    must_be_quiet: bool,
) -> "tuple[int, str] | None":
    """Return (code, text) if a command is not to be carried out, else None."""
    kind = command.command
    problem = config.problem(command.args) if kind == message.CONFIGURE else None
    found = None
    if now_unix is None and not command.in_session:
        found = (EXPIRED, "no clock, and from an earlier session")
    elif now_unix is not None and now_unix > command.expires:
        found = (EXPIRED, f"expired {now_unix - command.expires} s ago")
    elif kind == message.UPDATE:
        found = (UNSUPPORTED, "update is not supported by this firmware")
    elif kind > message.SILENCE:
        found = (UNSUPPORTED, f"no command {kind}")
    elif alarm_active and kind == message.REBOOT:
        found = (BUSY, "an alarm is active")
    elif must_be_quiet and kind in (message.IDENTIFY, message.SELF_TEST):
        found = (BUSY, "not now")
    elif problem is not None:
        found = (BAD_ARGUMENTS, problem)
    return found
