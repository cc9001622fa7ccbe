import re

import pytest

from simulators.geodesy import Spot, distance_m
from simulators.plan import NEIGHBOUR_EVERY, plan_city


def test_the_same_seed_plans_the_same_city() -> None:
    assert plan_city(30, 7, None) == plan_city(30, 7, None)


def test_another_seed_plans_another_city() -> None:
    assert plan_city(30, 7, None) != plan_city(30, 8, None)


def test_a_larger_city_keeps_the_buttons_of_the_smaller() -> None:
    assert plan_city(30, 7, None).devices[:10] == plan_city(10, 7, None).devices


def test_device_ids_are_such_as_the_protocol_allows() -> None:
    devices = plan_city(200, 1, None).devices
    assert len({device.id for device in devices}) == 200
    assert all(re.fullmatch(r"[A-Z0-9][A-Z0-9-]{2,23}", device.id) for device in devices)


def test_handhelds_have_owners_and_street_buttons_have_none() -> None:
    devices = plan_city(20, 1, None).devices
    assert {(device.kind, device.owner is None) for device in devices} == {
        ("street", True),
        ("handheld", False),
    }


def test_nobody_in_the_city_can_be_taken_for_a_real_person() -> None:
    owners = [device.owner for device in plan_city(40, 3, None).devices if device.owner]
    assert all("Contoh" in owner.name and "000 0000" in owner.phone for owner in owners)


def test_every_category_of_a_button_has_a_unit_for_it() -> None:
    plan = plan_city(100, 2, None)
    served = {category for unit in plan.units for category in unit.categories}
    assert {device.category for device in plan.devices} <= served


def test_each_unit_has_one_officer_and_the_room_has_its_staff() -> None:
    plan = plan_city(10, 2, None)
    officers = [user.unit for user in plan.users if user.role == "officer"]
    assert sorted(filter(None, officers)) == sorted(unit.id for unit in plan.units)
    assert [user.role for user in plan.users].count("supervisor") == 1
    assert [user.role for user in plan.users].count("operator") == 2


@pytest.mark.parametrize("seed", range(5))
def test_now_and_then_two_buttons_stand_side_by_side(seed: int) -> None:
    devices = plan_city(NEIGHBOUR_EVERY, seed, None).devices
    last, before = devices[-1], devices[-2]
    assert distance_m(Spot(last.lat, last.lon), Spot(before.lat, before.lon)) < 100
