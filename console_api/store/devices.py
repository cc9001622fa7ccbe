"""Devices: how they are and what was lately heard of them.

The history of a device is bounded and holds no positions: where a citizen's button has
been is shown inside a case only. What must be kept for ever (lost, restored, conflict)
is in the log as well.
"""

import msgspec
from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from console_api.cycle.model import DeviceInfo
from console_api.errors import NotFoundError
from console_api.store.changes import add_change
from console_api.store.engine import reading
from console_api.store.messages import (
    LostData,
    Message,
    RestoredData,
    StatusData,
)
from console_api.store.schema import alarms, cases
from console_api.store.schema import device_history as history
from console_api.store.schema import devices as table
from console_api.store.times import from_ms, from_ms_or_none, to_ms, to_ms_or_none
from console_api.store.views import (
    DeviceDetail,
    DeviceHistoryItem,
    DevicePage,
    DeviceView,
    JsonObject,
)

HISTORY_KEPT = 200
CASES_SHOWN = 50

# Where a device is or was belongs into a case; whose it is, is said once, with the device.
_NOT_IN_HISTORY = frozenset({"position", "area", "device"})


def devices(
    connection: Connection,
    *,
    state: str | None = None,
    q: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> DevicePage:
    """List devices by id, from the cursor on; `q` looks in id, label and address."""
    wanted = select(table).where(table.c.id > (cursor or ""))
    if state is not None:
        wanted = wanted.where(table.c.state == state)
    if q:
        wanted = wanted.where(table.c.search.contains(q.lower(), autoescape=True))
    with reading(connection):
        rows = connection.execute(wanted.order_by(table.c.id).limit(limit + 1)).all()
        page = rows[:limit]
        views = tuple(_view(connection, row) for row in page)
    return DevicePage(views, page[-1].id if len(rows) > limit else None)


def device(connection: Connection, device_id: str) -> DeviceDetail:
    """Return a device with its history, newest first. Raises `NotFoundError`."""
    with reading(connection):
        row = connection.execute(select(table).where(table.c.id == device_id)).one_or_none()
        if row is None:
            raise NotFoundError("device", device_id)
        view = _view(connection, row)
        rows = connection.execute(
            select(history)
            .where(history.c.device == device_id)
            .order_by(history.c.at_ms.desc(), history.c.event.desc())
        ).all()
        worked = connection.execute(
            select(cases.c.id)
            .where(exists().where(alarms.c.case_id == cases.c.id, alarms.c.device == device_id))
            .order_by(cases.c.number.desc())
            .limit(CASES_SHOWN)
        ).all()
    return DeviceDetail(
        id=view.id,
        kind=view.kind,
        label=view.label,
        address=view.address,
        category=view.category,
        state=view.state,
        last_seen=view.last_seen,
        health=view.health,
        open_case=view.open_case,
        info=msgspec.json.decode(row.info, type=DeviceInfo),
        history=tuple(
            DeviceHistoryItem(
                at=from_ms(item.at_ms),
                occurred_at=from_ms_or_none(item.occurred_ms),
                kind=item.kind,
                data=msgspec.Raw(item.data.encode()),
            )
            for item in rows
        ),
        cases=tuple(item.id for item in worked),
    )


def is_in_history(connection: Connection, event: str) -> bool:
    """Whether the device's history still holds this event."""
    found = connection.execute(select(history.c.slot).where(history.c.event == event))
    return found.first() is not None


def heard(connection: Connection, message: Message) -> None:
    """Add a message to what is known of its device, in the open transaction.

    Messages of different lanes overtake each other: an older one never replaces what a
    newer one said.
    """
    device_id = message.device
    row = connection.execute(select(table).where(table.c.id == device_id)).one_or_none()
    at_ms = to_ms(message.at)
    values = _values(row, message, at_ms)
    if row is None:
        connection.execute(insert(table).values(id=device_id, **values))
        count = 0
    else:
        connection.execute(update(table).where(table.c.id == device_id).values(**values))
        count = row.history_count
    slot = count % HISTORY_KEPT
    connection.execute(delete(history).where(history.c.device == device_id, history.c.slot == slot))
    connection.execute(
        insert(history).values(
            device=device_id,
            slot=slot,
            event=message.id,
            at_ms=at_ms,
            occurred_ms=to_ms_or_none(message.data.occurred_at),
            kind=_kind(message),
            data=_history_text(message),
        )
    )


def tell_device(connection: Connection, device_id: str) -> None:
    """Tell the stream how a device is, in the open transaction."""
    row = connection.execute(select(table).where(table.c.id == device_id)).one()
    add_change(connection, "device", device_id, _view(connection, row))


def _values(
    row: Row[tuple[object, ...]] | None, message: Message, at_ms: int
) -> dict[str, str | int | None]:
    values: dict[str, str | int | None] = {
        "history_count": (row.history_count if row else 0) + 1,
    }
    if row is None or at_ms >= row.info_ms:
        values["info"] = msgspec.json.encode(message.data.device).decode()
        values["info_ms"] = at_ms
        values["search"] = _search(message.data.device)
    state = _state(message)
    if row is None or (state is not None and at_ms >= row.state_ms):
        values["state"] = state or "unknown"
        values["state_ms"] = at_ms
    if _spoke(message) and (row is None or at_ms >= (row.last_seen_ms or 0)):
        values["last_seen_ms"] = at_ms
    health = getattr(message.data, "health", None)
    if health is not None and (row is None or at_ms >= (row.health_ms or 0)):
        before: JsonObject = msgspec.json.decode(row.health) if row and row.health else {}
        values["health"] = msgspec.json.encode(before | msgspec.to_builtins(health)).decode()
        values["health_ms"] = at_ms
    return values


def _spoke(message: Message) -> bool:
    """Whether the device itself said it, just now: a will is the broker's word."""
    if isinstance(message.data, StatusData):
        return message.data.reason != "offline"
    return message.kind in {"alarm", "drill", "track", "cancel"}


def _state(message: Message) -> str | None:
    if isinstance(message.data, LostData):
        return "lost"
    if isinstance(message.data, RestoredData) or _spoke(message):
        return "online"
    return None


def _kind(message: Message) -> str:
    if isinstance(message.data, StatusData):
        return message.data.reason
    return message.kind


def _history_text(message: Message) -> str:
    data: JsonObject = msgspec.json.decode(message.raw)
    kept = {name: value for name, value in data.items() if name not in _NOT_IN_HISTORY}
    return msgspec.json.encode(kept).decode()


def _search(info: DeviceInfo) -> str:
    return "\n".join(word for word in (info.id, info.label, info.address) if word).lower()


def _view(connection: Connection, row: Row[tuple[object, ...]]) -> DeviceView:
    info = msgspec.json.decode(row.info, type=DeviceInfo)
    open_case = connection.execute(
        select(cases.c.id)
        .join(alarms, alarms.c.case_id == cases.c.id)
        .where(alarms.c.device == row.id, cases.c.open)
        .order_by(cases.c.drill, cases.c.number.desc())
        .limit(1)
    ).scalar_one_or_none()
    return DeviceView(
        id=row.id,
        kind=info.kind,
        label=info.label,
        address=info.address,
        category=info.category,
        state=row.state,
        last_seen=from_ms_or_none(row.last_seen_ms),
        health=msgspec.json.decode(row.health) if row.health else None,
        open_case=open_case,
    )
