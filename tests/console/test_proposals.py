"""Which unit stands first, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from console_api.cycle.actions import Decline, DispatchTo, Open
from console_api.cycle.model import Case, Category, Position
from console_api.geography import distance_m
from console_api.proposals import UnitFacts, UnitPosition, UnitStatus, next_unit, propose
from tests.console.cycle.helpers import OFFICER, START, after, received, step

HERE = (3.3274, 117.5785)


def case() -> Case:
    return replace(received(), position=Position(*HERE, source="gnss"))


def unit(
    name: str,
    north_m: float | None = 100,
    category: Category = Category.AMBULANCE,
    status: UnitStatus = "available",
    age_s: float = 0,
) -> UnitFacts:
    position = None
    if north_m is not None:
        position = UnitPosition(HERE[0] + north_m / 111_195, HERE[1], after(-age_s))
    return UnitFacts(id=name, name=name, categories=(category,), status=status, position=position)


def order(*units: UnitFacts, of: Case | None = None) -> list[str]:
    return [proposal.unit for proposal in propose(of or case(), units, START)]


@pytest.mark.parametrize(
    "worse",
    [
        unit("B", 900),
        unit("B", 10, category=Category.FIRE),
        unit("B", 10, status="busy"),
        unit("B", 10, status="off"),
        unit("B", None),
        unit("B", 90, age_s=3600),
    ],
    ids=["farther", "not fit", "busy", "off", "unknown place", "old place"],
)
def test_the_nearest_fit_and_free_unit_stands_first(worse: UnitFacts) -> None:
    assert order(worse, unit("A", 100)) == ["A", "B"]


def test_a_fit_busy_unit_stands_before_a_free_one_that_can_t_help() -> None:
    busy, unfit = unit("A", 900, status="busy"), unit("B", 10, category=Category.HEARSE)
    assert order(unfit, busy) == ["A", "B"]


def test_a_unit_that_declined_stands_behind() -> None:
    declined = step(step(case(), Open()), DispatchTo(unit="AMB-1"))
    declined = step(declined, Decline(reason="-"), OFFICER)
    assert order(unit("AMB-1", 1), unit("AMB-2", 999), of=declined) == ["AMB-2", "AMB-1"]


def test_the_next_unit_is_neither_the_present_nor_a_declined_nor_a_busy_one() -> None:
    sent = step(step(case(), Open()), DispatchTo(unit="AMB-1"))
    units = (unit("AMB-1", 1), unit("AMB-2", 5, status="busy"), unit("AMB-3", 500))
    assert next_unit(sent, units, START) == "AMB-3"
    assert next_unit(sent, units[:2], START) is None


def test_reasons_are_said_in_both_languages() -> None:
    (proposal,) = propose(case(), [unit("A", 1500, age_s=600)], START)
    assert [reason.en for reason in proposal.reasons] == [
        "fit for ambulance",
        "available",
        "1.5 km away",
        "position is 10 min old",
    ]
    assert [reason.id for reason in proposal.reasons] == [
        "cocok untuk ambulance",
        "siap bertugas",
        "jarak 1.5 km",
        "posisi terakhir 10 menit lalu",
    ]


def test_a_case_without_a_position_says_so_and_still_proposes() -> None:
    (proposal,) = propose(received(), [unit("A")], START)
    assert proposal.distance_m is None
    assert "the case's position is unknown" in [reason.en for reason in proposal.reasons]


units = st.builds(
    unit,
    name=st.sampled_from("ABCDEFGH"),
    north_m=st.none() | st.floats(-20_000, 20_000),
    category=st.sampled_from(Category),
    status=st.sampled_from(["available", "busy", "off"]),
    age_s=st.floats(-100, 1e6),
)


@given(units=st.lists(units, unique_by=lambda known: known.id), placed=st.booleans())
def test_every_unit_is_proposed_once_with_a_reason(units: list[UnitFacts], *, placed: bool) -> None:
    found = propose(case() if placed else received(), units, START)
    assert sorted(proposal.unit for proposal in found) == sorted(known.id for known in units)
    assert [proposal.rank for proposal in found] == list(range(1, len(units) + 1))
    assert all(len(proposal.reasons) >= 3 for proposal in found)


def test_a_degree_of_the_equator_is_its_share_of_the_circle() -> None:
    assert distance_m(0, 0, 0, 1) == pytest.approx(111_195.08, abs=0.1)


def test_opposite_points_are_half_the_circle_apart() -> None:
    assert distance_m(90, 0, -90, 0) == pytest.approx(20_015_115, abs=1)
