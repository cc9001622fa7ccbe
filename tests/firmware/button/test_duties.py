"""Statuses, tracks, commands and the clock."""

import pytest

from firmware.button import actions, commands, events, message
from firmware.button.config import Config
from tests.firmware.button.helpers import BOOT, IN_SESSION, T0, Hand, of

MINUTE_MS = 60_000
HERE = (33_012_345, 1_175_890_123)
METRE_E7 = 90
STORED, ACCEPTED = 1, 4
BATTERY = 4


@pytest.fixture
def hand() -> Hand:
    hand = Hand(config=Config("street"))
    hand.do(events.Tick())
    hand.online()
    hand.done.clear()
    return hand


def _fix(north_m: int = 0, hdop: int = 100) -> events.Fix:
    return events.Fix(HERE[0] + north_m * METRE_E7, HERE[1], {4: hdop, 5: 9, 6: 120, 7: 10, 8: 0})


def _published(hand: Hand, kind: int) -> list[dict[int, object]]:
    bodies = [publish.body for publish in of(hand.done, actions.Publish)]
    return [body for body in bodies if body[message.TYPE] == kind]


def _command(kind: int, counter: int = 1, expires: int = T0 + 60, **args: object) -> events.Command:
    return events.Command(counter, kind, args, expires, IN_SESSION)


def _result(hand: Hand) -> tuple[object, ...]:
    body = _published(hand, message.STATUS)[-1]
    assert body[message.REASON] == message.COMMAND_RESULT
    result = body[message.RESULT]
    assert isinstance(result, list)
    return tuple(result)


class TestStatus:
    def test_the_boot_is_the_first_thing_told(self) -> None:
        hand = Hand()
        publish = of(hand.do(events.LinkUp()), actions.Publish)[0]
        assert (publish.lane, publish.body[message.REASON]) == ("status", message.REASON_BOOT)
        assert publish.health
        assert publish.body[message.SEQ] == 0

    def test_the_boot_is_told_again_until_the_broker_has_it(self) -> None:
        hand = Hand()
        hand.do(events.LinkUp())
        hand.do(events.LinkDown())
        again = of(hand.do(events.LinkUp(), after_ms=700), actions.Publish)
        assert [p.body[message.REASON] for p in again] == [message.REASON_BOOT]
        assert again[0].body[message.AGE_MS] == 700

    def test_coming_back_is_told_at_once(self, hand: Hand) -> None:
        hand.do(events.LinkDown())
        hand.do(events.LinkUp())
        assert _published(hand, message.STATUS)[0][message.REASON] == message.PERIODIC

    @pytest.mark.parametrize(("kind", "minutes"), [("street", 15), ("handheld", 360)])
    def test_a_heartbeat_comes_at_each_interval(self, kind: str, minutes: int) -> None:
        hand = Hand(config=Config(kind))
        hand.online()
        hand.done.clear()
        hand.run_until(4 * minutes * MINUTE_MS)
        assert len(_published(hand, message.STATUS)) == 4

    def test_alarms_leave_before_statuses(self) -> None:
        hand = Hand()
        hand.press()
        kinds = [type(action) for action in hand.do(events.LinkUp())]
        assert kinds.index(actions.Send) < kinds.index(actions.Publish)

    def test_what_the_board_noticed_is_reported(self, hand: Hand) -> None:
        hand.do(events.Happened(BATTERY))
        assert _published(hand, message.STATUS)[0][message.REASON] == BATTERY

    def test_tampering_raises_an_alarm_where_configured(self, hand: Hand) -> None:
        hand.do(events.Happened(message.REASON_TAMPER))
        assert hand.flash == {}
        hand.button.config.change({"tamper_alarm": 1})
        hand.do(events.Happened(message.REASON_TAMPER))
        assert [body[message.TRIGGER] for body in hand.flash.values()] == [message.TAMPER]

    def test_each_will_has_an_identity_of_its_own_and_no_age(self, hand: Hand) -> None:
        first, second = hand.button.will(0), hand.button.will(0)
        assert first[message.SEQ] != second[message.SEQ]
        assert first[message.REASON] == message.OFFLINE
        assert first[message.AGE_MS] is None


class TestTrack:
    def test_an_alarm_carries_the_position_that_is_known(self, hand: Hand) -> None:
        hand.do(_fix())
        hand.now_ms += 3_000
        position = hand.flash[hand.press()][message.POSITION]
        assert position == {0: HERE[0], 1: HERE[1], 2: message.GNSS, 3: 3, 4: 100, 5: 9}

    def test_an_old_fix_is_the_last_known(self, hand: Hand) -> None:
        hand.do(_fix())
        hand.now_ms += 3_600_000
        position = hand.flash[hand.press()][message.POSITION]
        assert isinstance(position, dict)
        assert (position[2], position[3]) == (message.LAST_KNOWN, 3_600)

    def test_no_fix_delays_no_alarm_and_a_late_one_follows_as_track(self, hand: Hand) -> None:
        alarm = hand.press()
        assert message.POSITION not in hand.flash[alarm]
        hand.do(_fix(), after_ms=2_000)
        track = _published(hand, message.TRACK)[0]
        assert track[message.REF] == list(alarm)
        assert track[message.POSITION] == {
            0: HERE[0], 1: HERE[1], 2: 1, 3: 0, 4: 100, 5: 9, 6: 120, 7: 10, 8: 0
        }  # fmt: skip

    def test_a_moving_button_tells_every_ten_seconds(self, hand: Hand) -> None:
        hand.do(_fix())
        hand.press()
        for second in range(1, 61):
            hand.do(_fix(north_m=2 * second), after_ms=1_000)
        assert len(_published(hand, message.TRACK)) == 6

    def test_a_button_at_rest_tells_every_minute(self, hand: Hand) -> None:
        hand.do(_fix())
        hand.press()
        for _ in range(180):
            hand.do(_fix(north_m=7), after_ms=1_000)
        assert len(_published(hand, message.TRACK)) == 3

    def test_a_better_fix_is_told_though_nothing_moved(self, hand: Hand) -> None:
        hand.do(_fix(hdop=500))
        hand.press()
        hand.do(_fix(hdop=90), after_ms=10_000)
        assert len(_published(hand, message.TRACK)) == 1

    def test_without_an_alarm_nobody_is_tracked(self, hand: Hand) -> None:
        for second in range(600):
            hand.do(_fix(north_m=20 * second), after_ms=1_000)
        assert _published(hand, message.TRACK) == []

    def test_tracking_ends_with_the_alarm(self, hand: Hand) -> None:
        hand.receipt(hand.press(), message.CLOSED)
        hand.do(_fix(), after_ms=60_000)
        assert _published(hand, message.TRACK) == []

    def test_the_date_line_is_no_distance(self) -> None:
        from firmware.button.tracking import moved  # noqa: PLC0415 - used once

        west = events.Fix(0, -1_799_999_950, {})
        east = events.Fix(0, 1_799_999_950, {})
        assert not moved(west, east)

    @pytest.mark.parametrize(
        ("lat_e7", "metres", "expected"),
        [(0, 14, False), (0, 16, True), (600_000_000, 14, False), (600_000_000, 16, True)],
    )
    def test_fifteen_metres_east_are_fifteen_at_any_latitude(
        self,
        lat_e7: int,
        metres: int,
        expected: bool,  # noqa: FBT001 - a table
    ) -> None:
        import math  # noqa: PLC0415 - the board has none, the test may

        from firmware.button.tracking import moved  # noqa: PLC0415 - used once

        degrees = metres / (111_320 * math.cos(math.radians(lat_e7 / 1e7)))
        assert moved(events.Fix(lat_e7, 0, {}), events.Fix(lat_e7, int(degrees * 1e7), {})) is (
            expected
        )


class TestCommand:
    @pytest.mark.parametrize(
        ("kind", "action"),
        [(message.IDENTIFY, actions.Identify), (message.SILENCE, actions.Hush)],
    )
    def test_is_done_and_answered(self, hand: Hand, kind: int, action: type) -> None:
        found = hand.do(_command(kind, counter=9))
        assert any(isinstance(a, action) for a in found)
        assert _result(hand) == (9, commands.OK, "ok")

    def test_a_report_has_the_health(self, hand: Hand) -> None:
        hand.do(_command(message.REPORT))
        assert of(hand.done, actions.Publish)[-1].health

    def test_a_self_test_is_answered_when_it_is_done(self, hand: Hand) -> None:
        assert hand.do(_command(message.SELF_TEST, counter=3)) == [actions.SelfTest(3)]
        hand.do(events.CommandDone(3, commands.FAILED, "lamp open"))
        assert _result(hand) == (3, commands.FAILED, "lamp open")

    def test_configure_changes_and_saves_all_settings(self, hand: Hand) -> None:
        found = hand.do(_command(message.CONFIGURE, heartbeat_s=600))
        assert of(found, actions.SaveConfig)[0].settings["heartbeat_s"] == 600
        assert hand.button.config.heartbeat_s == 600

    @pytest.mark.parametrize(
        "args",
        [
            {},
            {"heartbeat_s": 1},
            {"heartbeat_s": True},
            {"heartbeat_s": "900"},
            {"nonsense": 1},
            {"hold_ms": 1_000, "press_trigger": 0},
        ],
    )
    def test_configure_refuses_the_whole_when_a_part_is_wrong(
        self, hand: Hand, args: dict[str, object]
    ) -> None:
        before = hand.button.config.settings()
        found = hand.do(events.Command(1, message.CONFIGURE, args, T0, IN_SESSION))
        assert of(found, actions.SaveConfig) == []
        assert _result(hand)[1] == commands.BAD_ARGUMENTS
        assert hand.button.config.settings() == before

    def test_reboot_waits_until_its_answer_is_delivered(self, hand: Hand) -> None:
        found = hand.do(_command(message.REBOOT))
        assert of(found, actions.Reboot) == []
        answer = of(found, actions.Publish)[0]
        assert of(hand.do(events.Delivered(BOOT, answer.seq)), actions.Reboot) != []

    def test_reboot_does_not_wait_for_ever(self, hand: Hand) -> None:
        hand.do(_command(message.REBOOT))
        assert of(hand.run_until(hand.now_ms + 5_000), actions.Reboot) != []

    def test_reboot_is_refused_while_an_alarm_is_active(self, hand: Hand) -> None:
        hand.press()
        hand.do(_command(message.REBOOT))
        assert _result(hand)[1] == commands.BUSY

    def test_update_is_not_supported_and_says_so(self, hand: Hand) -> None:
        hand.do(_command(message.UPDATE, counter=5))
        assert _result(hand) == (
            5,
            commands.UNSUPPORTED,
            "update is not supported by this firmware",
        )

    def test_an_expired_one_is_refused_by_a_device_with_a_clock(self, hand: Hand) -> None:
        hand.do(events.GnssTime(T0))
        hand.do(_command(message.IDENTIFY, expires=T0 - 1))
        assert _result(hand)[1] == commands.EXPIRED
        assert of(hand.done, actions.Identify) == []

    def test_without_a_clock_it_is_taken_only_in_the_session_it_arrived_in(
        self, hand: Hand
    ) -> None:
        hand.do(events.Command(1, message.IDENTIFY, {}, T0, not IN_SESSION))
        assert _result(hand)[1] == commands.EXPIRED
        hand.do(events.Command(2, message.IDENTIFY, {}, T0, IN_SESSION))
        assert _result(hand)[1] == commands.OK

    def test_silence_mutes_the_alarm_that_is_active_and_no_other(self, hand: Hand) -> None:
        first = hand.press()
        hand.do(_command(message.SILENCE))
        hand.done.clear()
        hand.receipt(first, ACCEPTED)
        assert of(hand.done, actions.Sound) == []
        hand.receipt(first, message.CLOSED)
        hand.press()
        assert of(hand.done, actions.Sound)[-1] == actions.Sound("pending")

    def test_a_result_is_sent_again_after_a_lost_connection(self, hand: Hand) -> None:
        hand.do(_command(message.IDENTIFY, counter=4))
        hand.do(events.LinkDown())
        hand.done.clear()
        hand.do(events.LinkUp())
        results = [b.get(message.RESULT) for b in _published(hand, message.STATUS)]
        assert [4, 0, "ok"] in results


class TestClock:
    def _time(self, hand: Hand) -> object:
        return hand.flash[hand.press()][message.TIME]

    def test_is_set_by_the_receipt_for_an_event_of_this_boot(self, hand: Hand) -> None:
        identity = hand.press()
        hand.now_ms += 1_000
        hand.receipt(identity, STORED, T0)
        hand.now_ms += 10_000
        assert self._time(hand) in (T0 + 10, T0 + 11)

    def test_is_not_set_by_a_receipt_that_may_have_waited(self, hand: Hand) -> None:
        hand.receipt((BOOT - 1, 0), STORED, T0)
        assert self._time(hand) is None

    def test_a_receipt_never_moves_it_back_before_its_own_time(self, hand: Hand) -> None:
        hand.do(events.GnssTime(T0))
        hand.receipt((BOOT - 1, 0), STORED, T0 - 7_200)
        assert self._time(hand) == T0
        hand.receipt((BOOT - 1, 0), STORED, T0 + 7_200)
        assert self._time(hand) == T0 + 7_200

    def test_a_clock_that_runs_fast_is_corrected(self, hand: Hand) -> None:
        hand.do(events.GnssTime(T0 + 500))
        hand.receipt(hand.press(), STORED, T0)
        time = self._time(hand)
        assert isinstance(time, int)
        assert T0 <= time <= T0 + 1

    @pytest.mark.parametrize("unix", [0, 1_175_000_000])
    def test_a_receiver_with_a_rolled_over_week_is_not_believed(
        self, hand: Hand, unix: int
    ) -> None:
        hand.do(events.GnssTime(unix))
        assert self._time(hand) is None

    def test_a_receiver_that_contradicts_the_gateway_is_not_believed(self, hand: Hand) -> None:
        hand.receipt(hand.press(), STORED, T0)
        hand.do(events.GnssTime(T0 - 3_600))
        time = self._time(hand)
        assert isinstance(time, int)
        assert time >= T0
