"""Files that no power cut tears: written beside, synced, renamed over, checked when read."""

import binascii
import os

from . import compat
from .cbor import decode, encode
from .compat import const
from .errors import CorruptFileError, MalformedCborError, StorageError

_MAGIC = b"SG1"
_HEAD = const(5)
_CRC = const(4)
_LONGEST = const(2048)
_ENOENT = const(2)
_EEXIST = const(17)

TEMPORARY = ".tmp"
BAD = ".bad"


class Files:
    """The file operations that everything here rests on; tests hand in one with a power switch."""

    def write(self, path: str, data: bytes) -> None:
        """Write a whole file; its content is on flash when this returns."""
        compat.write_synced(path, data)

    def read(self, path: str) -> bytes:
        """Return a whole file; of one that is none of ours, enough to see that."""
        with open(path, "rb") as file:
            data: bytes = file.read(_LONGEST)
        return data

    def rename(self, source: str, target: str) -> None:
        """Rename over `target` atomically; littlefs and POSIX do, FAT refuses."""
        os.rename(source, target)

    def remove(self, path: str) -> None:
        """Remove a file."""
        os.remove(path)

    def sync_directory(self, path: str) -> None:
        """Make renames and removals in a directory durable."""
        compat.sync_directory(path)

    def names(self, directory: str) -> "list[str]":
        """Return the names in a directory, in no order."""
        return os.listdir(directory)

    def make_directory(self, path: str) -> None:
        """Make a directory whose parent exists."""
        os.mkdir(path)


FILES = Files()


def make_directory(path: str, files: Files = FILES) -> None:
    """Make a directory, durably, unless it exists. Raises `StorageError`."""
    try:
        files.make_directory(path)
        files.sync_directory(parent(path))
    except OSError as error:
        if error.errno != _EEXIST:
            raise StorageError("make", path, error) from None


def write_record(path: str, payload: bytes, files: Files = FILES) -> None:
    """Replace a record: after a power cut it is the old one or the new one, whole.

    Raises `StorageError`; the old record then still stands.
    """
    record = _MAGIC + len(payload).to_bytes(2, "big") + payload
    temporary = path + TEMPORARY
    try:
        files.write(temporary, record + binascii.crc32(record).to_bytes(_CRC, "big"))
        files.rename(temporary, path)
        files.sync_directory(parent(path))
    except OSError as error:
        raise StorageError("write", path, error) from None


def read_record(path: str, files: Files = FILES) -> "bytes | None":
    """Return a record's payload, or None if there is no such file.

    Raises `CorruptFileError` if it is damaged and `StorageError` if it cannot be read.
    """
    try:
        data = files.read(path)
    except OSError as error:
        if error.errno == _ENOENT:
            return None
        raise StorageError("read", path, error) from None
    end = len(data) - _CRC
    if (
        end < _HEAD
        or data[: len(_MAGIC)] != _MAGIC
        or int.from_bytes(data[len(_MAGIC) : _HEAD], "big") != end - _HEAD
        or int.from_bytes(data[end:], "big") != binascii.crc32(data[:end])
    ):
        raise CorruptFileError(path)
    return data[_HEAD:end]


def remove(path: str, files: Files = FILES) -> None:
    """Remove a file; one that is not there is removed already. Raises `StorageError`."""
    try:
        files.remove(path)
    except OSError as error:
        if error.errno != _ENOENT:
            raise StorageError("remove", path, error) from None


def set_aside(path: str, files: Files = FILES) -> None:
    """Keep a damaged file for the bench under another name; one of each name is kept."""
    try:
        files.rename(path, path + BAD)
    except OSError as error:
        raise StorageError("set aside", path, error) from None


def parent(path: str) -> str:
    """Return the directory that a path is in."""
    cut = path.rfind("/")
    return path[:cut] if cut > 0 else "/" if cut == 0 else "."


class StateFile:
    """One small value that outlives a reboot: anything that CBOR carries within 1,024 bytes."""

    def __init__(self, path: str, files: Files = FILES) -> None:
        self._path = path
        self._files = files
        self.fault: CorruptFileError | StorageError | None = None
        """Why the last `load` found nothing though there was something."""

    def load(self) -> object:
        """Return the saved value, or None; a damaged file is set aside and told by `fault`."""
        self.fault = None
        try:
            payload = read_record(self._path, self._files)
            return None if payload is None else decode(payload)
        except StorageError as error:
            self.fault = error
        except (CorruptFileError, MalformedCborError):
            self.fault = CorruptFileError(self._path)
            self._set_aside()
        return None

    def save(self, value: object) -> None:
        """Replace the value durably. Raises `StorageError`."""
        write_record(self._path, encode(value), self._files)

    def clear(self) -> None:
        """Forget the value durably. Raises `StorageError`."""
        remove(self._path, self._files)
        try:
            self._files.sync_directory(parent(self._path))
        except OSError as error:
            raise StorageError("remove", self._path, error) from None

    def _set_aside(self) -> None:
        try:
            set_aside(self._path, self._files)
        except StorageError as error:
            self.fault = error
