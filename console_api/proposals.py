"""Which unit to send: all units in order, each with the reasons for its place.

The operator decides; so no unit is left out, and none stands where it does unexplained.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from console_api.cycle.model import Case, Category
from console_api.geography import distance_m
from console_api.rules import RULES, Rules

UnitStatus = Literal["available", "busy", "off"]

# A unit whose position is old may have driven on at town speed, about 30 km/h.
DRIFT_M_PER_S = 8.0
# Farther than any two points of a city: an unknown distance stands behind each known one.
UNKNOWN_M = 100_000.0
# One step of the order in which fitness and availability come before distance.
STEP = 1_000_000.0


class UnitPosition(msgspec.Struct, frozen=True):
    """Where a unit was, and when."""

    lat: float
    lon: float
    at: datetime


class UnitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a proposal needs to know of a unit."""

    id: str
    name: str
    categories: tuple[Category, ...]
    status: UnitStatus
    position: UnitPosition | None


class Words(msgspec.Struct, frozen=True):
    """The same sentence in the interface's languages."""

    id: str
    en: str


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's place among all units for a case, and why it stands there.

    `score` is what the order follows, lower first: whole millions for fitness and
    availability, metres for the distance.
    """

    rank: int
    unit: str
    name: str
    score: float
    distance_m: float | None
    fit: bool
    status: UnitStatus
    position_age_s: float | None
    reasons: tuple[Words, ...]


def propose(
    case: Case, units: Sequence[UnitFacts], now: datetime, rules: Rules = RULES
) -> tuple[Proposal, ...]:
    """All units, the best first; equal ones by id, so that the order is the same each time."""
    judged = sorted(
        (_judge(case, unit, now, rules) for unit in units),
        key=lambda proposal: (proposal.score, proposal.unit),
    )
    return tuple(
        msgspec.structs.replace(proposal, rank=rank) for rank, proposal in enumerate(judged, 1)
    )


def next_unit(
    case: Case, units: Sequence[UnitFacts], now: datetime, rules: Rules = RULES
) -> str | None:
    """Choose the best available unit that has not been asked for this case yet."""
    tried = {case.unit, *case.declined_units}
    for proposal in propose(case, units, now, rules):
        if proposal.unit not in tried and proposal.status == "available":
            return proposal.unit
    return None


def _judge(case: Case, unit: UnitFacts, now: datetime, rules: Rules) -> Proposal:
    fit = bool(set(case.categories) & set(unit.categories)) or case.category is Category.OTHER
    away, age, metres, where = _distance(case, unit, now, rules)
    steps, reasons = _standing(case, unit, fit=fit)
    return Proposal(
        rank=0,
        unit=unit.id,
        name=unit.name,
        score=round(steps * STEP + metres, 1),
        distance_m=away,
        fit=fit,
        status=unit.status,
        position_age_s=age,
        reasons=(*reasons, *where),
    )


def _standing(case: Case, unit: UnitFacts, *, fit: bool) -> tuple[int, list[Words]]:
    wanted = ", ".join(case.categories)
    steps = 0
    reasons = []
    if fit:
        reasons.append(Words(f"cocok untuk {wanted}", f"fit for {wanted}"))
    else:
        steps += 2
        reasons.append(Words(f"tidak disiapkan untuk {wanted}", f"not equipped for {wanted}"))
    if unit.status == "available":
        reasons.append(Words("siap bertugas", "available"))
    elif unit.status == "busy":
        steps += 1
        reasons.append(Words("sedang menangani kasus lain", "busy with another case"))
    else:
        steps += 16
        reasons.append(Words("tidak bertugas", "off duty"))
    if unit.id == case.unit:
        steps += 4
        reasons.append(Words("sudah ditugaskan ke kasus ini", "dispatched to this case already"))
    if unit.id in case.declined_units:
        steps += 8
        reasons.append(Words("menolak kasus ini", "handed this case back"))
    return steps, reasons


def _distance(
    case: Case, unit: UnitFacts, now: datetime, rules: Rules
) -> tuple[float | None, float | None, float, list[Words]]:
    """Distance, age of the unit's position, metres for the order, and the words."""
    if unit.position is None:
        words = Words("posisi unit tidak diketahui", "the unit's position is unknown")
        return None, None, UNKNOWN_M, [words]
    age = max(0.0, round((now - unit.position.at).total_seconds(), 1))
    if case.position is None:
        words = Words("posisi kasus tidak diketahui", "the case's position is unknown")
        return None, age, UNKNOWN_M, [words]
    away = distance_m(case.position.lat, case.position.lon, unit.position.lat, unit.position.lon)
    words = Words(f"jarak {_metres(away)}", f"{_metres(away)} away")
    if age <= rules.fresh_position_s:
        return round(away, 1), age, away, [words]
    drift = min(age * DRIFT_M_PER_S, UNKNOWN_M / 2)
    old = Words(
        f"posisi terakhir {_age(age, 'detik', 'menit', 'jam')} lalu",
        f"position is {_age(age, 's', 'min', 'h')} old",
    )
    return round(away, 1), age, min(away + drift, UNKNOWN_M), [words, old]


def _metres(metres: float) -> str:
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.1f} km"


def _age(seconds: float, second: str, minute: str, hour: str) -> str:
    if seconds < 120:
        return f"{seconds:.0f} {second}"
    if seconds < 7200:
        return f"{seconds / 60:.0f} {minute}"
    return f"{seconds / 3600:.0f} {hour}"
