"""What comes due by itself: escalations and breaches, each once, into the log."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select, update

from console_api.cycle.events import Escalated, Event
from console_api.cycle.model import Case
from console_api.escalation import due, next_due
from console_api.proposals import next_unit
from console_api.rules import RULES, Rules
from console_api.store.engine import reading, writing
from console_api.store.projection import decode_case, record
from console_api.store.schema import cases
from console_api.store.times import from_ms_or_none, to_ms, to_ms_or_none, whole_ms
from console_api.store.units import all_units


def tick(connection: Connection, now: datetime, *, rules: Rules = RULES) -> int:
    """Append everything that is due at `now`; returns how many events that were.

    Takes the write lock only if something is due.
    """
    now = whole_ms(now)
    wanted = select(cases.c.snapshot).where(cases.c.due_ms <= to_ms(now)).order_by(cases.c.number)
    with reading(connection):
        if connection.execute(wanted.limit(1)).first() is None:
            return 0
    count = 0
    with writing(connection):
        for row in connection.execute(wanted).all():
            case = decode_case(row.snapshot)
            events = _with_units(connection, case, due(case, now, rules), now, rules)
            if events:
                record(connection, case, events, rules)
                count += len(events)
    return count


def next_tick(connection: Connection) -> datetime | None:
    """Return when something is due next if nothing happens, None if never."""
    with reading(connection):
        earliest = connection.execute(select(func.min(cases.c.due_ms))).scalar_one()
    return from_ms_or_none(earliest)


def reschedule(connection: Connection, rules: Rules) -> None:
    """Work out anew when each open case is due, after the rules may have changed."""
    with writing(connection):
        rows = connection.execute(select(cases.c.id, cases.c.snapshot).where(cases.c.open)).all()
        for row in rows:
            moment = to_ms_or_none(next_due(decode_case(row.snapshot), rules))
            connection.execute(update(cases).where(cases.c.id == row.id).values(due_ms=moment))


def catch_up(connection: Connection, case: Case, now: datetime, rules: Rules) -> Case:
    """Append what is due on one case before something else happens to it.

    So a clock that ends late between two ticks has its breach all the same.
    """
    events = _with_units(connection, case, due(case, now, rules), now, rules)
    return record(connection, case, events, rules) if events else case


def _with_units(
    connection: Connection, case: Case, events: tuple[Event, ...], now: datetime, rules: Rules
) -> tuple[Event, ...]:
    """Name the unit that an escalation proposes."""
    return tuple(_with_unit(connection, case, event, now, rules) for event in events)


def _with_unit(
    connection: Connection, case: Case, event: Event, now: datetime, rules: Rules
) -> Event:
    body = event.body
    if not isinstance(body, Escalated) or body.escalation.level != "propose":
        return event
    unit = next_unit(case, all_units(connection), now, rules)
    escalation = msgspec.structs.replace(body.escalation, unit=unit)
    return msgspec.structs.replace(event, body=Escalated(escalation=escalation))
