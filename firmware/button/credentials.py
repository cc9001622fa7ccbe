"""Who a button is and where its broker is: what `siaga device add --json` prints."""

from .compat import forget_module


class Credentials:
    """A device's identity, key and way to the broker; `ca_file` is empty without TLS."""

    def __init__(
        self,
        device_id: str,
        key: bytes,
        generation: int,
        *,
        kind: str = "handheld",
        category: int = 0,
        prefix: str = "siaga/v1",
    ) -> None:
        self.device_id = device_id
        self.key = key
        self.kid = f"{device_id}#{generation}".encode()
        self.kind = kind
        self.category = category
        self.prefix = prefix
        self.host = "127.0.0.1"
        self.port = 8883
        self.tls = True
        self.ca_file = ""
        self.client_id = device_id
        self.username = device_id
        self.password = ""

    def topic(self, lane: str) -> str:
        """Return the topic of a lane (protocol.md §1)."""
        return f"{self.prefix}/{self.device_id}/{lane}"


def load(path: str) -> Credentials:
    """Read a credentials file. Raises `CredentialsError`."""
    # Needed once in a run, and 2.5 kB of a board's heap.
    from . import credentials_file  # noqa: PLC0415 - so that it can be forgotten

    try:
        return credentials_file.read(path)
    finally:
        forget_module(credentials_file.__name__)
