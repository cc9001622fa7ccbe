from hypothesis import given
from hypothesis import strategies as st

from firmware.button.counters import Counters
from firmware.button.errors import CorruptFileError, StorageError
from tests.firmware.flash.power import AFTERMATHS, CuttableFiles, PowerCutError, every_cut

FOLDER = "flash/counters"
LONGEST_START = 2**30


def _counters(files: CuttableFiles) -> Counters:
    return Counters(FOLDER, files)


def _started() -> tuple[CuttableFiles, int]:
    files = CuttableFiles()
    return files, _counters(files).next_boot()


def test_each_start_counts_one_up() -> None:
    files, first = _started()
    assert [_counters(files).next_boot() for _ in range(3)] == [first + 1, first + 2, first + 3]


def test_a_new_device_starts_where_no_earlier_life_of_it_was() -> None:
    starts = {_started()[1] for _ in range(20)}
    assert len(starts) == 20
    assert all(2**20 <= start < LONGEST_START for start in starts)


def test_the_counter_is_on_flash_when_it_is_returned() -> None:
    start, first = _started()
    for files, returned in every_cut(start, lambda f: _counters(f).next_boot()):
        following = _counters(files).next_boot()
        assert following >= first + (2 if returned else 1)


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(1, 16), st.sampled_from(AFTERMATHS), st.sampled_from(" ab")
        ),
        max_size=12,
    )
)
def test_no_cuts_and_no_damage_of_one_copy_bring_a_number_back(
    lives: list[tuple[int | None, str, str]],
) -> None:
    files, last = _started()
    for cut_at, aftermath, damaged in lives:
        files.cut_at = cut_at
        try:
            boot = _counters(files).next_boot()
            assert boot > last
            last = boot
            path = f"{FOLDER}/boot.{damaged}"
            if path in files.seen:
                files.seen[path] = files.seen[path][:-1]
        except PowerCutError:
            pass
        files = files.rebooted(aftermath)
        if damaged != " ":
            files.cut_at = None
            boot = _counters(files).next_boot()
            assert boot > last
            last = boot
            files = files.rebooted("lost")


def test_a_damaged_copy_is_told_and_healed() -> None:
    files, first = _started()
    files.seen[f"{FOLDER}/boot.a"] = b"junk"
    counters = _counters(files)
    assert counters.next_boot() == first + 1
    assert isinstance(counters.fault, CorruptFileError)
    again = _counters(files)
    assert (again.next_boot(), again.fault) == (first + 2, None)


def test_two_damaged_copies_start_a_new_life() -> None:
    files, first = _started()
    for copy in "ab":
        files.seen[f"{FOLDER}/boot.{copy}"] = b"junk"
    assert _counters(files).next_boot() not in range(first - 1000, first + 1000)


def test_a_flash_that_cannot_be_written_still_gives_a_number() -> None:
    files, first = _started()
    files.fail_at = files.steps + 1
    counters = _counters(files)
    assert counters.next_boot() not in range(first, first + 1000)
    assert isinstance(counters.fault, StorageError)


def test_a_dead_flash_does_not_stop_the_button() -> None:
    class Dead(CuttableFiles):
        def make_directory(self, path: str) -> None:
            raise OSError(5, "input/output error", path)

        def write(self, path: str, data: bytes) -> None:
            raise OSError(5, f"input/output error after 0 of {len(data)} bytes", path)

    counters = _counters(Dead())
    assert 2**20 <= counters.next_boot() < LONGEST_START
    assert isinstance(counters.fault, StorageError)


def test_a_command_is_accepted_once() -> None:
    counters = _counters(CuttableFiles())
    assert [counters.accept_command(7) for _ in range(2)] == [True, False]


def test_only_a_higher_command_is_accepted() -> None:
    counters = _counters(CuttableFiles())
    accepted = [counters.accept_command(counter) for counter in (0, 5, 4, 5, 6, 0, 2**53)]
    assert accepted == [True, True, False, False, True, False, True]


def test_an_accepted_command_is_refused_after_any_cut() -> None:
    start = CuttableFiles()
    _counters(start).accept_command(6)
    for files, returned in every_cut(start, lambda f: _counters(f).accept_command(7)):
        counters = _counters(files)
        assert not counters.accept_command(6)
        assert not (returned and counters.accept_command(7))
        assert counters.accept_command(8)


def test_an_accepted_command_is_refused_after_damage_of_one_copy() -> None:
    for copy in "ab":
        files = CuttableFiles()
        _counters(files).accept_command(7)
        files.seen[f"{FOLDER}/command.{copy}"] = b""
        assert not _counters(files).accept_command(7)


def test_a_command_that_cannot_be_remembered_is_refused() -> None:
    files = CuttableFiles()
    files.fail_at = 1
    counters = _counters(files)
    assert not counters.accept_command(7)
    assert isinstance(counters.fault, StorageError)
