"""Numbers that only rise, over every power cut: the boot counter and the highest command seen."""

from . import flash
from .cbor import decode, encode
from .compat import random_bytes
from .errors import CorruptFileError, MalformedCborError, StorageError
from .flash import FILES, Files


class Counters:
    """The two counters of a device, each in two copies, in one directory."""

    def __init__(self, directory: str, files: Files = FILES) -> None:
        self._boot = _Twice(directory + "/boot", files)
        self._command = _Twice(directory + "/command", files)
        self.fault: CorruptFileError | StorageError | None = None
        """The last failure of the flash; the device works on without it as far as it can."""
        try:
            flash.make_directory(directory, files)
        except StorageError as error:
            self.fault = error

    def next_boot(self) -> int:
        """Return this start's number, on flash in both copies before anything may be sent.

        A device without a readable copy (new, reflashed, worn flash) starts at a random
        place: to count from 1 again would reuse identities, and an alarm under a used
        identity is taken for a replay. If flash cannot be written, the number is random,
        too: an alarm with an unsaved number is better than none.
        """
        highest = self._boot.read()
        boot = _random_start() if highest is None else highest + 1
        try:
            self._boot.write(boot)
        except StorageError as error:
            self.fault = error
            return _random_start()
        self.fault = self._boot.fault or self.fault
        return boot

    def accept_command(self, counter: int) -> bool:
        """Say whether a command is new, remembering it durably first.

        False also when it cannot be remembered: a command that could come again after
        every reboot is worse than one that is sent again by a person.
        """
        highest = self._command.read()
        if highest is not None and counter <= highest:
            return False
        try:
            self._command.write(counter)
        except StorageError as error:
            self.fault = error
            return False
        return True


class _Twice:
    """A number in two files, so that one damaged file loses nothing."""

    def __init__(self, path: str, files: Files) -> None:
        self._paths = (path + ".a", path + ".b")
        self._files = files
        self.fault: CorruptFileError | StorageError | None = None

    def read(self) -> "int | None":
        """Return the highest readable copy."""
        highest = None
        for path in self._paths:
            value = self._copy(path)
            if value is not None and (highest is None or value > highest):
                highest = value
        return highest

    def write(self, value: int) -> None:
        """Replace both copies; both are on flash when this returns. Raises `StorageError`."""
        for path in self._paths:
            flash.write_record(path, encode(value), self._files)

    def _copy(self, path: str) -> "int | None":
        try:
            payload = flash.read_record(path, self._files)
            value = None if payload is None else decode(payload)
        except (CorruptFileError, StorageError) as error:
            self.fault = error
            return None
        except MalformedCborError:
            self.fault = CorruptFileError(path)
            return None
        return value if isinstance(value, int) else None


def _random_start() -> int:
    # 2**20 to 2**30: no two starts of a device come near each other, and a board's
    # small integers end at 2**30.
    return (1 << 20) + int.from_bytes(random_bytes(4), "big") % ((1 << 30) - (1 << 20))
