"""The command `siaga`."""

import os
import sys
import tempfile
import traceback
from pathlib import Path

import typer

from console_api.accounts.errors import AccountsError
from console_api.errors import ConsoleError
from gateway.bridge.errors import BridgeError
from gateway.broker.errors import BrokerError
from gateway.registry.errors import RegistryError
from siaga.commands import area, deployment, device, parts, people, up
from siaga.errors import SiagaError
from siaga.logs import log_to_stderr
from simulators.errors import SimulatorError

EXPECTED = (
    AccountsError,
    BridgeError,
    BrokerError,
    ConsoleError,
    RegistryError,
    SiagaError,
    SimulatorError,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Siaga: gateway, console and buttons of a city's alarm. Start with: siaga up --demo 12",
)
app.add_typer(deployment.app)
app.add_typer(up.app)
app.add_typer(device.app, name="device")
app.add_typer(area.app, name="area")
app.add_typer(parts.broker, name="broker")
app.add_typer(parts.console, name="console")
app.add_typer(parts.gateway, name="gateway")
app.add_typer(people.user, name="user")
app.add_typer(people.unit, name="unit")


def main() -> None:
    """Run the command: exit code 0 done, 1 failed with one line on stderr, 2 wrong usage."""
    # Keys, journal and personal data: all that a deployment writes is for its owner only.
    os.umask(0o077)
    log_to_stderr()
    try:
        app()
    except EXPECTED as error:
        sys.exit(f"siaga: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001  a person at a terminal gets a line, never a traceback
        sys.exit(_bug(error))


def _bug(error: Exception) -> str:
    """Keep the traceback for whoever mends it; return what the person should know."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="siaga-bug-", suffix=".txt", delete=False
    ) as file:
        traceback.print_exception(error, file=file)
    return f"siaga: a bug of ours ({type(error).__name__}): please report it with {Path(file.name)}"


if __name__ == "__main__":
    main()
