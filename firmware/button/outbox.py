"""What must reach the gateway: on flash before a byte of it leaves, until a receipt comes."""

from . import flash
from .cbor import decode, encode
from .compat import const
from .errors import CorruptFileError, MalformedCborError, OutboxFullError, StorageError
from .flash import FILES, Files

CAPACITY = const(128)
_KEPT_DAMAGED = const(8)
_SUFFIX = ".msg"


class Outbox:
    """Entries by (boot, seq), one file each.

    An entry of an earlier boot than the running one has an unknown age: a power loss may
    lie between, so its `age_ms` is null (protocol.md §3). Only identities are held in
    memory; bodies are read when they are asked for.
    """

    def __init__(self, directory: str, files: Files = FILES, capacity: int = CAPACITY) -> None:
        """Read which entries there are; a flash that cannot be read is told by `fault`.

        It is not raised: a button with a dead flash must still start and send from memory.
        """
        self._directory = directory
        self._files = files
        self._capacity = capacity
        self.damaged = 0
        """Entries that were set aside since this was made."""
        self.fault: StorageError | None = None
        self._index: list[tuple[int, int]] = []
        try:
            flash.make_directory(directory, files)
            self._index = self._read_index()
        except StorageError as error:
            self.fault = error

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, identity: object) -> bool:
        return identity in self._index

    def put(self, boot: int, seq: int, body: "dict[int, object]") -> None:
        """Store an entry, or replace the one of this identity; durable when this returns.

        Raises `OutboxFullError` and `StorageError`.
        """
        new = (boot, seq) not in self._index
        if new and len(self._index) >= self._capacity:
            raise OutboxFullError(self._capacity)
        flash.write_record(self._path(boot, seq), encode(body), self._files)
        if new:
            self._index.append((boot, seq))
            self._index.sort()

    def get(self, boot: int, seq: int) -> "dict[int, object] | None":
        """Return an entry's body, or None: unknown, unreadable now, or damaged and set aside."""
        if (boot, seq) not in self._index:
            return None
        path = self._path(boot, seq)
        try:
            payload = flash.read_record(path, self._files)
            body = None if payload is None else decode(payload)
        except StorageError:
            return None
        except (CorruptFileError, MalformedCborError):
            body = None
        if isinstance(body, dict):
            return body
        self._give_up(boot, seq)
        return None

    def remove(self, boot: int, seq: int) -> None:
        """Forget an entry; one that is not there is forgotten already. Raises `StorageError`.

        Not synced: an entry that comes back after a power cut is sent again and answered
        as a duplicate, and a sync is a write to flash.
        """
        # Also where the index knows nothing: a put that failed late may have left its file.
        flash.remove(self._path(boot, seq), self._files)
        if (boot, seq) in self._index:
            self._index.remove((boot, seq))

    def identities(self) -> "list[tuple[int, int]]":
        """Return the identities, oldest first."""
        return list(self._index)

    def entries(self) -> "filter[tuple[int, int, dict[int, object]]]":
        """Iterate over (boot, seq, body), oldest first, one body in memory at a time.

        Entries may be put and removed meanwhile. One that cannot be read is passed over.
        """
        return filter(None, map(self._entry, self.identities()))

    def _entry(self, identity: "tuple[int, int]") -> "tuple[int, int, dict[int, object]] | None":
        boot, seq = identity
        body = self.get(boot, seq)
        return None if body is None else (boot, seq, body)

    def _read_index(self) -> "list[tuple[int, int]]":
        try:
            names = self._files.names(self._directory)
        except OSError as error:
            raise StorageError("list", self._directory, error) from None
        index = []
        damaged = []
        for name in names:
            identity = _identity(name)
            if identity is not None:
                index.append(identity)
            elif name.endswith(flash.BAD):
                damaged.append(name)
            elif name.endswith(flash.TEMPORARY):
                flash.remove(self._directory + "/" + name, self._files)
        for name in damaged[_KEPT_DAMAGED:]:
            flash.remove(self._directory + "/" + name, self._files)
        index.sort()
        return index

    def _give_up(self, boot: int, seq: int) -> None:
        self.damaged += 1
        self._index.remove((boot, seq))
        try:
            flash.set_aside(self._path(boot, seq), self._files)
        except StorageError:
            return

    def _path(self, boot: int, seq: int) -> str:
        return f"{self._directory}/{boot}-{seq}{_SUFFIX}"


def _identity(name: str) -> "tuple[int, int] | None":
    if not name.endswith(_SUFFIX):
        return None
    parts = name[: -len(_SUFFIX)].split("-")
    if len(parts) != 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    return int(parts[0]), int(parts[1])
