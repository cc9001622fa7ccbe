"""A deployment on disk: its configuration, and the parts' settings that follow from it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from console_api.settings import ConsoleSettings
from gateway.bridge.settings import BridgeSettings
from gateway.broker.pki import Certificates
from gateway.broker.settings import GATEWAY_USER, BrokerSettings
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
            ca_file=str(self.certificates.ca.resolve()),
            prefix=broker.prefix,
        )

    @property
    def certificates(self) -> Certificates:
        """The deployment's CA and its broker's certificate."""
        return Certificates(self.layout.tls)

    @property
    def certificate_names(self) -> tuple[str, ...]:
        """Names that the broker's certificate has to bear."""
        broker = self.configuration.broker
        return (broker.host, *broker.certificate_names)

    @property
    def console_url(self) -> str:
        """Where the gateway reaches the console."""
        console = self.configuration.console
        host = "127.0.0.1" if console.host in {"0.0.0.0", "::"} else console.host  # noqa: S104  compared, not bound
        return self.configuration.gateway.console_url or f"http://{host}:{console.port}"

    @property
    def gateway_url(self) -> str:
        """Where the gateway's own health and metrics are."""
        gateway = self.configuration.gateway
        return f"http://{gateway.http_host}:{gateway.http_port}"

    def broker_settings(self) -> BrokerSettings:
        """Give what the broker has to be told; raises BrokerError."""
        broker = self.configuration.broker
        return BrokerSettings(
            directory=self.layout.broker.resolve(),
            certificate=self.certificates.broker.resolve(),
            key=self.certificates.broker_key.resolve(),
            host=broker.bind,
            port=broker.port,
            loopback_port=broker.loopback_port,
            prefix=broker.prefix,
            gateway_user=GATEWAY_USER,
        )

    def bridge_settings(self) -> BridgeSettings:
        """Give what the bridge has to be told."""
        gateway, broker = self.configuration.gateway, self.configuration.broker
        return BridgeSettings(
            gateway_id=gateway.id,
            journal=str(self.layout.journal),
            registry_url=self.registry_url,
            deployment_key_file=str(self.layout.deployment_key),
            console_url=self.console_url,
            console_token_file=str(self.layout.gateway_token),
            mqtt_host="127.0.0.1",
            mqtt_port=broker.loopback_port,
            mqtt_tls=False,
            mqtt_username=GATEWAY_USER,
            mqtt_password_file=str(self.layout.gateway_password),
            mqtt_prefix=broker.prefix,
            http_host=gateway.http_host,
            http_port=gateway.http_port,
        )

    def console_settings(self) -> ConsoleSettings:
        """Give what the console has to be told."""
        console = self.configuration.console
        return ConsoleSettings(
            database=console.database or sqlite_url(self.layout.console),
            photos_dir=str(self.layout.photos),
            anchors_file=str(self.layout.anchors),
            host=console.host,
            port=console.port,
            time_zone=console.time_zone,
            session_hours=console.session_hours,
            secure_cookie=console.secure_cookie,
            trusted_proxies=console.trusted_proxies,
            clocks=console.clocks,
            escalation=console.escalation,
            data_centre=self.configuration.data_centre.settings(
                str(self.layout.data_centre_secret)
            ),
            limits=console.limits,
        )

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """Open the registry for the length of a `with`."""
        registry = Registry.open(self.registry_url, self.layout.deployment_key.read_bytes())
        try:
            yield registry
        finally:
            registry.close()
