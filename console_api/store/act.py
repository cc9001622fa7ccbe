"""What people do to cases: one transaction from the version that they saw to the answer."""

from datetime import datetime
from hashlib import sha256

import msgspec
from sqlalchemy import Connection, insert, select

from console_api.cycle.actions import Action, Dismiss, DispatchTo, Merge, Register, Reopen
from console_api.cycle.events import Event, Photographed
from console_api.cycle.machine import (
    Command,
    Conflict,
    ConflictReason,
    Facts,
    absorb,
    apply,
    conflict,
    event,
    release,
)
from console_api.cycle.model import Actor, Case
from console_api.errors import AlreadyExistsError
from console_api.rules import RULES, Rules
from console_api.store.due import catch_up
from console_api.store.engine import writing
from console_api.store.numbers import draw
from console_api.store.projection import load, record, require
from console_api.store.render import case_view
from console_api.store.schema import idempotency, photos
from console_api.store.times import to_ms, whole_ms
from console_api.store.units import unit_problem
from console_api.store.views import CaseView, PhotoView

_ANSWER = msgspec.json.Decoder(CaseView)


def act(
    connection: Connection,
    case_id: str,
    action: Action,
    *,
    actor: Actor,
    seen_version: int | None,
    now: datetime,
    idempotency_key: str | None = None,
    rules: Rules = RULES,
) -> CaseView | Conflict:
    """Do an action, or say why it has no effect.

    A key that this actor has used for the same action answers what it answered then and
    does nothing; for anything else it is a conflict. Raises `NotFoundError`.
    """
    now = whole_ms(now)
    request = _digest(case_id, action)
    with writing(connection):
        case = require(connection, case_id)
        if idempotency_key is not None:
            known = _known_answer(connection, case, actor, idempotency_key, request)
            if known is not None:
                return known
        case = catch_up(connection, case, now, rules)
        facts = _facts(connection, case, action, max(now, case.at), rules)
        outcome = apply(case, Command(action, actor, seen_version), now, facts)
        if isinstance(outcome, Conflict):
            return outcome
        if isinstance(action, Reopen) and case.merged_into is not None:
            _release(connection, case, outcome[0], rules)
        case = record(connection, case, outcome, rules)
        if facts.into is not None:
            record(connection, facts.into, (absorb(facts.into, case, actor, now),), rules)
        view = case_view(case, now, rules)
        if idempotency_key is not None:
            connection.execute(
                insert(idempotency).values(
                    actor=actor.name,
                    key=idempotency_key,
                    request=request,
                    answer=msgspec.json.encode(view).decode(),
                    at_ms=to_ms(now),
                )
            )
    return view


def attach_photo(
    connection: Connection,
    photo: PhotoView,
    *,
    actor: Actor,
    now: datetime,
    rules: Rules = RULES,
) -> None:
    """Attach a photo whose file is written already; `by` and `at` are the actor and now.

    Raises `NotFoundError` for its case, `AlreadyExistsError` for its id.
    """
    body = Photographed(
        photo=photo.id,
        file=photo.file,
        sha256=photo.sha256,
        media_type=photo.media_type,
        bytes=photo.bytes,
        width=photo.width,
        height=photo.height,
        note=photo.note,
        taken_at=photo.taken_at,
        lat=photo.lat,
        lon=photo.lon,
    )
    with writing(connection):
        case = require(connection, photo.case)
        known = connection.execute(select(photos.c.id).where(photos.c.id == photo.id))
        if known.first() is not None:
            raise AlreadyExistsError("photo", photo.id)
        record(connection, case, (event(case, actor, whole_ms(now), body),), rules)


def _digest(case_id: str, action: Action) -> bytes:
    return sha256(msgspec.json.encode([case_id, action])).digest()


def _known_answer(
    connection: Connection, case: Case, actor: Actor, key: str, request: bytes
) -> CaseView | Conflict | None:
    row = connection.execute(
        select(idempotency.c.request, idempotency.c.answer).where(
            idempotency.c.actor == actor.name, idempotency.c.key == key
        )
    ).one_or_none()
    if row is None:
        return None
    if row.request != request:
        return conflict(
            case,
            ConflictReason.KEY_REUSED,
            "this Idempotency-Key was used for another action; use a new key for each action",
        )
    return _ANSWER.decode(row.answer)


def _facts(
    connection: Connection, case: Case, action: Action, now: datetime, rules: Rules
) -> Facts:
    if isinstance(action, Register | Dismiss) and case.register_number is None:
        return Facts(number=str(draw(connection, now, rules, drill=case.drill)))
    if isinstance(action, Merge):
        return Facts(into=load(connection, action.into))
    if isinstance(action, DispatchTo):
        return Facts(unit_problem=unit_problem(connection, action.unit))
    return Facts()


def _release(connection: Connection, case: Case, reopened: Event, rules: Rules) -> None:
    """Let a case go from all that it was merged into, one into the next."""
    into = case.merged_into
    while into is not None:
        target = require(connection, into)
        record(connection, target, (release(target, case, reopened.actor, reopened.at),), rules)
        into = target.merged_into
