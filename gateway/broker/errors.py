"""What can go wrong with the broker; every message says what to do next."""

from pathlib import Path


class BrokerError(Exception):
    """Something about the broker that a person can put right."""


class BadSettingError(BrokerError):
    """A setting that can't be written into a broker's configuration."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name} can't be {value!r}: {allowed}")
        self.name = name
        self.value = value
        self.allowed = allowed


class NoBrokerError(BrokerError):
    """Mosquitto was asked for and isn't installed."""

    def __init__(self) -> None:
        super().__init__(
            "mosquitto is neither on PATH nor in /usr/sbin or /usr/local/sbin: "
            "install it (Debian: apt install mosquitto), or use the built-in broker"
        )


class PortTakenError(BrokerError):
    """Another program listens on the broker's port."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"port {port} on {host} is taken by another program: stop it or choose another port"
        )
        self.host = host
        self.port = port


class BrokerStartError(BrokerError):
    """The broker ended, or didn't answer in time, when it was started."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the broker did not start: {reason}")
        self.reason = reason


class BrokerFilesError(BrokerError):
    """A file for the broker can't be written or read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"can't use {path}: {reason}")
        self.path = path
        self.reason = reason


class CertificateError(BrokerError):
    """A certificate or key that doesn't fit; never overwritten by us."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
