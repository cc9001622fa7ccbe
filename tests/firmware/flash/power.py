"""A file system whose power can be cut, and whose flash can fail, at every single step."""

from collections.abc import Callable, Iterator

from firmware.button.flash import Files

LOST, KEPT, EMPTY, HALF, ZEROED = "lost", "kept", "empty", "half", "zeroed"
# What a cut may leave of what was not synced: nothing of it, all of it, or a torn file.
AFTERMATHS = (LOST, KEPT, EMPTY, HALF, ZEROED)


class PowerCutError(BaseException):
    """Everything stops here; no handler for errors may catch it."""


class CuttableFiles(Files):
    """Files in memory, with what is on flash kept apart from what the program sees."""

    def __init__(self, durable: dict[str, bytes] | None = None) -> None:
        self.durable = dict(durable or {})
        self.seen = dict(self.durable)
        self.unsynced: str | None = None
        self.steps = 0
        self.cut_at: int | None = None
        self.fail_at: int | None = None

    def rebooted(self, aftermath: str) -> "CuttableFiles":
        """Return what the next start finds."""
        left = dict(self.durable if aftermath == LOST else self.seen)
        if self.unsynced in left:
            data = left[self.unsynced]
            torn = {EMPTY: b"", HALF: data[: len(data) // 2], ZEROED: bytes(len(data))}
            left[self.unsynced] = torn.get(aftermath, data)
        return CuttableFiles(left)

    def write(self, path: str, data: bytes) -> None:
        self._step(path)
        self.seen[path] = b""
        self.unsynced = path
        self._step(path)
        self.seen[path] = data
        self._step(path)
        self.unsynced = None
        self._step(path)

    def read(self, path: str) -> bytes:
        self._existing(path)
        return self.seen[path]

    def rename(self, source: str, target: str) -> None:
        self._existing(source)
        self._step(source)
        self.seen[target] = self.seen.pop(source)
        self._step(source)

    def remove(self, path: str) -> None:
        self._existing(path)
        self._step(path)
        del self.seen[path]
        self._step(path)

    def sync_directory(self, path: str) -> None:
        self._step(path)
        self.durable = dict(self.seen)
        self._step(path)

    def names(self, directory: str) -> list[str]:
        prefix = f"{directory}/"
        return [path.removeprefix(prefix) for path in self.seen if path.startswith(prefix)]

    def make_directory(self, path: str) -> None:
        raise FileExistsError(17, "file exists", path)

    def _existing(self, path: str) -> None:
        if path not in self.seen:
            raise FileNotFoundError(2, "no such file", path)

    def _step(self, path: str) -> None:
        self.steps += 1
        if self.steps == self.cut_at:
            raise PowerCutError
        if self.steps == self.fail_at:
            raise OSError(5, "input/output error", path)


def every_cut(
    start: CuttableFiles, operation: Callable[[CuttableFiles], object]
) -> Iterator[tuple[CuttableFiles, bool]]:
    """Yield what each cut of the operation leaves, and whether the operation had returned."""
    cut_at = 1
    returned = False
    while not returned:
        files = CuttableFiles(start.durable)
        files.cut_at = cut_at
        try:
            operation(files)
            returned = True
        except PowerCutError:
            cut_at += 1
        for aftermath in AFTERMATHS:
            yield files.rebooted(aftermath), returned
    assert cut_at > 1, "nothing was cut"


def every_failure(
    start: CuttableFiles, operation: Callable[[CuttableFiles], object]
) -> Iterator[tuple[CuttableFiles, Exception]]:
    """Yield the files after each failing step, and what the operation raised."""
    fail_at = 1
    while True:
        files = CuttableFiles(start.durable)
        files.fail_at = fail_at
        try:
            operation(files)
        except Exception as error:  # noqa: BLE001 - the test judges which it is
            files.fail_at = None
            yield files, error
            fail_at += 1
        else:
            assert fail_at > 1, "nothing failed"
            return
