"""What the broker is to be: one frozen record for every kind of broker."""

import re
from dataclasses import dataclass
from pathlib import Path

from gateway.broker.errors import BadSettingError

GATEWAY_USER = "siaga-gateway"

_PREFIX = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_ADDRESS = re.compile(r"[A-Za-z0-9.:_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """Where the broker listens, what it keeps and how much of it.

    `directory` holds its generated files and its store. Devices come in at `host` and `port`, by
    TLS only. `loopback_port`, if given, is a plain listener on 127.0.0.1 for the gateway; with it,
    the client id of whoever comes in at `port` is forced to be the user name, so that no device
    can push another one off the broker. Without it the gateway must share `port`, where its
    several connections need client ids of their own, and that protection is off.
    """

    directory: Path
    certificate: Path
    key: Path
    host: str
    port: int
    loopback_port: int | None = None
    prefix: str = "siaga/v1"
    gateway_user: str = GATEWAY_USER
    # Unacknowledged messages on their way to one client: the gateway commits that many at once.
    max_inflight: int = 1000
    # For each client that is away or slow, the gateway above all: some 900,000 heartbeats.
    max_queued_bytes: int = 128 * 1024 * 1024

    def __post_init__(self) -> None:
        """Refuse what would change the meaning of a configuration file."""
        if not _PREFIX.fullmatch(self.prefix):
            allowed = "words of letters, digits, '.', '_' and '-' with '/' between them"
            raise BadSettingError("prefix", self.prefix, allowed)
        if not _PREFIX.fullmatch(self.gateway_user):
            raise BadSettingError("gateway_user", self.gateway_user, "letters, digits and '-'")
        if not _ADDRESS.fullmatch(self.host):
            raise BadSettingError("host", self.host, "a host name or an address")
        for name in ("directory", "certificate", "key"):
            if not str(getattr(self, name)).isprintable():
                raise BadSettingError(name, getattr(self, name), "a path of printable characters")
        for name, port in (("port", self.port), ("loopback_port", self.loopback_port)):
            if port is not None and not 0 < port < 65_536:
                raise BadSettingError(name, port, "a port from 1 to 65535")

    @property
    def configuration(self) -> Path:
        """Mosquitto's configuration file."""
        return self.directory / "mosquitto.conf"

    @property
    def passwords(self) -> Path:
        """Mosquitto's password file, which the built-in broker reads, too."""
        return self.directory / "passwords"

    @property
    def acl(self) -> Path:
        """Mosquitto's access control list."""
        return self.directory / "acl"

    @property
    def emqx_acl(self) -> Path:
        """The same access control list for EMQX."""
        return self.directory / "emqx-acl.conf"

    @property
    def pid_file(self) -> Path:
        """Where Mosquitto writes its process id."""
        return self.directory / "mosquitto.pid"
