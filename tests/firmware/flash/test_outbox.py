from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.button import flash
from firmware.button.errors import OutboxFullError, StorageError
from firmware.button.outbox import Outbox
from tests.firmware.flash.power import CuttableFiles, every_cut, every_failure

FOLDER = "flash/outbox"
FIRST: dict[int, object] = {0: 1, 1: 12, 2: 0}
SECOND: dict[int, object] = {0: 3, 1: 12, 2: 1}


def _outbox(files: CuttableFiles) -> Outbox:
    return Outbox(FOLDER, files)


def _with_first() -> CuttableFiles:
    files = CuttableFiles()
    _outbox(files).put(12, 0, FIRST)
    return files


def test_an_entry_survives_a_reboot() -> None:
    outbox = _outbox(_with_first().rebooted("lost"))
    assert list(outbox.entries()) == [(12, 0, FIRST)]


def test_entries_come_oldest_first() -> None:
    files = CuttableFiles()
    outbox = _outbox(files)
    order = [(9, 2), (9, 10), (10, 0), (100, 0)]
    for boot, seq in reversed(order):
        outbox.put(boot, seq, {1: boot, 2: seq})
    assert [entry[:2] for entry in outbox.entries()] == order
    assert _outbox(files).identities() == order


def test_the_same_identity_is_stored_once() -> None:
    outbox = _outbox(CuttableFiles())
    outbox.put(12, 0, FIRST)
    outbox.put(12, 0, SECOND)
    assert list(outbox.entries()) == [(12, 0, SECOND)]


def test_a_removed_entry_is_gone() -> None:
    files = _with_first()
    outbox = _outbox(files)
    outbox.remove(12, 0)
    assert (len(outbox), list(_outbox(files).entries())) == (0, [])


def test_removing_what_is_not_there_is_done_already() -> None:
    outbox = _outbox(_with_first())
    outbox.remove(12, 7)
    assert (12, 0) in outbox


def test_entries_may_be_removed_and_put_while_they_are_read() -> None:
    outbox = _outbox(_with_first())
    outbox.put(12, 1, SECOND)
    for boot, seq, _ in outbox.entries():
        outbox.remove(boot, seq)
        outbox.put(13, seq, FIRST)
    assert outbox.identities() == [(13, 0), (13, 1)]


def test_a_cut_put_harms_no_other_entry_and_is_whole_when_it_returned() -> None:
    for files, returned in every_cut(_with_first(), lambda f: _outbox(f).put(12, 1, SECOND)):
        entries = list(_outbox(files).entries())
        assert entries[0] == (12, 0, FIRST)
        assert entries[1:] in ([[(12, 1, SECOND)]] if returned else [[], [(12, 1, SECOND)]])


def test_a_cut_replacement_leaves_the_old_entry_or_the_new() -> None:
    for files, returned in every_cut(_with_first(), lambda f: _outbox(f).put(12, 0, SECOND)):
        (entry,) = _outbox(files).entries()
        assert entry[2] in ([SECOND] if returned else [FIRST, SECOND])


def test_a_cut_removal_harms_no_other_entry() -> None:
    start = _with_first()
    _outbox(start).put(12, 1, SECOND)
    for files, _ in every_cut(start, lambda f: _outbox(f).remove(12, 0)):
        assert list(_outbox(files).entries())[-1] == (12, 1, SECOND)


def test_after_any_cut_the_outbox_goes_on() -> None:
    for files, _ in every_cut(_with_first(), lambda f: _outbox(f).put(12, 1, SECOND)):
        outbox = _outbox(files)
        outbox.put(13, 0, FIRST)
        assert (13, 0, FIRST) in list(_outbox(files.rebooted("lost")).entries())


def test_a_cut_leaves_no_litter_after_the_next_start() -> None:
    for files, _ in every_cut(_with_first(), lambda f: _outbox(f).put(12, 1, SECOND)):
        outbox = _outbox(files)
        assert len(files.names(FOLDER)) == len(outbox)


def test_a_failed_put_is_told_and_what_it_left_is_whole() -> None:
    for files, error in every_failure(_with_first(), lambda f: _outbox(f).put(12, 1, SECOND)):
        assert isinstance(error, StorageError)
        assert next(iter(_outbox(files).entries())) == (12, 0, FIRST)


def test_what_a_failed_put_left_can_be_removed() -> None:
    for files, _ in every_failure(_with_first(), lambda f: _outbox(f).put(12, 1, SECOND)):
        outbox = _outbox(files)
        outbox.remove(12, 1)
        assert _outbox(files).identities() == [(12, 0)]


def test_a_put_that_failed_is_removed_by_the_same_outbox() -> None:
    files = CuttableFiles()
    outbox = _outbox(files)
    files.fail_at = 7  # after the rename
    with pytest.raises(StorageError):
        outbox.put(12, 1, SECOND)
    assert files.names(FOLDER) == ["12-1.msg"]
    outbox.remove(12, 1)
    assert files.names(FOLDER) == []


def test_a_dead_flash_is_told_and_does_not_stop_the_button() -> None:
    class Dead(CuttableFiles):
        def names(self, directory: str) -> list[str]:
            raise OSError(5, "input/output error", directory)

    outbox = _outbox(Dead())
    assert (isinstance(outbox.fault, StorageError), outbox.identities()) == (True, [])


def test_a_failed_removal_is_told_and_can_be_repeated() -> None:
    files = _with_first()
    outbox = _outbox(files)
    files.fail_at = files.steps + 1
    with pytest.raises(StorageError):
        outbox.remove(12, 0)
    outbox.remove(12, 0)
    assert len(outbox) == 0


@given(st.binary(max_size=60))
def test_a_damaged_entry_is_set_aside_and_blocks_nothing(junk: bytes) -> None:
    files = _with_first()
    outbox = _outbox(files)
    outbox.put(12, 1, SECOND)
    files.seen[f"{FOLDER}/12-0.msg"] = junk
    assert list(outbox.entries()) == [(12, 1, SECOND)]
    assert (outbox.damaged, outbox.identities()) == (1, [(12, 1)])
    assert files.seen[f"{FOLDER}/12-0.msg{flash.BAD}"] == junk


def test_an_entry_that_cannot_be_read_now_is_kept_for_later() -> None:
    class Unreadable(CuttableFiles):
        def read(self, path: str) -> bytes:
            raise OSError(5, "input/output error", path)

    outbox = _outbox(Unreadable(_with_first().durable))
    assert (list(outbox.entries()), outbox.identities()) == ([], [(12, 0)])


def test_damaged_entries_do_not_fill_the_flash() -> None:
    files = CuttableFiles({f"{FOLDER}/1-{seq}.msg{flash.BAD}": b"" for seq in range(50)})
    _outbox(files)
    assert len(files.names(FOLDER)) == 8


def test_a_full_outbox_refuses_and_keeps_what_it_has() -> None:
    outbox = Outbox(FOLDER, CuttableFiles(), capacity=2)
    outbox.put(1, 0, FIRST)
    outbox.put(1, 1, FIRST)
    with pytest.raises(OutboxFullError, match="2"):
        outbox.put(1, 2, FIRST)
    outbox.put(1, 1, SECOND)
    assert list(outbox.entries()) == [(1, 0, FIRST), (1, 1, SECOND)]


@pytest.mark.parametrize("name", ["x.msg", "1-2-3.msg", "1-.msg", "-1-2.msg", "1-2", "note.txt"])
def test_a_strange_file_is_no_entry(name: str) -> None:
    assert len(_outbox(CuttableFiles({f"{FOLDER}/{name}": b""}))) == 0


def test_the_real_file_system_holds_an_entry(tmp_path: Path) -> None:
    Outbox(str(tmp_path / "outbox")).put(12, 0, FIRST)
    outbox = Outbox(str(tmp_path / "outbox"))
    assert list(outbox.entries()) == [(12, 0, FIRST)]
    outbox.remove(12, 0)
    assert list((tmp_path / "outbox").iterdir()) == []
