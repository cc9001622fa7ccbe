from gateway.bridge.state import DeviceState, after
from gateway.bridge.supervision import Loss, Watch, after_loss
from gateway.bridge.verify import Event, verify
from gateway.registry.model import DeviceStatus
from tests.gateway.bridge.parts import NOW_MS, Devices, a_device, alarm, heartbeat, replaced, signed

DEVICE = "TRK-000123"
DIRECTORY = Devices(a_device(supervision_interval_s=100))
SILENT_MS = 250_000


def event(body: dict[int, object], lane: str = "status") -> Event:
    found = verify(*signed(body, lane), DIRECTORY)
    assert isinstance(found, Event)
    return found


def judge(state: DeviceState, now_ms: int, since_ms: int = 0) -> Loss | int | None:
    return Watch(since_ms).judge(DEVICE, state, DIRECTORY, now_ms)


HEARD = after(event(heartbeat()), None, NOW_MS)
WILLED = after(event(heartbeat(1, 1, _16=6)), HEARD, NOW_MS + 5_000)


def test_a_device_is_lost_after_two_and_a_half_intervals_of_silence() -> None:
    assert judge(HEARD, NOW_MS + SILENT_MS - 1) == NOW_MS + SILENT_MS
    assert judge(HEARD, NOW_MS + SILENT_MS) == Loss(DEVICE, "silence", NOW_MS)


def test_a_device_is_lost_a_minute_after_its_will() -> None:
    assert judge(WILLED, NOW_MS + 64_999) == NOW_MS + 65_000
    assert judge(WILLED, NOW_MS + 65_000) == Loss(DEVICE, "will", NOW_MS)


def test_a_device_that_is_back_after_its_will_is_not_lost() -> None:
    back = after(event(alarm(1, 2), "alarm"), WILLED, NOW_MS + 30_000)
    assert judge(back, NOW_MS + 65_000) == NOW_MS + 30_000 + SILENT_MS


def test_the_will_of_an_earlier_start_says_nothing() -> None:
    restarted = after(event(heartbeat(2, 0, _16=2)), HEARD, NOW_MS + 1)
    assert after(event(heartbeat(1, 1, _16=6)), restarted, NOW_MS + 2).will_ms is None


def test_time_in_which_the_gateway_did_not_listen_is_no_silence() -> None:
    assert (
        judge(HEARD, NOW_MS + 10**9, since_ms=NOW_MS + 10**9 - 5) == NOW_MS + 10**9 - 5 + SILENT_MS
    )


def test_a_lost_device_is_reported_once() -> None:
    lost = after_loss(HEARD, NOW_MS + SILENT_MS)
    assert (lost.losses, lost.lost_ms) == (1, NOW_MS + SILENT_MS)
    assert judge(lost, NOW_MS + 10 * SILENT_MS) is None


def test_a_suspended_device_is_not_reported_and_starts_anew_when_active() -> None:
    suspended = Devices(replaced(a_device(), status=DeviceStatus.SUSPENDED))
    watch, later = Watch(0), NOW_MS + 10 * SILENT_MS
    assert watch.judge(DEVICE, HEARD, suspended, later) == later + 60_000
    assert watch.judge(DEVICE, HEARD, DIRECTORY, later + 60_000) == later + SILENT_MS


def test_a_revoked_device_is_not_watched() -> None:
    revoked = Devices(replaced(a_device(), status=DeviceStatus.REVOKED))
    assert Watch(0).judge(DEVICE, HEARD, revoked, NOW_MS + SILENT_MS) is None


def test_only_what_is_due_is_looked_at_earliest_first() -> None:
    watch = Watch(0)
    for device, due in (("B", 20), ("A", 10), ("C", 30), ("C", 15)):
        watch.expect(device, due)
    assert watch.due(9, 10) == []
    assert watch.due(20, 2) == ["A", "C"]
    assert watch.due(20, 10) == ["B"]
    assert watch.due(99, 10) == []
