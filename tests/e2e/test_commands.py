"""From a technician's word at the console to the button in the field, and back."""

import json

from tests.e2e.deployment import PASSWORD, Deployment

DEVICE = "TRK-000123"


def test_a_technician_has_a_button_test_itself_and_reads_its_answer(city: Deployment) -> None:
    city.command("user", "add", "tono", "--role", "technician", "--password-stdin", text=PASSWORD)
    credentials = city.add_device(DEVICE)
    with city.broker(), city.console(), city.gateway(), city.button(credentials) as button:
        button.program.wait_for("^log online")
        answer = city.command(
            *("device", "test", DEVICE, "--user", "tono", "--password-stdin", "--json"),
            text=PASSWORD,
        )
    assert json.loads(answer) == {"device": DEVICE, "code": 0, "text": "ok"}


def test_a_revoked_button_is_cut_off_and_its_alarm_is_refused(city: Deployment) -> None:
    credentials = city.add_device(DEVICE)
    with city.broker(), city.console(), city.gateway(), city.button(credentials) as button:
        button.program.wait_for("^log online")
        with city.watching_registry():
            city.command("device", "revoke", DEVICE)
            seen = len(button.program.lines)
            button.program.wait_for("^log .*(refused|closed|lost|reset|ended)", 20, after=seen)
        button.press()
        button.await_light("pending")
    assert "light stored" not in "\n".join(button.program.lines)
