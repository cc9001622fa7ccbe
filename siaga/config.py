"""What `siaga.toml` may say: the schema of a deployment's configuration."""

from typing import Annotated, Literal

import msgspec

from console_api.settings import (
    ClockStandards,
    DataCentreSettings,
    EscalationRules,
    Limits,
)

Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]


class Broker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The MQTT broker.

    `bind` is where it listens and `host` the name that devices connect to, by TLS on `port`.
    The gateway has a plain listener of its own on 127.0.0.1.
    """

    kind: Literal["auto", "mosquitto", "builtin"] = "auto"
    bind: str = "127.0.0.1"
    host: str = "localhost"
    port: Port = 8883
    loopback_port: Port = 8882
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[^/+#\s]+(/[^/+#\s]+)*$")] = "siaga/v1"
    certificate_names: tuple[str, ...] = ()


class Gateway(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bridge. An empty `console_url` means the console of this deployment."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,31}$")] = "gw1"
    console_url: str = ""
    http_host: str = "127.0.0.1"
    http_port: Port = 8081


class Console(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The operator API. An empty `database` means the SQLite file of this deployment."""

    host: str = "127.0.0.1"
    port: Port = 8080
    database: str = ""
    time_zone: str = "Asia/Makassar"
    session_hours: Annotated[float, msgspec.Meta(gt=0)] = 12.0
    secure_cookie: bool = False
    trusted_proxies: tuple[str, ...] = ()
    clocks: ClockStandards = ClockStandards()
    escalation: EscalationRules = EscalationRules()
    limits: Limits = Limits()


class DataCentre(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The webhook of the data centre; without a `url`, register rows wait in the outbox."""

    url: Annotated[str, msgspec.Meta(pattern=r"^(https?://.*)?$")] = ""
    timeout_s: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    longest_wait_s: Annotated[float, msgspec.Meta(gt=0)] = 300.0

    def settings(self, secret_file: str) -> DataCentreSettings | None:
        """Give the console's own settings, or None where no address is set."""
        if not self.url:
            return None
        return DataCentreSettings(
            url=self.url,
            secret_file=secret_file,
            timeout_s=self.timeout_s,
            longest_wait_s=self.longest_wait_s,
        )


class Registry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The registry. An empty `database` means the SQLite file of this deployment."""

    database: str = ""


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One deployment."""

    broker: Broker = Broker()
    registry: Registry = Registry()
    gateway: Gateway = Gateway()
    console: Console = Console()
    data_centre: DataCentre = DataCentre()


def first_file(http_port: int, mqtt_port: int, loopback_port: int, gateway_port: int) -> str:
    """Give the text of a new deployment's `siaga.toml`: what people change first, explained."""
    return f"""\
# Siaga. Every setting has a default; docs/operations.md lists them all.
# SIAGA_BROKER_PORT=8883 in the environment goes over this file, an option goes over both.

[broker]
bind = "127.0.0.1"      # "0.0.0.0" lets buttons in from the network
host = "localhost"      # the name that buttons connect to; it stands in the certificate
port = {mqtt_port}
loopback_port = {loopback_port}    # on 127.0.0.1 only, for the gateway

[gateway]
id = "gw1"
http_port = {gateway_port}         # its /healthz, /readyz and /metrics

[console]
host = "127.0.0.1"
port = {http_port}
time_zone = "Asia/Makassar"

[console.clocks]        # standards of procedure 067/01/PB/2021, in seconds
pressed_to_received_s = 120
received_to_dispatched_s = 120
dispatched_to_arrived_s = 900
cleared_to_reported_s = 300
reported_to_updated_s = 300
updated_to_registered_s = 180
registered_to_closed_s = 120

[data_centre]
url = ""                # an https:// address that takes the signed register rows
"""
