"""The transition table of the dispatch cycle: who may do what in which state.

The machine reads it and the picture in docs/dispatch-cycle.md is drawn from it.
"""

import msgspec

from console_api.cycle.model import Role, State

DESK = frozenset({Role.OPERATOR, Role.SUPERVISOR})
# An officer's report by radio is entered at the desk, so the desk may act for a unit.
FIELD = DESK | {Role.OFFICER}


class Transition(msgspec.Struct, frozen=True):
    """In one of `sources`, one of `roles` may bring the case to `target` (None: it stays).

    `two_people` says that a silent alarm needs this action from two people.
    """

    action: str
    sources: frozenset[State]
    target: State | None
    roles: frozenset[Role]
    two_people: bool = False


def _row(
    action: str,
    sources: tuple[State, ...],
    target: State | None,
    roles: frozenset[Role],
    *,
    two_people: bool = False,
) -> Transition:
    return Transition(action, frozenset(sources), target, roles, two_people)


# Until the unit's work is done a case may still turn out to be nothing, also on site;
# afterwards there is a report, and its outcome says so.
DISMISSIBLE = (State.OPENED, State.DISPATCHED, State.ACCEPTED, State.ARRIVED)
MERGEABLE = (State.RECEIVED, State.OPENED, State.DISPATCHED, State.ACCEPTED)

TABLE: dict[str, Transition] = {
    row.action: row
    for row in (
        _row("open", (State.RECEIVED,), State.OPENED, DESK),
        _row(
            "dispatch",
            (State.OPENED, State.DISPATCHED, State.ACCEPTED),
            State.DISPATCHED,
            DESK,
        ),
        _row("accept", (State.DISPATCHED,), State.ACCEPTED, FIELD),
        _row("decline", (State.DISPATCHED, State.ACCEPTED), State.OPENED, FIELD),
        _row("arrive", (State.ACCEPTED,), State.ARRIVED, FIELD),
        _row("clear", (State.ARRIVED,), State.CLEARED, FIELD),
        _row("report", (State.CLEARED,), State.REPORTED, FIELD),
        _row("update", (State.REPORTED,), State.UPDATED, FIELD),
        _row("register", (State.UPDATED,), State.REGISTERING, DESK),
        _row(
            "acknowledge",
            (State.REGISTERING,),
            State.REGISTERED,
            frozenset({Role.SERVICE}),
        ),
        _row("close", (State.REGISTERED,), State.CLOSED, DESK, two_people=True),
        _row("dismiss", DISMISSIBLE, State.DISMISSED, DESK, two_people=True),
        _row("merge", MERGEABLE, State.MERGED, DESK),
        _row(
            "reopen",
            (State.CLOSED, State.DISMISSED, State.MERGED),
            State.OPENED,
            frozenset({Role.SUPERVISOR}),
        ),
        _row("note", tuple(State), None, FIELD),
    )
}
