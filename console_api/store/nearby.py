"""Cases of different devices that are probably one incident.

They are shown to each other; only an operator's word merges them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from console_api.cycle.events import Flagged
from console_api.cycle.machine import event
from console_api.cycle.model import SYSTEM, Case
from console_api.geography import distance_m
from console_api.rules import Rules
from console_api.store.projection import decode_case, record
from console_api.store.schema import cases
from console_api.store.times import to_ms

# A crowd that presses at once must not cost the square of its number, and no operator
# reads more names than this: each further press still leads to a case that leads on.
MOST_SHOWN = 5
_LOOKED_AT = 50

# Of latitude; the sphere that distances are taken on has 111,195, so the band is never short.
_METRES_PER_DEGREE = 111_000.0


def flag_nearby(connection: Connection, case: Case, now: datetime, rules: Rules) -> None:
    """Flag a case and the nearest open cases close in place and time, in the open transaction.

    A case shows at most `MOST_SHOWN` others; one that shows as many is not told of more.
    """
    room = MOST_SHOWN - len(case.probable_duplicates)
    if room <= 0:
        return
    near = sorted(_near(connection, case, rules), key=lambda found: (found[0], found[2].id))
    shown = near[:room]
    if not shown:
        return
    flags = tuple(
        event(case, SYSTEM, now, Flagged(other.id, away, apart)) for away, apart, other in shown
    )
    record(connection, case, flags, rules)
    for away, apart, other in shown:
        if len(other.probable_duplicates) < MOST_SHOWN:
            back = Flagged(case.id, away, apart)
            record(connection, other, (event(other, SYSTEM, now, back),), rules)


def _near(connection: Connection, case: Case, rules: Rules) -> Iterator[tuple[float, float, Case]]:
    """Find metres, seconds and case of those near that are not flagged already."""
    pressed = case.marks.pressed or case.marks.received
    if case.position is None or pressed is None:
        return
    window = timedelta(seconds=rules.same_incident_s)
    band = rules.same_incident_m / _METRES_PER_DEGREE
    rows = connection.execute(
        select(cases.c.snapshot)
        .where(
            cases.c.open,
            cases.c.drill == case.drill,
            cases.c.id != case.id,
            cases.c.pressed_ms.between(to_ms(pressed - window), to_ms(pressed + window)),
            cases.c.lat.between(case.position.lat - band, case.position.lat + band),
        )
        .order_by(func.abs(cases.c.lat - case.position.lat), cases.c.number)
        .limit(_LOOKED_AT)
    ).all()
    known = {duplicate.case for duplicate in case.probable_duplicates}
    devices = {alarm.device for alarm in case.alarms}
    for row in rows:
        other = decode_case(row.snapshot)
        others = other.marks.pressed or other.marks.received
        if other.position is None or others is None or other.id in known:
            continue
        if devices & {alarm.device for alarm in other.alarms}:
            continue
        away = distance_m(
            case.position.lat, case.position.lon, other.position.lat, other.position.lon
        )
        if away <= rules.same_incident_m:
            yield round(away, 1), abs((pressed - others).total_seconds()), other
