"""The whole button as a process, on both Pythons, over TLS and a real broker."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.firmware.host.helpers import (
    CPYTHON,
    MICROPYTHON,
    Authority,
    ButtonProcess,
    Gateway,
    Mosquitto,
    wait_until,
)

Start = Callable[..., ButtonProcess]
TYPE, BOOT, SEQ, TIME, AGE, CATEGORY, TRIGGER, POSITION, HEALTH, REF, PRESSES = range(11)
REASON, RESULT = 16, 17
PERIODIC, BOOTED, OFFLINE, COMMAND_RESULT = 1, 2, 6, 8


def _identity(line: str) -> list[int]:
    return [int(part) for part in line.split()[2].split(",")]


def test_a_press_reaches_the_gateway_and_the_light_climbs_the_ladder(
    start: Start, gateway: Gateway
) -> None:
    button = start()
    button.wait_for("log online")
    button.say("press")
    identity = _identity(button.wait_for("light stored"))
    for stage in range(2, 8):
        gateway.receipt(identity, stage)
    button.wait_for("light closed")
    assert button.quit() == 0
    assert button.lights() == [
        "idle", "pending", "stored", "opened", "dispatched", "accepted", "arrived", "handled",
        "closed",
    ]  # fmt: skip
    alarm = gateway.alarms()[0]
    assert [alarm[BOOT], alarm[SEQ]] == identity
    assert (alarm[TYPE], alarm[CATEGORY], alarm[TRIGGER], alarm[PRESSES]) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("hold", (1, 2, 1)),
        ("multi 5", (1, 3, 5)),
        ("silent", (1, 4, 1)),
        ("drill", (5, 1, None)),
    ],
)
def test_each_control_line_makes_its_event(
    start: Start, gateway: Gateway, line: str, expected: tuple[int, int, int | None]
) -> None:
    button = start()
    button.say(line)
    alarm = wait_until(gateway.alarms)[0]
    assert (alarm[TYPE], alarm[TRIGGER], alarm.get(PRESSES)) == expected


def test_a_raw_switch_is_debounced_and_pressed(start: Start, gateway: Gateway) -> None:
    button = start()
    button.wait_for("log online")
    for line in ("down", "up", "down", "up", "down"):
        button.say(line)
    time.sleep(0.1)  # the length of a press is what is tested
    button.say("up")
    assert wait_until(gateway.alarms)[0][TRIGGER] == 1


def test_a_cancel_refers_to_the_alarm(start: Start, gateway: Gateway) -> None:
    button = start()
    button.say("press")
    identity = _identity(button.wait_for("light stored"))
    button.say("cancel")
    cancel = wait_until(lambda: gateway.alarms()[1:])[0]
    assert (cancel[TYPE], cancel[REF]) == (3, identity)


def test_a_silent_press_shows_and_sounds_nothing(start: Start, gateway: Gateway) -> None:
    button = start()
    button.say("silent")
    alarm = wait_until(gateway.alarms)[0]
    for stage in range(2, 8):
        gateway.receipt([alarm[BOOT], alarm[SEQ]], stage)
    button.wait_for(f"log confirmed {alarm[BOOT]},{alarm[SEQ]}")
    gateway.command(1, 3)
    wait_until(lambda: gateway.statuses(COMMAND_RESULT))
    button.quit()
    assert button.lights() == ["idle"]
    assert not [line for line in button.lines if line.startswith("log sound")]


def test_killed_after_the_flash_write_it_sends_again_with_unknown_age(
    start: Start, gateway: Gateway
) -> None:
    gateway.answering = False
    button = start()
    button.say("press")
    first = wait_until(gateway.alarms)[0]
    button.kill()
    gateway.bodies.clear()
    button = start()
    again = wait_until(gateway.alarms)[0]
    assert again == {**first, AGE: None}
    gateway.receipt([first[BOOT], first[SEQ]], 1)
    button.wait_for(f"light stored {first[BOOT]},{first[SEQ]}")
    wait_until(lambda: not list((button.flash / "outbox").glob("*.msg")))
    boots = {body[BOOT] for body in gateway.statuses(BOOTED)}
    assert min(int(str(boot)) for boot in boots) > int(str(first[BOOT]))


def test_killed_between_the_flash_write_and_the_first_byte_it_sends_after_the_start(
    start: Start, gateway: Gateway
) -> None:
    button = start(module=("tests/firmware/host/kill_after_store.py",))
    wait_until(lambda: gateway.statuses(BOOTED))
    button.say("press")
    assert button.wait() == -signal.SIGKILL
    assert gateway.alarms() == []
    button = start()
    button.wait_for("light stored")
    assert [body[AGE] for body in gateway.alarms()] == [None]


def test_the_rung_is_shown_after_a_reboot(start: Start, gateway: Gateway) -> None:
    button = start()
    button.say("press")
    identity = _identity(button.wait_for("light stored"))
    gateway.receipt(identity, 4)
    button.wait_for("light accepted")
    button.kill()
    button = start()
    assert _identity(button.wait_for("light accepted")) == identity
    gateway.receipt(identity, 7)
    button.wait_for("light closed")


def test_without_a_broker_a_press_is_kept_and_sent_when_it_is_back(
    start: Start, broker: Mosquitto
) -> None:
    broker.kill()
    button = start()
    button.wait_for("log no connection")
    button.say("press")
    button.wait_for("light pending")
    broker.start()
    gateway = Gateway(broker.port, broker.authority.ca_file)
    try:
        button.wait_for("light stored")
        age_ms = gateway.alarms()[0][AGE]
        assert isinstance(age_ms, int)
    finally:
        gateway.close()


def test_presses_under_a_broker_that_restarts_all_arrive_once(
    start: Start, broker: Mosquitto, gateway: Gateway
) -> None:
    button = start()
    button.wait_for("log online")
    for _ in range(4):
        button.say("press")
        broker.kill()
        button.say("press")
        broker.start()
        button.say("press")
    wait_until(lambda: button.lines and not list((button.flash / "outbox").glob("*.msg")), 60)
    identities = {(body[BOOT], body[SEQ]) for body in gateway.alarms()}
    assert len(identities) == 12
    assert {body[PRESSES] for body in gateway.alarms()} == set(range(1, 13))


def test_a_frozen_broker_is_noticed_and_the_alarm_gets_through_after_it(
    start: Start, broker: Mosquitto, gateway: Gateway
) -> None:
    button = start()
    button.wait_for("log online")
    broker.freeze()
    button.say("press")
    button.wait_for("log no connection: the broker has stopped answering", limit_s=30)
    broker.thaw()
    button.wait_for("light stored")
    assert len({(body[BOOT], body[SEQ]) for body in gateway.alarms()}) == 1


def test_a_killed_button_leaves_its_signed_will(start: Start, gateway: Gateway) -> None:
    button = start()
    wait_until(lambda: gateway.statuses(BOOTED))
    button.kill()
    will = wait_until(lambda: gateway.statuses(OFFLINE))[0]
    assert will[AGE] is None


def test_quitting_leaves_no_will(start: Start, gateway: Gateway) -> None:
    button = start()
    wait_until(lambda: gateway.statuses(BOOTED))
    assert button.quit() == 0
    button = start()
    wait_until(lambda: len(gateway.statuses(BOOTED)) == 2)
    assert gateway.statuses(OFFLINE) == []


@pytest.mark.parametrize("python", [CPYTHON], ids=["cpython"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_where_python_knows_signals(
    start: Start, gateway: Gateway, number: int
) -> None:
    button = start()
    wait_until(lambda: gateway.statuses(BOOTED))
    assert button.signal(number) == 0
    button = start()
    wait_until(lambda: len(gateway.statuses(BOOTED)) == 2)
    assert gateway.statuses(OFFLINE) == []


def test_a_command_is_carried_out_once_and_answered(start: Start, gateway: Gateway) -> None:
    button = start()
    wait_until(lambda: gateway.statuses(BOOTED))
    gateway.command(7, 1)
    gateway.command(7, 1)
    gateway.command(6, 1)
    gateway.command(8, 6)
    wait_until(lambda: gateway.statuses(COMMAND_RESULT)[1:])
    assert [body[RESULT] for body in gateway.statuses(COMMAND_RESULT)] == [
        [7, 0, "ok"],
        [8, 1, "update is not supported by this firmware"],
    ]
    assert button.lines.count("log identify") == 1


def test_a_configured_button_keeps_its_settings_over_a_reboot(
    start: Start, gateway: Gateway
) -> None:
    button = start()
    wait_until(lambda: gateway.statuses(BOOTED))
    gateway.command(1, 4, {"press_trigger": 4})
    wait_until(lambda: gateway.statuses(COMMAND_RESULT))
    gateway.command(2, 5)
    button.wait_for("log boot", count=2)
    for line in ("down", "up"):
        button.say(line)
        time.sleep(0.1)  # the length of a press is what is tested
    assert wait_until(gateway.alarms)[0][TRIGGER] == 4


@pytest.mark.parametrize("payload", [b"", b"nonsense", bytes(1025), bytes(5000)])
def test_bad_messages_do_nothing_and_block_nothing(
    start: Start, gateway: Gateway, payload: bytes
) -> None:
    gateway.answering = False
    button = start()
    button.say("press")
    alarm = wait_until(gateway.alarms)[0]
    identity = [alarm[BOOT], alarm[SEQ]]
    gateway.publish_raw(payload)
    gateway.receipt(identity, 4, key=bytes(32))
    gateway.receipt(identity, 1)
    button.wait_for("light stored")
    assert button.lights() == ["idle", "pending", "stored"]
    assert len([line for line in button.lines if line.startswith("log message refused")]) == 2


def test_a_position_from_a_receiver_is_in_the_alarm(
    start: Start, gateway: Gateway, tmp_path: Path, shared_data: Path
) -> None:
    del shared_data
    recording = tmp_path / "recording.log"
    recording.write_bytes(_sentences())
    button = start(gnss=recording)
    button.wait_for("log gnss ended")
    button.say("press")
    position = wait_until(gateway.alarms)[0][POSITION]
    assert isinstance(position, dict)
    assert (position[0], position[1], position[2]) == (33_012_345, 1_175_890_123, 1)


def _sentences() -> bytes:
    lines = []
    for second in range(12):
        clock = f"0102{second:02d}.00"
        place = "0318.0740700,N,11735.3407380,E"
        lines.append(f"GPRMC,{clock},A,{place},0.0,0.0,241126,,,A")
        lines.append(f"GPGGA,{clock},{place},1,09,0.9,12.0,M,0.0,M,,")
    return b"".join(_sentence(line) for line in lines)


def _sentence(body: str) -> bytes:
    total = 0
    for byte in body.encode():
        total ^= byte
    return f"${body}*{total:02X}\r\n".encode()


def test_a_broker_of_another_authority_is_not_believed(start: Start, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger")
    button = start(ca_file=stranger.ca_file)
    button.wait_for("log no connection")
    button.say("press")
    button.wait_for("log no connection", count=2)
    assert not [line for line in button.lines if "online" in line]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_broker_may_be_called_by_any_name_in_its_certificate(start: Start, host: str) -> None:
    start(host=host).wait_for("log online")


def test_a_broker_of_another_name_is_not_believed(python: tuple[str, ...], tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki", name="somewhere.example")
    broker = Mosquitto(tmp_path / "broker", authority)
    button = ButtonProcess(python, tmp_path / "button", broker.port, authority.ca_file)
    try:
        button.wait_for("log no connection")
        assert not [line for line in button.lines if "online" in line]
    finally:
        button.kill()
        broker.kill()


def test_flash_that_cannot_be_written_does_not_stop_an_alarm(
    start: Start, gateway: Gateway
) -> None:
    button = start()
    button.wait_for("log online")
    outbox = button.flash / "outbox"
    outbox.rmdir()
    outbox.write_text("in the way", encoding="utf-8")
    button.say("press")
    assert wait_until(gateway.alarms)[0][TRIGGER] == 1
    button.wait_for("light stored")
    assert [line for line in button.lines if "is sent from memory" in line]


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ([], 2, "usage:"),
        (["--credentials"], 2, "usage:"),
        (["--nonsense", "x"], 2, "usage:"),
        (["--credentials", "/nonexistent", "--flash", "/tmp"], 1, "cannot be read"),  # noqa: S108 - never written
        (["--credentials", os.devnull, "--flash", "/tmp"], 1, "is not JSON"),  # noqa: S108 - never written
    ],
)
def test_a_wrong_start_is_one_clear_line(
    python: tuple[str, ...], options: list[str], code: int, text: str
) -> None:
    import subprocess  # noqa: PLC0415 - used once

    from tests.firmware.host.helpers import ROOT  # noqa: PLC0415 - used once

    done = subprocess.run(
        [*python, "-m", "firmware.button.boards.host", *options],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == code
    assert text in done.stderr
    assert done.stderr.count("\n") == 1
    assert MICROPYTHON
