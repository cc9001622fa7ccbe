from itertools import islice, pairwise

import pytest

from simulators.plan import plan_city
from simulators.schedule import FIRST_S, REST_S, Act, Deed, deeds

PLAN = plan_city(60, 3, None).devices
KINDS = {device.id: device.kind for device in PLAN}


def day(seed: int, count: int = 3000) -> list[Deed]:
    return list(islice(deeds(PLAN, seed), count))


def test_the_same_seed_gives_the_same_day() -> None:
    assert day(5, 300) == day(5, 300)


def test_deeds_come_in_the_order_of_time() -> None:
    assert all(a.at_s <= b.at_s for a, b in pairwise(day(1)))


def test_the_first_press_comes_soon() -> None:
    assert day(1)[0].at_s == FIRST_S


def test_alarms_come_as_often_as_asked_for() -> None:
    done = day(2)
    assert done[-1].at_s / len(done) == pytest.approx(60.0, rel=0.2)


def test_most_are_presses_and_everything_happens() -> None:
    acts = [deed.act for deed in day(3)]
    assert set(acts) == set(Act)
    assert acts.count(Act.PRESS) > len(acts) * 0.6


def test_a_street_button_knows_no_secret_alarm() -> None:
    street = {deed.act for deed in day(3) if KINDS[deed.device] == "street"}
    assert street == {Act.PRESS, Act.DRILL, Act.CANCEL}


def test_only_who_carries_a_button_walks_with_it() -> None:
    assert {KINDS[deed.device] for deed in day(3) if deed.walks} == {"handheld"}


def test_a_cancel_follows_a_press_of_the_same_button_within_seconds() -> None:
    done = day(4)
    for index, deed in enumerate(done):
        if deed.act is Act.CANCEL:
            earlier = [e for e in done[:index] if e.device == deed.device]
            assert earlier[-1].act is Act.PRESS
            assert deed.at_s - earlier[-1].at_s <= 12


def test_a_pressed_button_is_left_alone_where_others_are_free() -> None:
    last: dict[str, float] = {}
    for deed in day(6):
        if deed.act is Act.CANCEL or deed.device not in last:
            last.setdefault(deed.device, deed.at_s)
            continue
        if not _is_twin(deed.device):
            assert deed.at_s - last[deed.device] >= REST_S
        last[deed.device] = deed.at_s


def _is_twin(device: str) -> bool:
    index = [planned.id for planned in PLAN].index(device)
    return index > 0 and PLAN[index - 1].twin


def test_neighbours_sometimes_report_the_same_incident() -> None:
    done = day(7)
    pairs = {(PLAN[i].id, PLAN[i + 1].id) for i in range(len(PLAN) - 1) if PLAN[i].twin}
    near = [
        (a.device, b.device)
        for i, a in enumerate(done)
        for b in done[i + 1 : i + 4]
        if b.at_s - a.at_s <= 60
    ]
    assert pairs & set(near)


def test_a_city_without_buttons_is_quiet() -> None:
    assert list(deeds((), 1)) == []
