"""Calls for help: what is stored, sent, repeated, shown (protocol.md §4)."""

import pytest

from firmware.button import actions, events, message
from firmware.button.config import Config
from firmware.button.ladder import RUNGS
from tests.firmware.button.helpers import BOOT, IN_SESSION, T0, Hand, of

MINUTE_MS = 60_000
STORED, OPENED, ACCEPTED, CLOSED, DISMISSED = 1, 2, 4, 7, 8


@pytest.fixture
def hand() -> Hand:
    hand = Hand()
    hand.do(events.Tick())
    hand.online()
    hand.done.clear()
    return hand


def test_an_alarm_is_on_flash_before_it_is_sent(hand: Hand) -> None:
    found = hand.do(events.Gesture(message.PRESS, 1))
    kinds = [type(action) for action in found]
    assert kinds.index(actions.Store) < kinds.index(actions.Send)
    assert kinds.index(actions.Send) < kinds.index(actions.Light)


@pytest.mark.parametrize(
    ("trigger", "presses"), [(message.PRESS, 1), (message.HOLD, 1), (message.MULTI_PRESS, 5)]
)
def test_a_gesture_becomes_an_alarm_with_its_trigger(
    hand: Hand, trigger: int, presses: int
) -> None:
    body = hand.flash[hand.press(trigger, presses)]
    assert (body[message.TYPE], body[message.TRIGGER]) == (message.ALARM, trigger)
    assert body[message.PRESSES] == presses
    assert message.AGE_MS not in body


def test_a_press_without_a_connection_is_stored_and_shown_but_not_sent() -> None:
    hand = Hand()
    hand.press()
    assert of(hand.done, actions.Send) == []
    assert hand.rungs() == ["pending"]
    assert of(hand.do(events.LinkUp(), after_ms=1_500), actions.Send) == [
        actions.Send(BOOT, 1, 1_500)
    ]


def test_a_press_within_an_active_alarm_is_a_new_event_of_the_same_alarm(hand: Hand) -> None:
    first = hand.press()
    second = hand.press()
    third = hand.press(message.MULTI_PRESS, 3)
    assert len({first, second, third}) == 3
    assert [hand.flash[i][message.PRESSES] for i in (first, second, third)] == [1, 2, 5]
    assert [hand.flash[i].get(message.REF) for i in (first, second, third)] == [
        None,
        list(first),
        list(first),
    ]


@pytest.mark.parametrize("stage", [CLOSED, DISMISSED])
def test_after_the_end_of_an_alarm_a_press_begins_another(hand: Hand, stage: int) -> None:
    first = hand.press()
    hand.receipt(first, stage)
    body = hand.flash[hand.press()]
    assert message.REF not in body
    assert body[message.PRESSES] == 1


def test_an_alarm_ends_after_sixty_minutes(hand: Hand) -> None:
    first = hand.press()
    hand.receipt(first, STORED)
    hand.run_until(60 * MINUTE_MS - 1)
    assert hand.flash[hand.press()][message.PRESSES] == 2
    hand.run_until(60 * MINUTE_MS)
    assert hand.flash[hand.press()][message.PRESSES] == 1


def test_an_alarm_is_sent_again_after_5_s_doubling_to_60_s_for_ever(hand: Hand) -> None:
    identity = hand.press()
    hand.do(events.Delivered(*identity))
    sends = of(hand.run_until(24 * 60 * MINUTE_MS), actions.Send)
    times = [send.age_ms for send in sends]
    assert times[:6] == [5_000, 15_000, 35_000, 75_000, 135_000, 195_000]
    assert times[-1] is not None
    assert times[-1] > 24 * 60 * MINUTE_MS - 61_000
    assert {(send.boot, send.seq) for send in sends} == {identity}


def test_an_acknowledgement_of_the_broker_keeps_the_alarm_on_flash(hand: Hand) -> None:
    identity = hand.press()
    hand.do(events.Delivered(*identity))
    assert identity in hand.flash
    assert hand.rungs()[-1] == "pending"


@pytest.mark.parametrize("stage", range(1, 9))
def test_any_verified_receipt_takes_the_alarm_off_flash(hand: Hand, stage: int) -> None:
    identity = hand.press()
    found = hand.receipt(identity, stage)
    assert identity not in hand.flash
    assert [type(a) for a in found].index(actions.SaveAlarm) < [type(a) for a in found].index(
        actions.Forget
    )
    assert of(hand.run_until(10 * MINUTE_MS), actions.Send) == []


def test_a_receipt_for_another_event_confirms_nothing(hand: Hand) -> None:
    identity = hand.press()
    hand.receipt((identity[0], identity[1] + 1), STORED)
    hand.receipt((identity[0] + 1, identity[1]), CLOSED)
    assert identity in hand.flash
    assert hand.rungs() == ["pending"]


def test_the_light_climbs_the_whole_ladder_and_goes_out(hand: Hand) -> None:
    identity = hand.press()
    for stage in range(1, 8):
        hand.receipt(identity, stage)
    hand.run_until(hand.now_ms + 5 * MINUTE_MS)
    assert hand.rungs() == [*RUNGS[:8], "idle"]


@pytest.mark.parametrize(
    ("stages", "rungs"),
    [
        ([3, 2, 1, 3], ["dispatched"]),
        ([4, 8], ["accepted", "dismissed"]),
        ([7, 8], ["closed"]),
        ([8, 7, 3], ["dismissed"]),
        ([1, 1, 1], ["stored"]),
    ],
)
def test_stages_only_rise(hand: Hand, stages: list[int], rungs: list[str]) -> None:
    identity = hand.press()
    for stage in stages:
        hand.receipt(identity, stage)
    assert hand.rungs() == ["pending", *rungs]


def test_a_press_that_the_console_never_saw_outlives_the_closing_of_its_case(hand: Hand) -> None:
    first = hand.press()
    hand.receipt(first, ACCEPTED)
    second = hand.press()
    hand.receipt(first, CLOSED)
    assert hand.rungs()[-1] == "pending"
    assert hand.flash[hand.press()][message.REF] == list(second)
    hand.receipt(second, STORED)
    assert hand.rungs()[-1] == "stored"


def test_presses_that_the_console_knows_close_together(hand: Hand) -> None:
    first, second = hand.press(), hand.press()
    hand.receipt(first, OPENED)
    hand.receipt(second, OPENED)
    hand.receipt(first, CLOSED)
    assert hand.rungs()[-1] == "closed"


def test_an_alarm_that_never_got_through_is_shown_past_its_sixty_minutes() -> None:
    hand = Hand()
    hand.press()
    hand.run_until(61 * MINUTE_MS)
    assert hand.rungs() == ["pending"]


def test_a_cancel_is_stored_and_sent_and_ends_nothing(hand: Hand) -> None:
    alarm = hand.press()
    hand.receipt(alarm, ACCEPTED)
    found = hand.do(events.CancelRequested())
    stored = of(found, actions.Store)[0]
    assert stored.body[message.TYPE] == message.CANCEL
    assert stored.body[message.REF] == list(alarm)
    assert len(of(found, actions.Send)) == 1
    hand.receipt((stored.boot, stored.seq), STORED)
    assert hand.flash == {}
    assert hand.rungs()[-1] == "accepted"


def test_without_an_alarm_there_is_nothing_to_cancel(hand: Hand) -> None:
    assert of(hand.do(events.CancelRequested()), actions.Store) == []


def test_a_drill_climbs_the_ladder_too(hand: Hand) -> None:
    stored = of(hand.do(events.DrillRequested()), actions.Store)[0]
    assert stored.body[message.TYPE] == message.DRILL
    hand.receipt((stored.boot, stored.seq), ACCEPTED)
    assert hand.rungs() == ["pending", "accepted"]


def test_a_real_press_never_joins_a_drill(hand: Hand) -> None:
    hand.do(events.DrillRequested())
    body = hand.flash[hand.press()]
    assert body[message.TYPE] == message.ALARM
    assert message.REF not in body
    assert body[message.PRESSES] == 1


def test_no_drill_begins_in_a_real_alarm(hand: Hand) -> None:
    hand.press()
    assert of(hand.do(events.DrillRequested()), actions.Store) == []


def test_a_new_press_does_not_wait_for_older_ones_to_get_through() -> None:
    hand = Hand()
    for _ in range(20):
        hand.press()
    assert len(of(hand.online(), actions.Send)) == 8
    newest = hand.press()
    sends = of(hand.done, actions.Send)
    assert (sends[-1].boot, sends[-1].seq) == newest


def test_what_waits_follows_as_the_broker_acknowledges() -> None:
    hand = Hand()
    identities = [hand.press() for _ in range(20)]
    hand.online()
    for identity in identities:
        hand.do(events.Delivered(*identity))
    assert {(s.boot, s.seq) for s in of(hand.done, actions.Send)} == set(identities)


def test_after_a_reconnect_all_is_sent_again_at_once(hand: Hand) -> None:
    identity = hand.press()
    hand.do(events.Delivered(*identity))
    hand.do(events.LinkDown(), after_ms=1_000)
    found = hand.do(events.LinkUp(), after_ms=500)
    assert of(found, actions.Send) == [actions.Send(*identity, 1_500)]


def test_nothing_is_sent_while_the_link_is_down(hand: Hand) -> None:
    hand.press()
    hand.do(events.LinkDown())
    assert of(hand.run_until(30 * MINUTE_MS), actions.Send) == []


def _rebooted(before: Hand) -> Hand:
    after = Hand(boot=BOOT + 1, flash=before.flash, alarm=before.alarm)
    after.do(events.Tick())
    return after


def test_after_a_power_cut_the_age_is_unknown_and_the_identity_the_same(hand: Hand) -> None:
    identity = hand.press()
    body = dict(hand.flash[identity])
    after = _rebooted(hand)
    assert actions.Send(*identity, None) in after.do(events.LinkUp())
    assert after.flash[identity] == body


def test_the_rung_is_shown_after_a_reboot_without_a_sound(hand: Hand) -> None:
    identity = hand.press()
    hand.receipt(identity, ACCEPTED)
    after = _rebooted(hand)
    assert of(after.done, actions.Light) == [actions.Light("accepted", *identity)]
    assert of(after.done, actions.Sound) == []
    after.receipt(identity, CLOSED)
    assert after.rungs() == ["accepted", "closed"]


def test_an_alarm_on_flash_whose_state_was_lost_is_adopted(hand: Hand) -> None:
    identity = hand.press()
    hand.alarm = None
    after = _rebooted(hand)
    assert of(after.done, actions.Light) == [actions.Light("pending", *identity)]
    assert after.flash[after.press()][message.REF] == list(identity)


def test_a_press_after_a_reboot_joins_the_alarm_from_before(hand: Hand) -> None:
    first = hand.press()
    hand.receipt(first, STORED)
    body = _rebooted_press(hand)
    assert body[message.REF] == list(first)
    assert body[message.PRESSES] == 2


def _rebooted_press(hand: Hand) -> dict[int, object]:
    after = _rebooted(hand)
    return after.flash[after.press()]


def test_the_time_of_an_event_is_that_of_its_birth_in_every_transmission(hand: Hand) -> None:
    identity = hand.press()
    assert hand.flash[identity][message.TIME] is None
    hand.do(events.GnssTime(T0))
    assert hand.flash[identity][message.TIME] is None
    assert hand.flash[hand.press()][message.TIME] == T0


class TestSilent:
    def test_shows_and_sounds_nothing_receipts_included(self, hand: Hand) -> None:
        identity = hand.press(message.SILENT)
        for stage in range(1, 8):
            hand.receipt(identity, stage)
        hand.run_until(2 * 60 * MINUTE_MS)
        assert of(hand.done, actions.Light) == []
        assert of(hand.done, actions.Sound) == []

    def test_shows_nothing_after_a_reboot(self, hand: Hand) -> None:
        hand.press(message.SILENT)
        assert _rebooted(hand).rungs() == ["idle"]
        hand.alarm = None
        assert _rebooted(hand).rungs() == ["idle"]

    def test_changes_nothing_that_a_loud_alarm_shows(self, hand: Hand) -> None:
        loud = hand.press()
        hand.receipt(loud, OPENED)
        hand.done.clear()
        silent = hand.press(message.SILENT)
        hand.receipt(silent, ACCEPTED)
        assert of(hand.done, actions.Light) == []
        assert of(hand.done, actions.Sound) == []

    def test_refuses_to_be_made_to_blink(self, hand: Hand) -> None:
        hand.press(message.SILENT)
        found = hand.do(events.Command(1, message.IDENTIFY, {}, T0, IN_SESSION))
        assert of(found, actions.Identify) == []

    def test_a_press_trigger_that_is_configured_silent_is_silent(self) -> None:
        config = Config("street")
        config.change({"press_trigger": message.SILENT})
        hand = Hand(config=config)
        hand.do(events.Down())
        hand.run_until(1_000)
        assert [body[message.TRIGGER] for body in hand.flash.values()] == [message.SILENT]
        assert hand.rungs() == ["idle"]
