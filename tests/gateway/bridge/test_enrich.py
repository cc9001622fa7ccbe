import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.bridge.enrich import cloud_event, rfc3339
from gateway.bridge.transaction import Pending
from gateway.bridge.verify import Event, verify
from gateway.registry.model import Area
from tests.gateway.bridge.parts import (
    NOW_MS,
    Devices,
    Json,
    a_device,
    alarm,
    heartbeat,
    replaced,
    signed,
)

DEVICE = "TRK-000123"
AREA = Area("65.73.01.1001", "Karang Balik", "Tarakan Barat")
DIRECTORY = Devices(a_device(), area=AREA)
FIX = {0: 33_012_345, 1: 1_175_890_123, 2: 1, 3: 2, 4: 92, 5: 11, 6: 123, 7: 140, 8: 27_000}


def enriched(
    body: dict[int, object], kind: str, lane: str = "alarm", directory: Devices = DIRECTORY
) -> Json:
    event = verify(*signed(body, lane), directory)
    assert isinstance(event, Event)
    pending = Pending(1, 0, event.identity, kind, DEVICE, NOW_MS, event.payload)
    return cloud_event(pending, "gw1", directory)


def data(event: Json) -> Json:
    found = event["data"]
    assert isinstance(found, dict)
    return found


def test_an_alarm_is_told_in_words_and_units() -> None:
    assert enriched(alarm(12, 3, _7=FIX, _10=2), "alarm") == {
        "specversion": "1.0",
        "id": "TRK-000123:12:3",
        "source": "/gateways/gw1/devices/TRK-000123",
        "type": "id.siaga.button.alarm.v1",
        "time": "2026-09-21T14:15:00.000Z",
        "datacontenttype": "application/json",
        "data": {
            "boot": 12,
            "seq": 3,
            "occurred_at": "2026-09-21T14:13:20.000Z",
            "occurred_by": "device",
            "delay_s": 0.5,
            "late": False,
            "category": "city_alarm",
            "trigger": "press",
            "presses": 2,
            "position": {
                "lat": 3.3012345,
                "lon": 117.5890123,
                "source": "gnss",
                "fix_age_s": 2,
                "hdop": 0.92,
                "satellites": 11,
                "altitude_m": 12.3,
                "speed_m_s": 1.4,
                "course_deg": 270.0,
            },
            "area": {
                "code": "65.73.01.1001",
                "kelurahan": "Karang Balik",
                "kecamatan": "Tarakan Barat",
            },
            "device": {
                "id": DEVICE,
                "kind": "street",
                "label": "Pasar Gusher",
                "address": "Jl. Gajah Mada",
                "category": "city_alarm",
                "camera_url": None,
                "installed": {"lat": 3.3012, "lon": 117.589},
                "owner": {"name": "Siti", "phone": "+62811"},
            },
        },
    }


def test_an_alarm_without_a_position_gets_the_installed_one() -> None:
    found = data(enriched(alarm(), "alarm"))
    assert found["position"] == {
        "lat": 3.3012,
        "lon": 117.589,
        "source": "installed",
        "fix_age_s": None,
    }
    assert found["area"] is not None


def test_an_alarm_of_a_device_without_a_place_has_no_position_and_no_area() -> None:
    nowhere = Devices(replaced(a_device(), installed=None), area=AREA)
    found = data(enriched(alarm(), "alarm", directory=nowhere))
    assert "position" not in found
    assert found["area"] is None


def test_without_a_clock_the_age_tells_when_it_happened() -> None:
    found = data(enriched(alarm(_3=None, _4=30_000), "alarm"))
    assert (found["occurred_at"], found["occurred_by"]) == (rfc3339(NOW_MS - 30_000), "age")


def test_without_clock_and_age_nobody_knows_and_it_is_late() -> None:
    found = data(enriched(alarm(_3=None, _4=None), "alarm"))
    assert (found["occurred_at"], found["occurred_by"]) == (None, "unknown")
    assert (found["delay_s"], found["late"]) == (None, True)


def test_over_a_minute_is_late_by_age_and_by_clock() -> None:
    assert data(enriched(alarm(_4=60_000), "alarm"))["late"] is False
    assert data(enriched(alarm(_4=60_001), "alarm"))["late"] is True
    assert data(enriched(alarm(_4=None), "alarm"))["delay_s"] == 100.0


def test_a_clock_that_is_ahead_makes_no_negative_delay() -> None:
    ahead = NOW_MS // 1000 + 500
    assert data(enriched(alarm(_3=ahead, _4=None), "alarm"))["delay_s"] == 0.0


def test_a_clock_beyond_all_calendars_is_no_clock() -> None:
    found = data(enriched(alarm(_3=2**52, _4=1_000), "alarm"))
    assert found["occurred_by"] == "age"


def test_a_status_tells_its_reason_health_and_result() -> None:
    health = {0: 3850, 1: 78, 2: 2, 3: -71, 5: 86_400, 6: "1.0.0", 7: 3125, 8: False, 11: 2}
    found = data(enriched(heartbeat(_16=8, _8=health, _17=[7, 0]), "status", "status"))
    assert found["reason"] == "command_result"
    assert found["result"] == {"counter": 7, "code": 0}
    assert found["health"] == {
        "battery_v": 3.85,
        "battery_percent": 78,
        "power": "solar",
        "rssi_dbm": -71,
        "uptime_s": 86_400,
        "firmware": "1.0.0",
        "temperature_c": 31.25,
        "tamper": False,
        "gnss": "fix",
    }


def test_a_cancel_names_the_alarm_it_belongs_to() -> None:
    body: dict[int, object] = {0: 3, 1: 12, 2: 3, 3: None, 4: 5, 9: [12, 0]}
    assert data(enriched(body, "cancel"))["ref"] == "TRK-000123:12:0"


def test_an_event_of_a_device_that_left_the_registry_is_still_told() -> None:
    event = verify(*signed(alarm()), DIRECTORY)
    assert isinstance(event, Event)
    pending = Pending(1, 0, event.identity, "alarm", DEVICE, NOW_MS, event.payload)
    found = data(cloud_event(pending, "gw1", Devices()))
    assert found["device"] == {"id": DEVICE}


_UINTS = st.none() | st.integers(0, 2**53 - 1)
_HEALTH = st.dictionaries(
    st.sampled_from([0, 1, 2, 3, 4, 5, 7, 9, 10, 11]), st.integers(-(2**53) + 1, 2**53 - 1)
)


@given(_UINTS, _UINTS, _HEALTH)
def test_every_believed_event_can_be_told(
    time: int | None, age: int | None, health: dict[int, int]
) -> None:
    event = enriched(alarm(_3=time, _4=age, _8=health), "alarm")
    found = data(msgspec.json.decode(msgspec.json.encode(event)))
    delay = found["delay_s"]
    assert delay is None or (isinstance(delay, int | float) and delay >= 0)
