"""What can go wrong in the bridge: each class carries its data and says what to do next."""

from pathlib import Path


class BridgeError(Exception):
    """Anything the bridge raises on purpose."""


class MalformedError(BridgeError):
    """Bytes that are not one bounded, valid CBOR item (theirs)."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"not valid CBOR within the limits, at byte {offset}; refuse the message")
        self.offset = offset


class JournalError(BridgeError):
    """The journal can't be read or written now; the same call may be repeated later."""

    def __init__(self, path: Path | str, why: str) -> None:
        super().__init__(f"journal {path}: {why}; nothing is acknowledged until it works again")
        self.path = path
        self.why = why


class JournalVersionError(BridgeError):
    """The journal was written by a newer version."""

    def __init__(self, path: Path | str, found: int, known: int) -> None:
        super().__init__(
            f"journal {path} has version {found}, this gateway knows up to {known}; "
            "start the version that wrote it"
        )
        self.path = path
        self.found = found
        self.known = known


class DirectoryError(BridgeError):
    """The registry can't be asked now whether a message is authentic; ask again later."""

    def __init__(self, why: str) -> None:
        super().__init__(f"registry: {why}; nothing is acknowledged until it answers")
        self.why = why


class LinkLostError(BridgeError):
    """The broker's connection ended before the broker acknowledged; send again on the next one."""

    def __init__(self, client_id: str) -> None:
        super().__init__(f"{client_id}: connection lost; send again on the next one")
        self.client_id = client_id


class PublishRefusedError(BridgeError):
    """The broker acknowledged a publish with a failure (MQTT 5 §3.4.2.1)."""

    def __init__(self, topic: str, code: int) -> None:
        super().__init__(f"broker refuses {topic} with code {code:#x}; check its ACL")
        self.topic = topic
        self.code = code


class ConnectRefusedError(BridgeError):
    """The broker can't be reached or lets us not in or not subscribe; retry after a while."""

    def __init__(self, broker: str, why: str) -> None:
        super().__init__(f"broker {broker}: {why}")
        self.broker = broker
        self.why = why


class ConsoleError(BridgeError):
    """The console gave no usable answer; keep every event and ask again."""

    def __init__(self, why: str, status: int | None = None) -> None:
        super().__init__(f"console: {why}")
        self.why = why
        self.status = status


class StartError(BridgeError):
    """The bridge can't start as it is configured."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        super().__init__(f"{what}: {why}; {remedy}")
        self.what = what
        self.why = why
        self.remedy = remedy
