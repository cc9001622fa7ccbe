"""Everything that can go wrong in the button, by whose fault it is."""


class ButtonError(Exception):
    """The base of all errors that the button raises itself."""


class MalformedCborError(ButtonError):
    """Their fault: bytes that are no CBOR item within our bounds (protocol.md §2)."""


class UnencodableError(ButtonError):
    """Our bug: a value that no message of protocol version 1 can carry."""


class MessageRefused(ButtonError):  # noqa: N818  the protocol's word; refusing is no failure of ours
    """Their fault: a message that fails a check of protocol.md §2; `reason` names which."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"message refused ({reason}): {detail}")
        self.reason = reason
        self.detail = detail


class StorageError(ButtonError):
    """The file system failed; `operation`, `path` and `cause` say where."""

    def __init__(self, operation: str, path: str, cause: object) -> None:
        super().__init__(f"cannot {operation} {path}: {cause}; check the flash and free space")
        self.operation = operation
        self.path = path
        self.cause = cause


class CorruptFileError(ButtonError):
    """A file whose check value does not fit: torn by a power cut, or flash that wears out."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is damaged; it is set aside, look at it on the bench")
        self.path = path


class OutboxFullError(ButtonError):
    """The outbox holds as many entries as it may; `capacity` says how many."""

    def __init__(self, capacity: int) -> None:
        super().__init__(f"the outbox is full ({capacity} entries); deliver or remove some first")
        self.capacity = capacity
