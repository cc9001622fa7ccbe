"""What gateways bring in: alarms become cases, everything else finds its place.

Idempotent by event id: the id stands in the log (or, for what only concerns the health of
a device, in its history) in the same transaction as all that the event brings about. So a
batch that was committed but never answered is answered `duplicate` when it comes again.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, delete, insert, select

from console_api.cycle import events as ev
from console_api.cycle.machine import event
from console_api.cycle.model import SYSTEM, Actor, Case, Position
from console_api.rules import RULES, Rules
from console_api.store.devices import heard, is_in_history, tell_device
from console_api.store.due import catch_up
from console_api.store.engine import writing
from console_api.store.log import Entry, append, body_text, is_known
from console_api.store.messages import (
    AlarmData,
    CancelData,
    ConflictData,
    LostData,
    Message,
    PositionSent,
    RefusedError,
    RestoredData,
    StatusData,
    TrackData,
    parse,
)
from console_api.store.nearby import flag_nearby
from console_api.store.projection import decode_case, next_case_id, record
from console_api.store.schema import alarms, cases, orphans
from console_api.store.times import whole_ms
from console_api.store.views import Result

_CENTURY_S = 100 * 365 * 86_400.0
_EVIDENCE: msgspec.json.Decoder[ev.Tracked | ev.Cancelled] = msgspec.json.Decoder(
    ev.Tracked | ev.Cancelled
)


def ingest(
    connection: Connection,
    cloudevents: Sequence[bytes | msgspec.Raw],
    received_at: datetime,
    *,
    rules: Rules = RULES,
    actor: Actor = SYSTEM,
) -> list[Result]:
    """Take a batch in one transaction; one result an event, in their order.

    An event that is refused has no effect but its result and leaves the others alone.
    """
    now = whole_ms(received_at)
    results = []
    spoken: dict[str, None] = {}
    with writing(connection):
        for raw in cloudevents:
            try:
                message = parse(raw)
            except RefusedError as refused:
                results.append(Result(refused.identity, "refused", refused.reason))
                continue
            if _is_known(connection, message):
                results.append(Result(message.id, "duplicate"))
                continue
            heard(connection, message)
            _TAKE[type(message.data)](connection, message, _Moment(now, actor, rules))
            spoken[message.device] = None
            results.append(Result(message.id, "created"))
        for device in spoken:
            tell_device(connection, device)
    return results


class _Moment(msgspec.Struct, frozen=True):
    """When and by whom the batch came, and the rules that hold."""

    now: datetime
    actor: Actor
    rules: Rules


def _is_known(connection: Connection, message: Message) -> bool:
    if isinstance(message.data, StatusData):
        return is_in_history(connection, message.id)
    return is_known(connection, message.id)


def _take_alarm(connection: Connection, message: Message, moment: _Moment) -> None:
    data = message.data
    if not isinstance(data, AlarmData):
        raise TypeError(data)
    drill = message.kind == "drill"
    case = _open_case_of(connection, message.device, data.ref, drill=drill)
    if case is None:
        case_id = next_case_id(connection)
        first = _received(case_id, message, data, drill=drill)
        start = ev.Event(at=moment.now, actor=moment.actor, body=first)
        case = record(connection, None, (start,), moment.rules, cause=message.id)
    else:
        case = catch_up(connection, case, moment.now, moment.rules)
        again = event(case, moment.actor, moment.now, _pressed_again(message, data))
        case = record(connection, case, (again,), moment.rules, cause=message.id)
    case = _adopt(connection, case, message.id, moment)
    flag_nearby(connection, case, moment.now, moment.rules)


def _take_track(connection: Connection, message: Message, moment: _Moment) -> None:
    data = message.data
    if not isinstance(data, TrackData):
        raise TypeError(data)
    body = ev.Tracked(
        event=message.id,
        ref=data.ref,
        position=_position(data.position, data.occurred_at),
        area=data.area,
    )
    case = _add_evidence(connection, message, data.ref, body, moment)
    if case is not None and case.open:
        flag_nearby(connection, case, moment.now, moment.rules)


def _take_cancel(connection: Connection, message: Message, moment: _Moment) -> None:
    data = message.data
    if not isinstance(data, CancelData):
        raise TypeError(data)
    body = ev.Cancelled(event=message.id, ref=data.ref, occurred_at=data.occurred_at)
    _add_evidence(connection, message, data.ref, body, moment)


def _take_status(connection: Connection, message: Message, moment: _Moment) -> None:
    """Leave it at the device's health: heartbeats for ever would drown the log."""
    del connection, message, moment


def _take_finding(connection: Connection, message: Message, moment: _Moment) -> None:
    """Keep for ever what the gateway concluded about a device."""
    _append_for_device(
        connection, message, f"device_{message.kind}", bytes(message.raw).decode(), moment
    )


_TAKE: dict[type[msgspec.Struct], Callable[[Connection, Message, _Moment], None]] = {
    AlarmData: _take_alarm,
    TrackData: _take_track,
    CancelData: _take_cancel,
    StatusData: _take_status,
    LostData: _take_finding,
    RestoredData: _take_finding,
    ConflictData: _take_finding,
}


def _open_case_of(
    connection: Connection, device: str, ref: str | None, *, drill: bool
) -> Case | None:
    """Find the open case that a press of this device joins.

    A drill and a real case are never one: a real press during a drill must be seen.
    """
    mine = (
        select(cases.c.snapshot)
        .join(alarms, alarms.c.case_id == cases.c.id)
        .where(cases.c.open, cases.c.drill == drill, alarms.c.device == device)
        .order_by(cases.c.number.desc())
        .limit(1)
    )
    if ref is not None:
        named = connection.execute(mine.where(alarms.c.id == ref)).scalar_one_or_none()
        if named is not None:
            return decode_case(named)
    newest = connection.execute(mine).scalar_one_or_none()
    return None if newest is None else decode_case(newest)


def _received(case_id: str, message: Message, data: AlarmData, *, drill: bool) -> ev.Received:
    return ev.Received(
        case=case_id,
        alarm=message.id,
        device=data.device,
        category=data.category,
        trigger=data.trigger,
        drill=drill,
        late=data.late,
        pressed_at=data.occurred_at,
        occurred_by=data.occurred_by,
        gateway_at=message.at,
        presses=data.presses,
        position=_position(data.position, data.occurred_at) if data.position else None,
        area=data.area,
    )


def _pressed_again(message: Message, data: AlarmData) -> ev.PressedAgain:
    return ev.PressedAgain(
        alarm=message.id,
        device=message.device,
        category=data.category,
        trigger=data.trigger,
        late=data.late,
        pressed_at=data.occurred_at,
        occurred_by=data.occurred_by,
        gateway_at=message.at,
        presses=data.presses,
        position=_position(data.position, data.occurred_at) if data.position else None,
        area=data.area,
    )


def _position(sent: PositionSent, occurred_at: datetime | None) -> Position:
    at = None
    if occurred_at is not None and sent.fix_age_s is not None:
        # A fix older than a century is a fault of arithmetic, and would leave the calendar.
        at = whole_ms(occurred_at - timedelta(seconds=min(sent.fix_age_s, _CENTURY_S)))
    return Position(
        lat=sent.lat,
        lon=sent.lon,
        source=sent.source,
        fix_age_s=sent.fix_age_s,
        hdop=sent.hdop,
        satellites=sent.satellites,
        altitude_m=sent.altitude_m,
        speed_m_s=sent.speed_m_s,
        course_deg=sent.course_deg,
        at=at,
    )


def _add_evidence(
    connection: Connection,
    message: Message,
    ref: str,
    body: ev.Tracked | ev.Cancelled,
    moment: _Moment,
) -> Case | None:
    """Add to the case of the alarm `ref`; before its alarm has come, keep it for then."""
    snapshot = connection.execute(
        select(cases.c.snapshot)
        .join(alarms, alarms.c.case_id == cases.c.id)
        .where(alarms.c.id == ref)
    ).scalar_one_or_none()
    if snapshot is not None:
        case = decode_case(snapshot)
        added = event(case, moment.actor, moment.now, body)
        return record(connection, case, (added,), moment.rules, cause=message.id)
    text = body_text(body)
    _append_for_device(connection, message, f"early_{body.kind}", text, moment)
    connection.execute(insert(orphans).values(event=message.id, ref=ref, kind=body.kind, data=text))
    return None


def _adopt(connection: Connection, case: Case, alarm: str, moment: _Moment) -> Case:
    """Add what came before its alarm."""
    rows = connection.execute(
        select(orphans).where(orphans.c.ref == alarm).order_by(orphans.c.event)
    ).all()
    for row in rows:
        body = _EVIDENCE.decode(row.data)
        added = event(case, moment.actor, moment.now, body)
        case = record(connection, case, (added,), moment.rules)
    if rows:
        connection.execute(delete(orphans).where(orphans.c.ref == alarm))
    return case


def _append_for_device(
    connection: Connection, message: Message, kind: str, data: str, moment: _Moment
) -> None:
    entry = Entry(
        at=moment.now,
        actor=moment.actor,
        kind=kind,
        device=message.device,
        cause=message.id,
        data=data,
    )
    append(connection, [entry])
