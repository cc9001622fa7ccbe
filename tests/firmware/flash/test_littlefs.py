from pathlib import Path

from tests.firmware.codec.board import run_on_micropython


def test_on_the_boards_file_system_nothing_that_returned_is_lost_by_any_power_cut() -> None:
    script = Path(__file__).with_name("on_board_littlefs.py")
    (answer,) = run_on_micropython(script, heap="2M")
    name, count = answer.split()
    assert name == "cuts"
    assert int(count) > 50
