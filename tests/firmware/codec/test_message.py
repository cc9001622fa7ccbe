import pytest

from firmware.button import cose, message
from firmware.button.errors import MessageRefused

BOOT, SEQ = 2**30, 2**16
TIME, AGE = 1_790_000_000, 4 * 24 * 3600 * 1000
POSITION = {0: -33012345, 1: 1175890123, 2: 1, 3: 86400}
DETAILS = {4: 9999, 5: 32, 6: -123, 7: 3000, 8: 35999}
LONGEST_KID = b"ABCDEFGHIJKLMNOPQRSTUVWX#12"

ALARM = message.alarm(
    BOOT, SEQ, TIME, AGE, category=0, trigger=1, position=POSITION, presses=30, ref=(BOOT, 300)
)
TRACK = message.track(BOOT, SEQ, TIME, AGE, ref=(BOOT, 300), position={**POSITION, **DETAILS})
CANCEL = message.cancel(BOOT, SEQ, TIME, AGE, ref=(BOOT, 300))
STATUS = message.status(BOOT, SEQ, TIME, AGE, reason=message.COMMAND_RESULT, result=(7, 0, "done"))
DRILL = message.alarm(
    BOOT, SEQ, TIME, AGE, category=1, trigger=2, position=POSITION, kind=message.DRILL
)
RECEIPT: dict[int, object] = {0: 16, 3: TIME, 9: [BOOT, SEQ], 11: 8}
COMMAND: dict[int, object] = {0: 17, 3: TIME, 12: 7, 13: 4, 14: {"keepalive": 30}, 15: TIME}

BODIES = [
    pytest.param(ALARM, "alarm", id="alarm"),
    pytest.param(DRILL, "alarm", id="drill"),
    pytest.param(CANCEL, "alarm", id="cancel"),
    pytest.param(TRACK, "track", id="track"),
    pytest.param(STATUS, "status", id="status"),
    pytest.param(RECEIPT, "down", id="receipt"),
    pytest.param(COMMAND, "down", id="command"),
]
REQUIRED = {1: (0, 1, 2, 3, 4, 5, 6), 2: (0, 1, 2, 3, 4, 7, 9), 3: (0, 1, 2, 3, 4, 9),
            4: (0, 1, 2, 3, 4, 16), 5: (0, 1, 2, 3, 4, 5, 6), 16: (0, 3, 9, 11),
            17: (0, 3, 12, 13, 15)}  # fmt: skip


def _reason(body: object, lane: str) -> str:
    with pytest.raises(MessageRefused) as refused:
        message.check(body, lane)
    return refused.value.reason


@pytest.mark.parametrize(("body", "lane"), BODIES)
def test_a_body_of_each_type_is_accepted_on_its_lane(body: dict[int, object], lane: str) -> None:
    assert message.check(body, lane) == body


@pytest.mark.parametrize(("body", "lane"), BODIES)
def test_a_body_is_refused_on_every_other_lane(body: dict[int, object], lane: str) -> None:
    others = {"alarm", "track", "status", "down", "unknown", ""} - {lane}
    assert {_reason(body, other) for other in others} == {"body"}


@pytest.mark.parametrize(("body", "lane"), BODIES)
def test_a_body_without_any_required_key_is_refused(body: dict[int, object], lane: str) -> None:
    for key in REQUIRED[message.integer(body, message.TYPE)]:
        assert _reason({k: v for k, v in body.items() if k != key}, lane) == "body", key


@pytest.mark.parametrize(("body", "lane"), BODIES[:-1])
def test_a_body_with_any_known_value_of_another_type_is_refused(
    body: dict[int, object], lane: str
) -> None:
    for key in range(18):
        for wrong in (-1, True, "1", b"1", [], [1], [1, -1], [1, 1, 1], {0: 1}, {1: "x", 4: "y"}):
            if (key, wrong) in ((17, [1, -1]), (8, {0: 1})):
                continue
            assert _reason({**body, key: wrong}, lane) == "body", (key, wrong)


@pytest.mark.parametrize("body", [None, [], 1, "x", {}, {0: 99}, {0: None}, {"0": 1}, {-1: 0}])
def test_what_is_no_body_is_refused(body: object) -> None:
    assert _reason(body, "alarm") == "body"


@pytest.mark.parametrize("key", ["x", b"x", -1])
def test_a_key_that_is_no_unsigned_integer_is_refused(key: object) -> None:
    body: dict[object, object] = dict(ALARM.items())
    body[key] = 0
    assert _reason(body, "alarm") == "body"


@pytest.mark.parametrize("key", [18, 99, 2**64 - 1])
def test_an_unknown_key_is_kept(key: int) -> None:
    body = {**ALARM, key: [{"any": None}]}
    assert message.check(body, "alarm") == body


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (5, 6),
        (6, 0),
        (6, 7),
        (7, {**POSITION, 0: 900_000_001}),
        (7, {**POSITION, 0: -900_000_001}),
        (7, {**POSITION, 1: 1_800_000_001}),
        (7, {**POSITION, 1: -1_800_000_001}),
        (7, {**POSITION, 2: 0}),
        (7, {**POSITION, 2: 4}),
        (8, {2: 3}),
        (8, {11: 3}),
        (11, 0),
        (11, 9),
        (13, 0),
        (13, 8),
        (16, 0),
        (16, 9),
    ],
)
def test_a_value_out_of_range_is_refused(key: int, value: object) -> None:
    assert _reason({**ALARM, key: value}, "alarm") == "range"


@pytest.mark.parametrize(("lat", "lon"), [(900_000_000, 1_800_000_000), (-900_000_000, 0)])
def test_the_ends_of_the_earth_are_accepted(lat: int, lon: int) -> None:
    body = {**ALARM, 7: {**POSITION, 0: lat, 1: lon}}
    assert message.check(body, "alarm") == body


@pytest.mark.parametrize("key", [3, 4])
def test_time_and_age_may_be_unknown(key: int) -> None:
    body = {**ALARM, key: None}
    assert message.check(body, "alarm") == body


@pytest.mark.parametrize("key", [0, 1, 2, 3])
def test_a_position_without_a_required_key_is_refused(key: int) -> None:
    position = {k: v for k, v in POSITION.items() if k != key}
    assert _reason({**ALARM, 7: position}, "alarm") == "body"


def test_a_wrong_shape_goes_before_a_wrong_range() -> None:
    assert _reason({**ALARM, 5: 99, 10: "x"}, "alarm") == "body"


def test_the_reference_of_a_checked_body_is_its_identity() -> None:
    assert message.reference(RECEIPT) == (BOOT, SEQ)


@pytest.mark.parametrize(("body", "lane"), BODIES[:3])
def test_an_alarm_fits_one_binary_sms_with_an_ordinary_id(
    body: dict[int, object], lane: str
) -> None:
    sealed = cose.seal(body, bytes(32), b"TRK-000123#1", b"siaga/v1/TRK-000123/" + lane.encode())
    assert len(sealed) <= 140
