from pathlib import Path

from tests.firmware.codec.board import run_on_micropython


def test_on_the_boards_file_system_nothing_that_returned_is_lost_by_any_power_cut() -> None:
    script = Path(__file__).with_name("on_board_littlefs.py")
    # Between the answers, the collector complains about files that the cut left open.
    answers = [line for line in run_on_micropython(script, heap="2M") if line.startswith("cut")]
    assert [line for line in answers if not line.startswith("cuts ")] == []
    assert int(answers[-1].removeprefix("cuts ")) > 50
