"""Cases of different devices that are probably one incident.

They are shown to each other; only an operator's word merges them.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from console_api.cycle.events import Flagged
from console_api.cycle.machine import event
from console_api.cycle.model import SYSTEM, Case
from console_api.geography import distance_m
from console_api.rules import Rules
from console_api.store.projection import decode_case, record
from console_api.store.schema import cases
from console_api.store.times import to_ms


def flag_nearby(connection: Connection, case: Case, now: datetime, rules: Rules) -> None:
    """Flag a case and each open case near to it in place and time, in the open transaction."""
    pressed = case.marks.pressed or case.marks.received
    if case.position is None or pressed is None:
        return
    window = timedelta(seconds=rules.same_incident_s)
    rows = connection.execute(
        select(cases.c.snapshot).where(
            cases.c.open,
            cases.c.drill == case.drill,
            cases.c.id != case.id,
            cases.c.pressed_ms.between(to_ms(pressed - window), to_ms(pressed + window)),
        )
    ).all()
    for row in rows:
        other = decode_case(row.snapshot)
        flag = _flag(case, other, rules)
        if flag is not None:
            body, back = flag
            case = record(connection, case, (event(case, SYSTEM, now, body),), rules)
            record(connection, other, (event(other, SYSTEM, now, back),), rules)


def _flag(case: Case, other: Case, rules: Rules) -> tuple[Flagged, Flagged] | None:
    """Return the flags for the two cases, None if they are apart or flagged already."""
    known = {duplicate.case for duplicate in case.probable_duplicates}
    shared = {alarm.device for alarm in case.alarms} & {alarm.device for alarm in other.alarms}
    if other.id in known or shared or case.position is None or other.position is None:
        return None
    away = distance_m(case.position.lat, case.position.lon, other.position.lat, other.position.lon)
    pressed = case.marks.pressed or case.marks.received
    others = other.marks.pressed or other.marks.received
    if away > rules.same_incident_m or pressed is None or others is None:
        return None
    apart = abs((pressed - others).total_seconds())
    away = round(away, 1)
    return Flagged(other.id, away, apart), Flagged(case.id, away, apart)
