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

_LAST = message.SILENCE


def refusal(
    command: Command,
    config: Config,
    now_unix: "int | None",
    *,
    alarm_active: bool,
    must_be_quiet: bool,
) -> "tuple[int, str] | None":
    """Return (code, text) if a command is not to be carried out, else None."""
    if now_unix is None:
        if not command.in_session:
            return EXPIRED, "no clock, and from an earlier session"
    elif now_unix > command.expires:
        return EXPIRED, f"expired {now_unix - command.expires} s ago"
    kind = command.command
    if kind == message.UPDATE:
        return UNSUPPORTED, "update is not supported by this firmware"
    if kind > _LAST:
        return UNSUPPORTED, f"no command {kind}"
    if alarm_active and kind == message.REBOOT:
        return BUSY, "an alarm is active"
    if must_be_quiet and kind in (message.IDENTIFY, message.SELF_TEST):
        return BUSY, "not now"
    if kind == message.CONFIGURE:
        problem = config.problem(command.args)
        if problem is not None:
            return BAD_ARGUMENTS, problem
    return None
