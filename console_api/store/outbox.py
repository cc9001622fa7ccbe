"""The way to the data centre: documents are sent at least once and tried for ever."""

from datetime import datetime

from sqlalchemy import Connection, Row, select, update

from console_api.cycle.events import SendingFailed
from console_api.cycle.machine import acknowledge, event
from console_api.cycle.model import Actor, DataCentre, Role
from console_api.errors import NotFoundError
from console_api.rules import RULES, Rules
from console_api.store.engine import reading, writing
from console_api.store.projection import record, require
from console_api.store.schema import outbox as table
from console_api.store.times import to_ms, whole_ms
from console_api.store.views import OutboxItem

FIRST_RETRY_S = 2.0
LONGEST_RETRY_S = 300.0

_DATA_CENTRE = Actor(name="data-centre", role=Role.SERVICE)


def outbox_due(connection: Connection, now: datetime, *, limit: int = 50) -> tuple[OutboxItem, ...]:
    """Return the documents to send now, the oldest first."""
    with reading(connection):
        rows = connection.execute(
            select(table)
            .where(table.c.status != "sent", table.c.retry_ms <= to_ms(now))
            .order_by(table.c.id)
            .limit(limit)
        ).all()
    return tuple(
        OutboxItem(
            id=row.id, case=row.case_id, version=row.version, body=row.body, attempts=row.attempts
        )
        for row in rows
    )


def outbox_sent(
    connection: Connection, item_id: int, now: datetime, *, rules: Rules = RULES
) -> None:
    """Record the data centre's acknowledgement; the mark `registered` comes from here.

    A second acknowledgement of the same document changes nothing.
    Raises `NotFoundError`.
    """
    now = whole_ms(now)
    with writing(connection):
        row = _row(connection, item_id)
        if row.status == "sent":
            return
        connection.execute(
            update(table)
            .where(table.c.id == item_id)
            .values(status="sent", attempts=row.attempts + 1, error=None, sent_ms=to_ms(now))
        )
        case = require(connection, row.case_id)
        record(connection, case, acknowledge(case, row.version, _DATA_CENTRE, now), rules)


def outbox_failed(
    connection: Connection,
    item_id: int,
    error: str,
    retry_at: datetime,
    now: datetime,
    *,
    rules: Rules = RULES,
) -> None:
    """Record a failed try. The case's log gets the first failure, not each one.

    Raises `NotFoundError`.
    """
    now = whole_ms(now)
    with writing(connection):
        row = _row(connection, item_id)
        if row.status == "sent":
            return
        connection.execute(
            update(table)
            .where(table.c.id == item_id)
            .values(
                status="failing",
                attempts=row.attempts + 1,
                error=error[:1000],
                retry_ms=to_ms(retry_at),
            )
        )
        case = require(connection, row.case_id)
        if case.sending_version == row.version and case.data_centre is DataCentre.PENDING:
            body = SendingFailed(version=row.version, error=error[:1000])
            record(connection, case, (event(case, _DATA_CENTRE, now, body),), rules)


def outbox_retry_s(attempts: int, fraction: float) -> float:
    """Return how long to wait after that many failed tries.

    Doubles from 2 s to 5 min; `fraction` (0 to 1, random) spreads it over its upper half,
    so that many consoles don't return at one moment.
    """
    longest = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(attempts, 30))
    return longest * (0.5 + 0.5 * fraction)


def _row(connection: Connection, item_id: int) -> Row[tuple[object, ...]]:
    row = connection.execute(select(table).where(table.c.id == item_id)).one_or_none()
    if row is None:
        raise NotFoundError("document", str(item_id))
    return row
