"""What the events of a case add up to: `evolve(case, event) -> case`.

Evidence that reaches a case after its end (a track, a late press) is added as well:
adding never fails, for what happened has happened.
"""

from datetime import datetime
from functools import singledispatch

from msgspec.structs import replace

from console_api.cycle import events as ev
from console_api.cycle.model import (
    Alarm,
    Area,
    Case,
    DataCentre,
    Dispatch,
    FirstPerson,
    LastDecision,
    Marks,
    Position,
    ProbableDuplicate,
    State,
    Trigger,
)


def evolve(case: Case | None, event: ev.Event) -> Case:
    """Add one event; the first one is `received` and comes with no case."""
    body = event.body
    if isinstance(body, ev.Received):
        return _received(event, body)
    if case is None:
        raise ValueError(f"the first event of a case is received, not {body.kind}")
    grown = replace(_add(body, case, event), at=max(case.at, event.at))
    if grown.state is not case.state or isinstance(body, ev.Dispatched):
        ended = None if grown.open else event.at
        grown = replace(grown, state_at=event.at, ended_at=ended)
    if isinstance(body, ev.DECISIONS):
        last = LastDecision(action=body.kind, by=event.actor.name, at=event.at)
        return replace(grown, version=case.version + 1, last=last)
    return grown


def _received(event: ev.Event, body: ev.Received) -> Case:
    pressed = None if body.pressed_at is None else min(body.pressed_at, event.at)
    return Case(
        id=body.case,
        state=State.RECEIVED,
        version=1,
        at=event.at,
        state_at=event.at,
        drill=body.drill,
        silent=body.trigger is Trigger.SILENT,
        category=body.category,
        trigger=body.trigger,
        device=body.device,
        area=body.area,
        address=body.device.address,
        position=body.position,
        late=body.late,
        presses=body.presses or 1,
        marks=Marks(pressed=pressed, received=event.at),
        alarms=(Alarm(id=body.alarm, device=body.device.id),),
        categories=(body.category,),
        last=LastDecision(action=body.kind, by=event.actor.name, at=event.at),
    )


def better_position(old: Position | None, new: Position | None) -> bool:
    """Whether the new position says more about where help is needed than the old one.

    Where the button is beats where it was installed; a newer fix beats an older one,
    however late it arrived.
    """
    if new is None:
        return False
    if old is None or old.source == "installed":
        return True
    if new.source == "installed":
        return False
    return old.at is None or new.at is None or new.at >= old.at


def _placed(case: Case, position: Position | None, area: Area | None) -> Case:
    if not better_position(case.position, position):
        return case
    return replace(case, position=position, area=area)


def _marked(marks: Marks, name: str, at: datetime) -> Marks:
    if getattr(marks, name) is not None:
        return marks
    return replace(marks, **{name: at})


def _step(case: Case, event: ev.Event, state: State) -> Case:
    """Go to a state that has a mark of its own name."""
    return replace(case, state=state, marks=_marked(case.marks, state.value, event.at))


@singledispatch
def _add(body: ev.CaseBody, case: Case, event: ev.Event) -> Case:
    raise TypeError(body, case.id, event.at)


@_add.register
def _(body: ev.PressedAgain, case: Case, event: ev.Event) -> Case:
    del event
    return replace(
        _placed(case, body.position, body.area),
        silent=case.silent or body.trigger is Trigger.SILENT,
        presses=max(case.presses + 1, body.presses or 0),
        alarms=(*case.alarms, Alarm(id=body.alarm, device=body.device)),
        categories=tuple(dict.fromkeys((*case.categories, body.category))),
        # Who wanted to end the case did not know of this press.
        first_person=None,
    )


@_add.register
def _(body: ev.Tracked, case: Case, event: ev.Event) -> Case:
    del event
    return _placed(case, body.position, body.area)


@_add.register
def _(body: ev.Cancelled, case: Case, event: ev.Event) -> Case:
    del body, event
    return replace(case, cancelled=True)


@_add.register
def _(body: ev.Flagged, case: Case, event: ev.Event) -> Case:
    del event
    other = ProbableDuplicate(case=body.case, distance_m=body.distance_m, seconds=body.seconds)
    rest = tuple(known for known in case.probable_duplicates if known.case != body.case)
    return replace(case, probable_duplicates=(*rest, other))


@_add.register
def _(body: ev.Opened, case: Case, event: ev.Event) -> Case:
    del body
    return replace(_step(case, event, State.OPENED), operator=event.actor.name)


@_add.register
def _(body: ev.Dispatched, case: Case, event: ev.Event) -> Case:
    return replace(
        _step(case, event, State.DISPATCHED),
        dispatch=Dispatch(unit=body.unit, number=body.number, at=event.at),
        dispatches=body.number,
        first_person=None,
    )


@_add.register
def _(body: ev.Accepted, case: Case, event: ev.Event) -> Case:
    del body
    return _step(case, event, State.ACCEPTED)


@_add.register
def _(body: ev.Declined, case: Case, event: ev.Event) -> Case:
    return replace(
        case,
        state=State.OPENED,
        marks=_marked(case.marks, "declined", event.at),
        dispatch=None,
        declined_units=tuple(dict.fromkeys((*case.declined_units, body.unit))),
        first_person=None,
    )


@_add.register
def _(body: ev.Arrived, case: Case, event: ev.Event) -> Case:
    del body
    return _step(case, event, State.ARRIVED)


@_add.register
def _(body: ev.Cleared, case: Case, event: ev.Event) -> Case:
    del body
    return replace(_step(case, event, State.CLEARED), first_person=None)


@_add.register
def _(body: ev.Reported, case: Case, event: ev.Event) -> Case:
    return replace(_step(case, event, State.REPORTED), report=body.report)


@_add.register
def _(body: ev.Updated, case: Case, event: ev.Event) -> Case:
    return replace(_step(case, event, State.UPDATED), remarks=body.remarks or case.remarks)


@_add.register
def _(body: ev.Registering, case: Case, event: ev.Event) -> Case:
    del event
    return replace(
        case,
        state=State.REGISTERING,
        register_number=body.number,
        sending_version=body.version,
        data_centre=DataCentre.PENDING,
    )


@_add.register
def _(body: ev.Registered, case: Case, event: ev.Event) -> Case:
    if body.version != case.sending_version:
        return case
    sent = replace(case, data_centre=DataCentre.SENT)
    # A dismissed or reopened case is known to the data centre, too, but its cycle
    # has not come to this mark.
    return _step(sent, event, State.REGISTERED) if case.state is State.REGISTERING else sent


@_add.register
def _(body: ev.SendingFailed, case: Case, event: ev.Event) -> Case:
    del event
    if body.version != case.sending_version or case.data_centre is DataCentre.SENT:
        return case
    return replace(case, data_centre=DataCentre.FAILING)


@_add.register
def _(body: ev.Closed, case: Case, event: ev.Event) -> Case:
    del body
    return replace(_step(case, event, State.CLOSED), first_person=None)


@_add.register
def _(body: ev.Dismissed, case: Case, event: ev.Event) -> Case:
    return replace(
        _step(case, event, State.DISMISSED),
        dismiss_reason=body.reason,
        register_number=body.number,
        sending_version=body.version,
        data_centre=DataCentre.PENDING,
        first_person=None,
    )


@_add.register
def _(body: ev.FirstPersonActed, case: Case, event: ev.Event) -> Case:
    first = FirstPerson(action=body.action, by=event.actor.name, at=event.at)
    return replace(case, first_person=first)


@_add.register
def _(body: ev.Merged, case: Case, event: ev.Event) -> Case:
    return replace(_step(case, event, State.MERGED), merged_into=body.into, first_person=None)


@_add.register
def _(body: ev.Absorbed, case: Case, event: ev.Event) -> Case:
    del event
    return replace(
        case,
        silent=case.silent or body.silent,
        alarms=tuple(dict.fromkeys((*case.alarms, *body.alarms))),
        categories=tuple(dict.fromkeys((*case.categories, *body.categories))),
        merged_from=tuple(dict.fromkeys((*case.merged_from, body.case))),
        probable_duplicates=tuple(
            known for known in case.probable_duplicates if known.case != body.case
        ),
        first_person=None,
    )


@_add.register
def _(body: ev.Released, case: Case, event: ev.Event) -> Case:
    del event
    return replace(
        case,
        alarms=tuple(alarm for alarm in case.alarms if alarm not in body.alarms),
        merged_from=tuple(known for known in case.merged_from if known != body.case),
    )


@_add.register
def _(body: ev.Reopened, case: Case, event: ev.Event) -> Case:
    del body
    again = _step(case, event, State.OPENED)
    return replace(
        again,
        marks=_marked(again.marks, "reopened", event.at),
        operator=event.actor.name,
        dispatch=None,
        dismiss_reason=None,
        merged_into=None,
        first_person=None,
    )


@_add.register
def _(body: ev.Noted, case: Case, event: ev.Event) -> Case:
    del body, event
    return case


@_add.register
def _(body: ev.Photographed, case: Case, event: ev.Event) -> Case:
    del event
    return replace(case, photos=(*case.photos, body.photo))


@_add.register
def _(body: ev.Escalated, case: Case, event: ev.Event) -> Case:
    del event
    return replace(case, escalations=(*case.escalations, body.escalation))


@_add.register
def _(body: ev.Breached, case: Case, event: ev.Event) -> Case:
    del event
    return replace(case, escalations=(*case.escalations, body.escalation))
