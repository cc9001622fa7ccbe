"""Where the files of one deployment stand."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder that `siaga init` makes; every path below it."""

    root: Path

    @property
    def configuration(self) -> Path:
        """`siaga.toml`, the one file here that people edit."""
        return self.root / "siaga.toml"

    @property
    def secrets(self) -> Path:
        """Folder of secrets, mode 0700."""
        return self.root / "secrets"

    @property
    def deployment_key(self) -> Path:
        """32 bytes that encrypt the device keys at rest."""
        return self.secrets / "deployment.key"

    @property
    def gateway_token(self) -> Path:
        """Bearer token of the gateway at the console."""
        return self.secrets / "gateway.token"

    @property
    def gateway_password(self) -> Path:
        """MQTT password of the gateway at the broker."""
        return self.secrets / "gateway-mqtt.password"

    @property
    def data_centre_secret(self) -> Path:
        """Secret that signs what goes to the data centre."""
        return self.secrets / "data-centre.secret"

    @property
    def tls(self) -> Path:
        """Local CA and broker certificate with their keys."""
        return self.root / "tls"

    @property
    def broker(self) -> Path:
        """Generated configuration of the broker, and its queue."""
        return self.root / "broker"

    @property
    def registry(self) -> Path:
        """Database of devices and areas."""
        return self.root / "gateway" / "registry.db"

    @property
    def journal(self) -> Path:
        """The bridge's journal."""
        return self.root / "gateway" / "journal.db"

    @property
    def console(self) -> Path:
        """The console's database."""
        return self.root / "console" / "console.db"

    @property
    def photos(self) -> Path:
        """Folder of photos, named by their SHA-256."""
        return self.root / "console" / "photos"

    @property
    def anchors(self) -> Path:
        """Fingerprints of the console's log, to be copied somewhere else."""
        return self.root / "console" / "anchors.txt"

    @property
    def logs(self) -> Path:
        """What the parts that `siaga up` runs have to say, a file each."""
        return self.root / "logs"

    @property
    def demo(self) -> Path:
        """What the simulated city keeps: flash of the buttons, data centre."""
        return self.root / "demo"


def sqlite_url(path: Path) -> str:
    """SQLAlchemy URL of a SQLite file."""
    return f"sqlite:///{path.resolve()}"


def write_secret(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, whole or not at all, and onto the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)
