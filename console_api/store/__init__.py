"""The console's database: plain synchronous functions over one SQLAlchemy connection.

Every function that writes commits before it returns, unless it is called inside
`with writing(connection):`, then it joins that transaction. Every time passed in is
timezone-aware; it is kept to the millisecond. `rules` is `console_api.rules.Rules`.

Connections (`console_api.store.engine`)
    open_engine(url) -> Engine                      raises NotMigratedError
    migrate(url) -> None                            runs all migrations
    writing(connection), reading(connection)        context managers

Gateways
    ingest(connection, cloudevents: Sequence[bytes], received_at, *, rules=RULES,
           actor=SYSTEM) -> list[Result]            one raw JSON object each
    notices(connection, after: str | None, *, limit=500) -> NoticePage
    queue_command(connection, device, command, args, expires, *, actor, now) -> str (cursor)

Cases
    act(connection, case_id, action, *, actor, seen_version, now, idempotency_key=None,
        rules=RULES) -> CaseView | Conflict         raises NotFoundError
    case(connection, case_id, now, *, rules=RULES) -> CaseDetail       raises NotFoundError
    case_brief(connection, case_id, now, *, rules=RULES) -> CaseView   raises NotFoundError
    cases(connection, filter, now, *, cursor=None, limit=50, rules=RULES) -> CasePage
    proposals(connection, case_id, now, *, rules=RULES) -> tuple[Proposal, ...]
    attach_photo(connection, photo: PhotoView, *, actor, now, rules=RULES) -> None
    photo(connection, photo_id) -> PhotoView        raises NotFoundError
    tick(connection, now, *, rules=RULES) -> int    escalations and breaches appended
    next_tick(connection) -> datetime | None        when something is due next
    reschedule(connection, rules) -> None           at start: the rules may have changed
    count_by_state(connection) -> dict[tuple[str, bool], int]   (state, drill) -> cases

Register and reports
    register(connection, month: "2026-11", now, *, drill=False, rules=RULES)
        -> tuple[RegisterRow, ...]                  raises InvalidInputError
    clock_report(connection, start, end, now, *, rules=RULES) -> tuple[ClockReport, ...]

Data centre
    outbox_due(connection, now, *, limit=50) -> tuple[OutboxItem, ...]
    outbox_sent(connection, item_id, now, *, rules=RULES) -> None
    outbox_failed(connection, item_id, error, retry_at, now, *, rules=RULES) -> None
    outbox_retry_s(attempts, fraction) -> float     backoff; fraction 0..1 is the jitter

Units and devices
    add_unit(connection, unit_id, name, categories, *, actor, now, at: Point | None = None)
    change_unit(connection, unit_id, actor, now, *, name=None, categories=None, status=None)
    unit(connection, unit_id), units(connection, *, cursor=None, limit=50)
    place_unit(connection, unit_id, at: Point, measured_at, now) -> UnitView
    devices(connection, *, state=None, q=None, cursor=None, limit=50) -> DevicePage
    device(connection, device_id) -> DeviceDetail

Stream
    changes(connection, after: int | None, *, limit=200) -> ChangePage
    last_change(connection) -> int

Anchors (`console_api.store.anchor`)
    write_anchor(connection, path, now) -> Anchor   once an hour and at the end of a service
    `console_api.verify.verify(url, *, photos, anchors=None, progress=None)` reads them

Tables of the accounts room go into the same `metadata` (`console_api.store.schema`) and
into a migration of their own in `console_api/store/migrations/versions` after `0001`.
"""

from console_api.store.act import act, attach_photo
from console_api.store.cases import case, case_brief, cases, count_by_state, photo, proposals
from console_api.store.changes import changes, last_change
from console_api.store.devices import device, devices
from console_api.store.due import next_tick, reschedule, tick
from console_api.store.engine import migrate, open_engine, reading, writing
from console_api.store.ingest import ingest
from console_api.store.notices import notices, queue_command
from console_api.store.outbox import outbox_due, outbox_failed, outbox_retry_s, outbox_sent
from console_api.store.reports import clock_report, register
from console_api.store.units import add_unit, change_unit, place_unit, unit, units

__all__ = [
    "act",
    "add_unit",
    "attach_photo",
    "case",
    "case_brief",
    "cases",
    "change_unit",
    "changes",
    "clock_report",
    "count_by_state",
    "device",
    "devices",
    "ingest",
    "last_change",
    "migrate",
    "next_tick",
    "notices",
    "open_engine",
    "outbox_due",
    "outbox_failed",
    "outbox_retry_s",
    "outbox_sent",
    "photo",
    "place_unit",
    "proposals",
    "queue_command",
    "reading",
    "register",
    "reschedule",
    "tick",
    "unit",
    "units",
    "writing",
]
