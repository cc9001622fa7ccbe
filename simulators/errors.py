"""What can go wrong in the simulated city, each with what to do next."""

from pathlib import Path


class SimulatorError(Exception):
    """Base of all errors that a user of the simulators may see as one line."""


class BoundariesError(SimulatorError):
    """A boundary file that cannot be used."""

    def __init__(self, path: Path, why: str) -> None:
        self.path = path
        self.why = why
        super().__init__(
            f"cannot use the boundaries in {path}: {why}; give a GeoJSON file of polygons in WGS 84"
        )


class ConsoleRefusedError(SimulatorError):
    """The console answered a request with an error that repeating will not change."""

    def __init__(self, method: str, path: str, status: int, why: str) -> None:
        self.method = method
        self.path = path
        self.status = status
        self.why = why
        super().__init__(f"the console refused {method} {path} with {status}: {why}")


class LoginRefusedError(SimulatorError):
    """The console does not know the user or the password."""

    def __init__(self, username: str, why: str) -> None:
        self.username = username
        self.why = why
        super().__init__(
            f"the console refused to log in {username!r} ({why}); "
            "register the staff of the plan before the city starts"
        )


class NoFleetError(SimulatorError):
    """Nobody listens on the fleet's control socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"no fleet listens on {path}; start one with: siaga up --demo 20")


class FleetRefusedError(SimulatorError):
    """The fleet could not do what was asked."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class SocketPathError(SimulatorError):
    """A control socket's path that the operating system cannot take."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self.path = path
        self.most_bytes = most_bytes
        super().__init__(
            f"the control socket's path {path} is over {most_bytes} bytes; "
            "use a data directory with a shorter path"
        )


class CredentialsError(SimulatorError):
    """Device credentials that lack what a button needs."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            f"unusable device credentials: {why}; print them with siaga device add --json"
        )


class ButtonFailedError(SimulatorError):
    """A simulated button that cannot do what is asked of it."""

    def __init__(self, device: str, why: str) -> None:
        self.device = device
        self.why = why
        super().__init__(f"button {device}: {why}")


class PortTakenError(SimulatorError):
    """The data centre's port cannot be listened on."""

    def __init__(self, port: int, why: str) -> None:
        self.port = port
        self.why = why
        super().__init__(f"the data centre cannot listen on port {port} ({why}); give it another")
