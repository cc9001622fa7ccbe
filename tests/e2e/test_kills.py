"""Each part killed at its worst moment: no alarm lost, one case, the right light."""

import signal

import pytest

from tests.e2e.deployment import Deployment, Desk

DEVICE = "TRK-000123"


@pytest.fixture
def staffed(city: Deployment) -> Deployment:
    city.add_staff()
    return city


def _is_one_case_of_one_press(desk: Desk) -> None:
    case = desk.await_case(state="received")
    assert case["presses"] == 1
    assert len(desk.cases()) == 1


def test_a_button_killed_between_flash_and_publish_sends_at_its_next_start(
    staffed: Deployment,
) -> None:
    credentials = staffed.add_device(DEVICE)
    with (
        staffed.broker(),
        staffed.console(),
        staffed.gateway(),
        Desk(staffed, "rini") as desk,
    ):
        with staffed.button(credentials, launcher="button_dies_before_publishing.py") as dying:
            dying.await_light("idle")
            dying.press()
            assert dying.program.ended() == -signal.SIGKILL
        assert desk.cases() == []
        with staffed.button(credentials) as button:
            button.await_light("stored")
            _is_one_case_of_one_press(desk)


@pytest.mark.parametrize(
    "launcher", ["gateway_dies_before_acknowledging.py", "gateway_dies_before_forwarding.py"]
)
def test_a_killed_gateway_forwards_once_when_it_is_back(staffed: Deployment, launcher: str) -> None:
    credentials = staffed.add_device(DEVICE)
    with (
        staffed.broker(),
        staffed.console(),
        Desk(staffed, "rini") as desk,
        staffed.gateway(launcher) as dying,
        staffed.button(credentials) as button,
    ):
        button.await_light("idle")
        button.press()
        assert dying.ended() == -signal.SIGKILL
        assert desk.cases() == []
        with staffed.gateway():
            button.await_light("stored", 90)
            _is_one_case_of_one_press(desk)


def test_a_console_killed_between_commit_and_answer_makes_one_case(staffed: Deployment) -> None:
    credentials = staffed.add_device(DEVICE)
    with (
        staffed.broker(),
        staffed.gateway(),
        staffed.console("console_dies_before_answering.py") as dying,
        staffed.button(credentials) as button,
    ):
        button.await_light("idle")
        button.press()
        assert dying.ended() == -signal.SIGKILL
        button.await_light("stored")
        with staffed.console(), Desk(staffed, "rini") as desk:
            _is_one_case_of_one_press(desk)
    staffed.command("verify")


def test_a_broker_killed_after_the_press_and_again_after_the_answer_loses_nothing(
    staffed: Deployment,
) -> None:
    credentials = staffed.add_device(DEVICE)
    with (
        staffed.console(),
        staffed.gateway(await_ready=False),
        Desk(staffed, "rini") as desk,
    ):
        with staffed.broker() as broker, staffed.button(credentials) as button:
            button.await_light("idle")
            button.program.wait_for("^log online")
            broker.kill()
            button.press()
            button.await_light("pending")
            with staffed.broker() as second:
                button.await_light("stored", 90)
                _is_one_case_of_one_press(desk)
                second.kill()
                desk.act(desk.cases()[0]["id"], "open")
            with staffed.broker():
                button.await_light("opened", 90)
        assert len(desk.cases()) == 1
