"""What follows from an action: `apply(case, command, now) -> events | Conflict`.

Pure: no I/O, no clock. What only the database knows comes in as `Facts`.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import msgspec

from console_api.cycle import actions as act
from console_api.cycle import events as ev
from console_api.cycle.model import Actor, Case, Report, Role
from console_api.cycle.table import TABLE, Transition


class ConflictReason(StrEnum):
    """Why an action has no effect."""

    STALE = "stale"
    ROLE = "role"
    UNIT = "unit"
    STATE = "state"
    SECOND_PERSON = "second_person"
    TARGET = "target"
    KEY_REUSED = "key_reused"


class Conflict(msgspec.Struct, frozen=True):
    """The action has no effect; the message says what to do next.

    `version`, `state`, `by` and `at` tell who decided last, and what.
    """

    reason: ConflictReason
    message: str
    version: int
    state: str
    by: str
    at: datetime
    action: str


class Command(msgspec.Struct, frozen=True):
    """An action, who wants it, and the version of the case that they saw.

    None as `seen_version` is for what the console does itself.
    """

    action: act.Action
    actor: Actor
    seen_version: int | None


class Facts(msgspec.Struct, frozen=True):
    """What the database knows and an action may need.

    `number` is the register number that the case would get; `into` the case to merge into;
    `unit_problem` says why the unit of a dispatch can't be sent.
    """

    number: str | None = None
    into: Case | None = None
    unit_problem: str | None = None


NO_FACTS = Facts()


def apply(
    case: Case, command: Command, now: datetime, facts: Facts = NO_FACTS
) -> tuple[ev.Event, ...] | Conflict:
    """Decide what the command does to the case: the events, or why it has none."""
    row = TABLE[command.action.name]
    refusal = _refusal(case, command, row)
    if refusal is not None:
        return refusal
    outcome = _HANDLERS[type(command.action)](case, command, facts)
    if isinstance(outcome, Conflict):
        return outcome
    return (event(case, command.actor, now, outcome),)


def event(case: Case, actor: Actor, now: datetime, body: ev.CaseBody) -> ev.Event:
    """Make the case's next event; a clock that went back can't take the case with it."""
    if now < case.at:
        return ev.Event(at=case.at, actor=actor, body=body, wall=now)
    return ev.Event(at=now, actor=actor, body=body)


def conflict(case: Case, reason: ConflictReason, message: str) -> Conflict:
    """Say no, and who decided last."""
    return Conflict(
        reason=reason,
        message=message,
        version=case.version,
        state=case.state,
        by=case.last.by,
        at=case.last.at,
        action=case.last.action,
    )


def _refusal(case: Case, command: Command, row: Transition) -> Conflict | None:
    actor = command.actor
    if actor.role not in row.roles:
        roles = ", ".join(sorted(row.roles))
        return conflict(
            case, ConflictReason.ROLE, f"{row.action} is for {roles}; ask one of them to do it"
        )
    if actor.role is Role.OFFICER and (actor.unit is None or actor.unit != case.unit):
        return conflict(
            case,
            ConflictReason.UNIT,
            f"case {case.id} is not dispatched to your unit; ask the operator",
        )
    if command.seen_version is not None and command.seen_version != case.version:
        return conflict(
            case,
            ConflictReason.STALE,
            f"{case.last.by} was first: {case.last.action} made it version {case.version},"
            f" you saw {command.seen_version}; read the case again and decide anew",
        )
    if case.state not in row.sources:
        sources = ", ".join(sorted(row.sources))
        return conflict(
            case,
            ConflictReason.STATE,
            f"{row.action} is possible in {sources}; case {case.id} is {case.state}",
        )
    return None


def _open(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    del case, command, facts
    return ev.Opened()


_A = TypeVar("_A", bound=act.Action)


def _action(command: Command, kind: type[_A]) -> _A:
    if not isinstance(command.action, kind):
        raise TypeError(command.action)
    return command.action


def _dispatch(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    action = _action(command, act.DispatchTo)
    if facts.unit_problem is not None:
        return conflict(case, ConflictReason.TARGET, facts.unit_problem)
    if action.unit == case.unit:
        return conflict(
            case,
            ConflictReason.TARGET,
            f"case {case.id} is dispatched to {action.unit} already; choose another unit or wait",
        )
    number = case.dispatches + 1
    return ev.Dispatched(unit=action.unit, number=number, note=action.note, replaced=case.unit)


def _unit_of(case: Case) -> str:
    if case.unit is None:
        raise ValueError(f"case {case.id} is {case.state} without a unit")
    return case.unit


def _accept(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    del command, facts
    return ev.Accepted(unit=_unit_of(case))


def _decline(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    del facts
    return ev.Declined(unit=_unit_of(case), reason=_action(command, act.Decline).reason)


def _arrive(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    del command, facts
    return ev.Arrived(unit=_unit_of(case))


def _clear(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    del case, facts
    return ev.Cleared(note=_action(command, act.Clear).note)


def _report(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    del case, facts
    action = _action(command, act.FileReport)
    return ev.Reported(
        report=Report(
            actions_taken=action.actions_taken,
            outcome=action.outcome,
            casualties=action.casualties,
            remarks=action.remarks,
        )
    )


def _update(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    del case, facts
    return ev.Updated(remarks=_action(command, act.Update).remarks)


def _number(case: Case, facts: Facts) -> str:
    number = case.register_number or facts.number
    if number is None:
        raise ValueError(f"no register number was drawn for case {case.id}")
    return number


def _register(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    del command
    return ev.Registering(number=_number(case, facts), version=case.version + 1)


def _needs_second(case: Case, command: Command) -> bool | Conflict:
    """Whether this is the first of two people; a Conflict if it is the first one again."""
    if not case.silent:
        return False
    first = case.first_person
    if first is None or first.action != command.action.name:
        return True
    if first.by == command.actor.name:
        return conflict(
            case,
            ConflictReason.SECOND_PERSON,
            f"a silent alarm ends by two people and you were the first; ask another one to"
            f" {command.action.name} case {case.id}",
        )
    return False


def _close(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    del facts
    needed = _needs_second(case, command)
    if isinstance(needed, Conflict):
        return needed
    if needed:
        return ev.FirstPersonActed(action="close")
    return ev.Closed(first=case.first_person.by if case.first_person else None)


def _dismiss(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    action = _action(command, act.Dismiss)
    needed = _needs_second(case, command)
    if isinstance(needed, Conflict):
        return needed
    if needed:
        return ev.FirstPersonActed(action="dismiss", reason=action.reason, note=action.note)
    return ev.Dismissed(
        reason=action.reason,
        number=_number(case, facts),
        version=case.version + 1,
        note=action.note,
        first=case.first_person.by if case.first_person else None,
    )


def _merge(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    action, into = _action(command, act.Merge), facts.into
    problem = None
    if into is None:
        problem = f"there is no case {action.into!r}"
    elif into.id == case.id:
        problem = "a case can't be merged into itself"
    elif not into.open:
        problem = f"case {into.id} is {into.state}"
    elif into.drill != case.drill:
        problem = "a drill and a real case are never one incident"
    if problem is not None:
        return conflict(case, ConflictReason.TARGET, f"{problem}; choose an open case of its kind")
    return ev.Merged(into=action.into)


def _reopen(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    del case, facts
    return ev.Reopened(reason=_action(command, act.Reopen).reason)


def _note(case: Case, command: Command, facts: Facts) -> ev.CaseBody | Conflict:
    del case, facts
    return ev.Noted(text=_action(command, act.AddNote).text)


_HANDLERS: dict[type[act.Action], Callable[[Case, Command, Facts], ev.CaseBody | Conflict]] = {
    act.Open: _open,
    act.DispatchTo: _dispatch,
    act.Accept: _accept,
    act.Decline: _decline,
    act.Arrive: _arrive,
    act.Clear: _clear,
    act.FileReport: _report,
    act.Update: _update,
    act.Register: _register,
    act.Close: _close,
    act.Dismiss: _dismiss,
    act.Merge: _merge,
    act.Reopen: _reopen,
    act.AddNote: _note,
}


def acknowledge(case: Case, version: int, actor: Actor, now: datetime) -> tuple[ev.Event, ...]:
    """Record that the data centre has this version of the case."""
    return (event(case, actor, now, ev.Registered(version=version)),)


def absorb(case: Case, merged: Case, actor: Actor, now: datetime) -> ev.Event:
    """Record on a case that `merged` was merged into it."""
    body = ev.Absorbed(
        case=merged.id,
        alarms=merged.alarms,
        categories=merged.categories,
        silent=merged.silent,
    )
    return event(case, actor, now, body)


def release(case: Case, reopened: Case, actor: Actor, now: datetime) -> ev.Event:
    """Record on a case that `reopened`, once merged into it, stands for itself again."""
    return event(case, actor, now, ev.Released(case=reopened.id, alarms=reopened.alarms))
