"""The way back to the gateways: receipts for alarms and commands for devices, in order."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select, update

from console_api.cycle.model import Actor, Case
from console_api.errors import InvalidInputError
from console_api.store.engine import reading, writing
from console_api.store.log import Entry, append, data_text
from console_api.store.schema import alarms
from console_api.store.schema import notices as table
from console_api.store.times import whole_ms
from console_api.store.views import CommandNotice, JsonObject, Notice, NoticePage, ReceiptNotice

CommandName = Literal["identify", "self_test", "report", "configure", "reboot", "update", "silence"]

_NOTICE: msgspec.json.Decoder[Notice] = msgspec.json.Decoder(Notice)


def notices(connection: Connection, after: str | None, *, limit: int = 500) -> NoticePage:
    """Return what a gateway has not seen yet, in order; `after` None starts at the beginning.

    Raises `InvalidInputError` for a cursor that was never given out.
    """
    start = _cursor(after)
    with reading(connection):
        rows = connection.execute(
            select(table.c.cursor, table.c.data)
            .where(table.c.cursor > start)
            .order_by(table.c.cursor)
            .limit(limit)
        ).all()
    found = tuple(_NOTICE.decode(row.data) for row in rows)
    return NoticePage(notices=found, cursor=found[-1].cursor if found else str(start))


def queue_command(
    connection: Connection,
    device: str,
    command: CommandName,
    args: JsonObject,
    expires: datetime,
    *,
    actor: Actor,
    now: datetime,
) -> str:
    """Send a command to a device by its gateway; returns the notice's cursor."""
    with writing(connection):
        cursor = str(_last(connection) + 1)
        notice = CommandNotice(
            cursor=cursor, device=device, command=command, args=args, expires=whole_ms(expires)
        )
        _insert(connection, [notice])
        data: JsonObject = {"command": command, "args": args, "cursor": cursor}
        append(
            connection,
            [
                Entry(
                    at=now,
                    actor=actor,
                    kind="command_queued",
                    device=device,
                    data=data_text(data),
                )
            ],
        )
    return cursor


def add_receipts(connection: Connection, case: Case) -> None:
    """Tell the case's buttons how far help has come, in the open transaction.

    A button's stage only rises: after a declined dispatch nothing is told until help has
    come farther than it had. A merged case's alarms follow the case merged into.
    """
    rung = case.stage.rung
    behind = connection.execute(
        select(alarms.c.id, alarms.c.device)
        .where(alarms.c.case_id == case.id, alarms.c.rung < rung)
        .order_by(alarms.c.id)
    ).all()
    if not behind:
        return
    start = _last(connection)
    _insert(
        connection,
        (
            ReceiptNotice(
                cursor=str(start + number),
                device=row.device,
                ref=row.id,
                stage=case.stage.value,
                time=case.state_at,
            )
            for number, row in enumerate(behind, 1)
        ),
    )
    connection.execute(
        update(alarms).where(alarms.c.id == bindparam("alarm")).values(rung=rung),
        [{"alarm": row.id} for row in behind],
    )


def _insert(connection: Connection, added: Iterable[Notice]) -> None:
    rows = [
        {"cursor": int(notice.cursor), "data": msgspec.json.encode(notice).decode()}
        for notice in added
    ]
    connection.execute(insert(table), rows)


def _last(connection: Connection) -> int:
    return connection.execute(select(func.max(table.c.cursor))).scalar_one() or 0


def _cursor(text: str | None) -> int:
    if text is None:
        return 0
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise InvalidInputError("after", f"{text!r} is no cursor; use the one of the last answer")
    return int(text)
