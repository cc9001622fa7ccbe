"""What can go wrong in the command itself; each says what to do next."""

from pathlib import Path


class SiagaError(Exception):
    """One clear line for the person at the terminal; the command exits with 1."""


class ConfigurationError(SiagaError):
    """A configuration that can't be used: where, which key, and the nearest known one."""

    def __init__(
        self,
        message: str,
        *,
        source: str,
        key: str | None = None,
        line: int | None = None,
        nearest: str | None = None,
    ) -> None:
        self.source = source
        self.key = key
        self.line = line
        self.nearest = nearest
        where = f"{source}, line {line}" if line is not None else source
        hint = f"; did you mean '{nearest}'?" if nearest is not None else ""
        super().__init__(f"{where}: {message}{hint}")


class DeploymentExistsError(SiagaError):
    """`siaga init` never overwrites."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        super().__init__(
            f"{directory} holds a deployment or other files already: choose an empty folder,"
            f" or run 'siaga up --data {directory}' to use what is there"
        )


class NoDeploymentError(SiagaError):
    """A command was pointed at a folder that `siaga init` never made."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        super().__init__(
            f"{directory} holds no siaga.toml: make a deployment with"
            f" 'siaga init --data {directory}', or name another folder with --data"
        )


class PartFailedError(SiagaError):
    """A part of `siaga up` did not come up in time or keeps ending."""

    def __init__(self, part: str, reason: str, log: Path) -> None:
        self.part = part
        self.log = log
        super().__init__(f"{part} did not start: {reason} (its log: {log})")


class PortTakenError(SiagaError):
    """Another program listens where a part of the deployment should."""

    def __init__(self, host: str, port: int, option: str) -> None:
        self.host = host
        self.port = port
        super().__init__(
            f"port {port} on {host} is taken by another program: stop it, or choose another"
            f" port with {option}"
        )


class ConsoleRefusedError(SiagaError):
    """The console did not do what was asked, or could not be reached."""

    def __init__(self, request: str, reason: str) -> None:
        self.request = request
        self.reason = reason
        super().__init__(f"the console refused {request}: {reason}")


class NoAnswerError(SiagaError):
    """A button has not answered a command in time; the command stays valid until it expires."""

    def __init__(self, device: str, limit_s: float) -> None:
        self.device = device
        self.limit_s = limit_s
        super().__init__(
            f"{device} has not answered in {limit_s:.0f} s: see when it was last heard with"
            f" GET /v1/devices/{device}, and try again when it is online"
        )
