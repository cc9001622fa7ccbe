import os
from collections.abc import Callable
from pathlib import Path
from stat import S_ISDIR
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.button import flash
from firmware.button.errors import CorruptFileError, StorageError
from firmware.button.flash import StateFile
from tests.firmware.flash.power import CuttableFiles, every_cut, every_failure

PATH = "flash/state"
OLD, NEW = b"old record", b"new and longer record"


def _with_old() -> CuttableFiles:
    files = CuttableFiles()
    flash.write_record(PATH, OLD, files)
    return files


def _with_state(value: object) -> CuttableFiles:
    files = CuttableFiles()
    StateFile(PATH, files).save(value)
    return files


@given(st.binary(max_size=1024))
def test_a_record_is_read_as_written(payload: bytes) -> None:
    files = CuttableFiles()
    flash.write_record(PATH, payload, files)
    assert flash.read_record(PATH, files) == payload


def test_a_missing_record_is_none() -> None:
    assert flash.read_record(PATH, CuttableFiles()) is None


def test_a_cut_write_leaves_the_old_record_or_the_new() -> None:
    for files, returned in every_cut(_with_old(), lambda f: flash.write_record(PATH, NEW, f)):
        assert flash.read_record(PATH, files) in ({NEW} if returned else {OLD, NEW})


def test_a_failed_write_leaves_the_old_record_or_the_new() -> None:
    for files, error in every_failure(_with_old(), lambda f: flash.write_record(PATH, NEW, f)):
        assert isinstance(error, StorageError)
        assert (error.operation, error.path) == ("write", PATH)
        assert flash.read_record(PATH, files) in {OLD, NEW}


@given(st.data())
def test_any_damage_of_a_record_is_noticed(data: st.DataObject) -> None:
    files = _with_old()
    whole = files.seen[PATH]
    index = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[index] ^= data.draw(st.integers(1, 255))
    files.seen[PATH] = data.draw(
        st.sampled_from([bytes(changed), whole[:index], bytes(len(whole)), b"", whole + b"\x00"])
    )
    with pytest.raises(CorruptFileError):
        flash.read_record(PATH, files)


def test_a_state_survives_a_reboot() -> None:
    files = _with_state({1: [2, None, "three"]})
    assert StateFile(PATH, files.rebooted("lost")).load() == {1: [2, None, "three"]}


def test_no_state_is_none_without_a_fault() -> None:
    state = StateFile(PATH, CuttableFiles())
    assert (state.load(), state.fault) == (None, None)


def test_a_cut_save_leaves_the_old_state_or_the_new() -> None:
    for files, returned in every_cut(_with_state("old"), lambda f: StateFile(PATH, f).save("new")):
        assert StateFile(PATH, files).load() in ({"new"} if returned else {"old", "new"})


def test_a_cut_clear_leaves_the_state_or_nothing() -> None:
    for files, returned in every_cut(_with_state("old"), lambda f: StateFile(PATH, f).clear()):
        assert StateFile(PATH, files).load() in ({None} if returned else {"old", None})


def test_clearing_what_is_clear_is_done_already() -> None:
    StateFile(PATH, CuttableFiles()).clear()


@pytest.mark.parametrize("operation", ["save", "clear"])
def test_a_failed_save_or_clear_names_the_file(operation: str) -> None:
    def run(files: CuttableFiles) -> None:
        state = StateFile(PATH, files)
        state.clear() if operation == "clear" else state.save("new")

    for _, error in every_failure(_with_state("old"), run):
        assert isinstance(error, StorageError)
        assert error.path == PATH


def test_a_damaged_state_is_set_aside_and_told() -> None:
    files = _with_state("old")
    files.seen[PATH] = files.seen[PATH][:-1]
    state = StateFile(PATH, files)
    assert state.load() is None
    assert isinstance(state.fault, CorruptFileError)
    assert list(files.seen) == [PATH + flash.BAD]


def test_after_a_damaged_state_a_new_one_is_saved() -> None:
    files = _with_state("old")
    files.seen[PATH] = b""
    state = StateFile(PATH, files)
    state.load()
    state.save("new")
    assert (state.load(), state.fault) == ("new", None)


def test_the_real_file_system_holds_a_state(tmp_path: Path) -> None:
    state = StateFile(str(tmp_path / "state"))
    state.save("first")
    state.save("second")
    assert (StateFile(str(tmp_path / "state")).load(), len(list(tmp_path.iterdir()))) == (
        "second",
        1,
    )


def test_content_is_synced_before_the_rename_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    for name in ("fsync", "rename"):
        real = getattr(os, name)

        def recorded(
            *arguments: object, name: str = name, real: Callable[..., None] = real
        ) -> None:
            folder = name == "fsync" and S_ISDIR(os.fstat(cast("int", arguments[0])).st_mode)
            steps.append("fsync folder" if folder else name)
            real(*arguments)

        monkeypatch.setattr(os, name, recorded)
    flash.write_record(str(tmp_path / "record"), NEW)
    assert steps == ["fsync", "rename", "fsync folder"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="missing"):
        StateFile(str(tmp_path / "missing" / "state")).save(1)
