"""A city in small: events as a gateway sends them, people, and a way through the cycle."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Connection

from console_api import store
from console_api.cycle.actions import (
    Accept,
    Action,
    Arrive,
    Clear,
    Close,
    DispatchTo,
    FileReport,
    Open,
    Register,
    Update,
)
from console_api.cycle.machine import Conflict
from console_api.cycle.model import Actor, Category, Point, Role
from console_api.store.views import CaseFilter, CaseView, Result

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
TARAKAN = (3.3274, 117.5785)

SITI = Actor("siti", Role.OPERATOR, address="10.0.0.5")
BUDI = Actor("budi", Role.OPERATOR, address="10.0.0.6")
RATNA = Actor("ratna", Role.SUPERVISOR)
OFFICER = Actor("anton", Role.OFFICER, unit="AMB-1")
GATEWAY = Actor("gateway:trk", Role.SERVICE)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def device_info(device: str) -> dict[str, object]:
    return {
        "id": device,
        "kind": "street",
        "label": f"Pos {device}",
        "address": "Jl. Yos Sudarso 1",
        "category": "ambulance",
        "camera_url": None,
        "installed": {"lat": TARAKAN[0], "lon": TARAKAN[1]},
        "owner": None,
    }


def cloudevent(
    kind: str, device: str, identity: str, data: dict[str, object], at: datetime = START
) -> bytes:
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": identity,
            "source": f"/gateways/trk/devices/{device}",
            "type": f"id.siaga.button.{kind}.v1",
            "time": at,
            "datacontenttype": "application/json",
            "data": {"device": device_info(device), **data},
        }
    )


def sent(
    kind: str, device: str, boot: int, seq: int, at: datetime = START, **data: object
) -> bytes:
    body = {
        "boot": boot,
        "seq": seq,
        "occurred_at": at,
        "occurred_by": "device",
        "delay_s": 0.5,
        "late": False,
        **data,
    }
    return cloudevent(kind, device, f"{device}:{boot}:{seq}", body, at)


def alarm(
    device: str = "TRK-1", boot: int = 1, seq: int = 0, at: datetime = START, **data: object
) -> bytes:
    drill = data.pop("drill", False)
    known = {
        "category": "ambulance",
        "trigger": "press",
        "position": position(),
        "area": {"code": "65.71.01", "kelurahan": "Selumit", "kecamatan": "Tarakan Tengah"},
    }
    return sent("drill" if drill else "alarm", device, boot, seq, at, **(known | data))


def position(north_m: float = 0.0, source: str = "gnss") -> dict[str, object]:
    return {
        "lat": TARAKAN[0] + north_m / 111_195,
        "lon": TARAKAN[1],
        "source": source,
        "fix_age_s": 1.0,
    }


def take(connection: Connection, *events: bytes, at: datetime = START) -> list[Result]:
    return store.ingest(connection, events, at, actor=GATEWAY)


def new_case(
    connection: Connection,
    device: str = "TRK-1",
    boot: int = 1,
    seq: int = 0,
    at: datetime = START,
    **data: object,
) -> str:
    """Press a button and return the id of the case that it starts."""
    results = take(connection, alarm(device, boot, seq, at, **data), at=at)
    assert [result.status for result in results] == ["created"]
    return store.cases(connection, CaseFilter(), at).cases[0].id


def do(
    connection: Connection,
    case_id: str,
    action: Action,
    actor: Actor = SITI,
    at: datetime = START,
    *,
    seen_version: int | None = None,
    idempotency_key: str | None = None,
) -> CaseView | Conflict:
    seen = seen_version
    if seen is None:
        seen = store.case_brief(connection, case_id, at).version
    return store.act(
        connection,
        case_id,
        action,
        actor=actor,
        seen_version=seen,
        now=at,
        idempotency_key=idempotency_key,
    )


def done(
    connection: Connection,
    case_id: str,
    action: Action,
    actor: Actor = SITI,
    at: datetime = START,
    *,
    seen_version: int | None = None,
    idempotency_key: str | None = None,
) -> CaseView:
    answer = do(
        connection,
        case_id,
        action,
        actor,
        at,
        seen_version=seen_version,
        idempotency_key=idempotency_key,
    )
    assert isinstance(answer, CaseView), answer
    return answer


def refused(
    connection: Connection,
    case_id: str,
    action: Action,
    actor: Actor = SITI,
    at: datetime = START,
    *,
    seen_version: int | None = None,
    idempotency_key: str | None = None,
) -> Conflict:
    answer = do(
        connection,
        case_id,
        action,
        actor,
        at,
        seen_version=seen_version,
        idempotency_key=idempotency_key,
    )
    assert isinstance(answer, Conflict), answer
    return answer


def add_units(connection: Connection, *unit_ids: str) -> None:
    for unit_id in unit_ids:
        store.add_unit(
            connection,
            unit_id,
            f"Unit {unit_id}",
            [Category.AMBULANCE],
            actor=RATNA,
            now=START,
            at=Point(*TARAKAN),
        )


UP_TO_REGISTER: tuple[tuple[Action, Actor], ...] = (
    (Open(), SITI),
    (DispatchTo(unit="AMB-1"), SITI),
    (Accept(), OFFICER),
    (Arrive(), OFFICER),
    (Clear(), OFFICER),
    (FileReport(actions_taken="Dibawa ke RSUD", outcome="selamat"), OFFICER),
    (Update(remarks="lengkap"), SITI),
    (Register(), SITI),
)


def walk(
    connection: Connection,
    case_id: str,
    steps: Iterable[tuple[Action, Actor]] = UP_TO_REGISTER,
    start: datetime = START,
    every_s: float = 10.0,
) -> CaseView:
    """Do the steps, one every `every_s` seconds, and return the case after the last."""
    view = store.case_brief(connection, case_id, start)
    for number, (action, actor) in enumerate(steps, 1):
        view = done(connection, case_id, action, actor, start + timedelta(seconds=number * every_s))
    return view


def acknowledge_all(connection: Connection, at: datetime) -> None:
    for item in store.outbox_due(connection, at):
        store.outbox_sent(connection, item.id, at)


def close(connection: Connection, case_id: str, at: datetime, actor: Actor = SITI) -> CaseView:
    return done(connection, case_id, Close(), actor, at)
