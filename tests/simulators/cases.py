"""Cases as the console would send them, for tests that look at what people make of them."""

from datetime import UTC, datetime, timedelta

from simulators.wire import Case, Clock, Device

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
PRESSED = NOW - timedelta(minutes=5)


def case(name: str = "C-1", state: str = "received", **members: object) -> Case:
    plain: dict[str, object] = {
        "id": name,
        "state": state,
        "version": 1,
        "drill": False,
        "silent": False,
        "category": "city_alarm",
        "trigger": "press",
        "device": Device("DEMO-0001"),
        "marks": {"pressed": PRESSED, "received": PRESSED},
    }
    return Case(**(plain | members))  # type: ignore[arg-type]  # members are named by each test


def clock(number: int, start: str, standard_s: float) -> Clock:
    return Clock(number, start, "dispatched", standard_s, 0.0, "running", "green")


def missed(number: int, start: str, end: str, standard_s: float) -> Clock:
    return Clock(number, start, end, standard_s, standard_s + 1, "missed", "red")
