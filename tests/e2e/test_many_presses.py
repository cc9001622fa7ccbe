"""A hundred presses while the broker keeps falling."""

import signal
import threading
from contextlib import ExitStack

import pytest

from tests.e2e.deployment import Deployment, Desk
from tests.e2e.programs import until

BUTTONS = 10
PRESSES_EACH = 10
BROKER_LIVES_S = 4.0
ROUND_S = 1.5


@pytest.mark.timeout(400)
def test_a_hundred_presses_under_a_falling_broker_are_a_hundred_events(city: Deployment) -> None:
    city.add_staff()
    credentials = [city.add_device(f"TRK-{n:06d}") for n in range(BUTTONS)]
    done = threading.Event()
    falls = 0

    def broker() -> None:
        nonlocal falls
        while not done.is_set():
            with city.broker() as program:
                if done.wait(BROKER_LIVES_S):
                    return
                program.signal(signal.SIGKILL if falls % 2 else signal.SIGTERM)
                program.ended()
                falls += 1

    breaker = threading.Thread(target=broker)
    breaker.start()
    try:
        with city.console(), city.gateway(), ExitStack() as stack:
            buttons = [stack.enter_context(city.button(path)) for path in credentials]
            for button in buttons:
                button.await_light("idle")
            for _ in range(PRESSES_EACH):
                for button in buttons:
                    button.press()
                done.wait(ROUND_S)
            desk = stack.enter_context(Desk(city, "rini"))

            def presses() -> list[str]:
                cases = desk.cases(limit="100")
                return [
                    event["data"]["alarm"]
                    for case in cases
                    for event in desk.case(case["id"])["events"]
                    if event["action"] in {"received", "pressed_again"}
                ]

            until(lambda: len(presses()) >= BUTTONS * PRESSES_EACH, "all presses", 120)
            for button in buttons:
                button.await_confirmed(PRESSES_EACH, 90)
            assert len(desk.cases(limit="100")) == BUTTONS
            found = presses()
            assert len(found) == len(set(found)) == BUTTONS * PRESSES_EACH
            assert falls > 2
    finally:
        done.set()
        breaker.join()
