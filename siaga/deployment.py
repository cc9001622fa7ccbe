"""A deployment on disk: its configuration, and the parts' settings that follow from it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.registry.credentials import MqttEndpoint
from gateway.registry.registry import Registry
from siaga.config import Configuration
from siaga.configuration import Key, load
from siaga.errors import NoDeploymentError
from siaga.layout import Layout, sqlite_url


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where it stands and what its configuration says."""

    layout: Layout
    configuration: Configuration

    @classmethod
    def open(
        cls,
        directory: Path,
        options: Mapping[Key, object] | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> "Deployment":
        """Read the deployment in a folder; raises NoDeploymentError, ConfigurationError."""
        layout = Layout(directory)
        if not layout.configuration.is_file():
            raise NoDeploymentError(directory)
        found = load(Configuration, layout.configuration, environment, options or {})
        return cls(layout, found)

    @property
    def registry_url(self) -> str:
        """SQLAlchemy URL of the registry."""
        return self.configuration.registry.database or sqlite_url(self.layout.registry)

    @property
    def endpoint(self) -> MqttEndpoint:
        """Where devices reach the broker."""
        broker = self.configuration.broker
        return MqttEndpoint(
            host=broker.host,
            port=broker.port,
            tls=True,
            ca_file=str((self.layout.tls / "ca.crt").resolve()),
            prefix=broker.prefix,
        )

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """Open the registry for the length of a `with`."""
        registry = Registry.open(self.registry_url, self.layout.deployment_key.read_bytes())
        try:
            yield registry
        finally:
            registry.close()
