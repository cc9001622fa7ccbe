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


class MalformedPacketError(ButtonError):
    """Their fault: bytes that are no MQTT 3.1.1 packet that a broker may send us."""

    def __init__(self, found: str) -> None:
        super().__init__(f"the broker sent {found}; is this an MQTT port?")
        self.found = found


class ConnectionLostError(ButtonError):
    """The connection to the broker is gone, or never came; `reason` says how."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no connection: {reason}; trying again")
        self.reason = reason


class RefusedByBrokerError(ConnectionLostError):
    """The broker refused us: CONNACK `code` (3.2.2.3), or 128 for a subscription (3.9.3)."""

    def __init__(self, code: int) -> None:
        reasons = {
            1: "it speaks no MQTT 3.1.1",
            2: "it refuses this client id",
            3: "it is not available",
            4: "wrong username or password, check the credentials",
            5: "not authorised, check the credentials and the broker's ACL",
            128: "it refuses the subscription, check the broker's ACL",
        }
        super().__init__(f"the broker refused: {reasons.get(code, f'code {code}')}")
        self.code = code


class CredentialsError(ButtonError):
    """A credentials file that cannot be used: `path`, and `problem` with what to look at."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"credentials {path}: {problem}")
        self.path = path
        self.problem = problem
