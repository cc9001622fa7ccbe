"""Recording events: the log, and in the same transaction all that follows from it."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from console_api.cycle import events as ev
from console_api.cycle.evolve import evolve
from console_api.cycle.model import Case, Escalation, State
from console_api.errors import InternalError, NotFoundError
from console_api.escalation import next_due
from console_api.rules import Rules
from console_api.store.changes import add_change
from console_api.store.documents import queue_document
from console_api.store.log import Entry, Head, append, body_text
from console_api.store.notices import add_receipts
from console_api.store.numbers import RegisterNumber, enter
from console_api.store.render import case_view
from console_api.store.schema import alarms, cases, photos, register
from console_api.store.times import to_ms, to_ms_or_none
from console_api.store.units import ACTIVE_STATES, tell_units
from console_api.store.views import PhotoView

_CASE = msgspec.json.Decoder(Case)


def load(connection: Connection, case_id: str) -> Case | None:
    """Return a case as its events add up, None if there is none of that id."""
    found = connection.execute(select(cases.c.snapshot).where(cases.c.id == case_id))
    snapshot = found.scalar_one_or_none()
    return None if snapshot is None else _CASE.decode(snapshot)


def require(connection: Connection, case_id: str) -> Case:
    """Return a case. Raises `NotFoundError`."""
    case = load(connection, case_id)
    if case is None:
        raise NotFoundError("case", case_id)
    return case


def decode_case(snapshot: str) -> Case:
    """Read a case from its snapshot."""
    return _CASE.decode(snapshot)


def next_case_id(connection: Connection) -> str:
    """Return the id of the next case: short, for it is said over the radio."""
    return f"K-{_last_number(connection) + 1:06d}"


def record(
    connection: Connection,
    case: Case | None,
    events: Sequence[ev.Event],
    rules: Rules,
    *,
    cause: str | None = None,
) -> Case:
    """Append events of one case and bring everything that follows from them up to date.

    `cause` is the id of the CloudEvent that the first of them comes from.
    """
    grown = case
    entries = []
    for event in events:
        grown = evolve(grown, event)
        entries.append(
            Entry(
                at=event.at,
                wall=event.wall,
                actor=event.actor,
                kind=event.body.kind,
                case_id=grown.id,
                version=grown.version,
                cause=cause,
                data=body_text(event.body),
            )
        )
        cause = None
    if grown is None:
        raise InternalError("no event was given to record")
    head = append(connection, entries)
    _save(connection, case, grown, rules)
    _follow_alarms(connection, case, grown)
    for event in events:
        _follow_event(connection, grown, event, head, rules)
    add_receipts(connection, grown)
    _tell(connection, case, grown, rules)
    return grown


def columns(case: Case, rules: Rules) -> dict[str, str | float | bool | None]:
    """Return the columns of `cases` that follow from a case; `number` never changes."""
    received = case.marks.received
    if received is None:
        raise InternalError(f"case {case.id} has no mark received")
    return {
        "state": case.state.value,
        "open": case.open,
        "drill": case.drill,
        "category": case.category.value,
        "device": case.device.id,
        "area": case.area.code if case.area else None,
        "unit": case.unit,
        "received_ms": to_ms(received),
        "pressed_ms": to_ms(case.marks.pressed or received),
        "lat": case.position.lat if case.position else None,
        "due_ms": to_ms_or_none(next_due(case, rules)),
        "search": _search(case),
        "snapshot": msgspec.json.encode(case).decode(),
    }


def _search(case: Case) -> str:
    area = case.area
    words = (
        case.id,
        case.device.id,
        case.device.label,
        case.address,
        area.kelurahan if area else None,
        area.kecamatan if area else None,
        case.register_number,
    )
    return "\n".join(word for word in words if word).lower()


def _last_number(connection: Connection) -> int:
    return connection.execute(select(func.max(cases.c.number))).scalar_one() or 0


def _save(connection: Connection, before: Case | None, case: Case, rules: Rules) -> None:
    values = columns(case, rules)
    if before is None:
        number = _last_number(connection) + 1
        connection.execute(insert(cases).values(number=number, id=case.id, **values))
    else:
        connection.execute(update(cases).where(cases.c.id == case.id).values(**values))


def _follow_alarms(connection: Connection, before: Case | None, case: Case) -> None:
    """Let each alarm lead to the case that decides about it now."""
    came_back = (
        before is not None and before.state is State.MERGED and case.state is not State.MERGED
    )
    known = () if before is None or came_back else before.alarms
    for alarm in case.alarms:
        if alarm in known:
            continue
        moved = connection.execute(
            update(alarms).where(alarms.c.id == alarm.id).values(case_id=case.id)
        )
        if moved.rowcount == 0:
            connection.execute(
                insert(alarms).values(id=alarm.id, case_id=case.id, device=alarm.device, rung=1)
            )


def _follow_event(
    connection: Connection, case: Case, event: ev.Event, head: Head, rules: Rules
) -> None:
    body = event.body
    if isinstance(body, ev.Registering | ev.Dismissed):
        if not _is_entered(connection, case.id):
            enter(connection, RegisterNumber.parse(body.number), case.id)
        queue_document(connection, case, body.number, head, rules)
    elif isinstance(body, ev.Photographed):
        view = photo_view(case.id, event, body)
        text = msgspec.json.encode(view).decode()
        connection.execute(insert(photos).values(id=view.id, case_id=case.id, data=text))
    elif isinstance(body, ev.Escalated | ev.Breached):
        told = EscalationTold(case=case.id, drill=case.drill, escalation=body.escalation)
        add_change(connection, "escalation", case.id, told, unit=case.unit)


class EscalationTold(msgspec.Struct, frozen=True):
    """What the stream tells of an escalation."""

    case: str
    drill: bool
    escalation: Escalation


def photo_view(case_id: str, event: ev.Event, body: ev.Photographed) -> PhotoView:
    """Show a photo as its event describes it."""
    return PhotoView(
        id=body.photo,
        case=case_id,
        file=body.file,
        sha256=body.sha256,
        media_type=body.media_type,
        bytes=body.bytes,
        width=body.width,
        height=body.height,
        by=event.actor.name,
        at=event.at,
        note=body.note,
        taken_at=body.taken_at,
        lat=body.lat,
        lon=body.lon,
    )


def _is_entered(connection: Connection, case_id: str) -> bool:
    found = connection.execute(select(register.c.number).where(register.c.case_id == case_id))
    return found.first() is not None


def _tell(connection: Connection, before: Case | None, case: Case, rules: Rules) -> None:
    add_change(connection, "case", case.id, case_view(case, case.at, rules), unit=case.unit)
    old, new = _working(before), _working(case)
    if old != new:
        tell_units(connection, (old, new))


def _working(case: Case | None) -> str | None:
    return case.unit if case is not None and case.state in ACTIVE_STATES else None
