"""What a bridge has to be told."""

from typing import Annotated

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
OptionalPort = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class BridgeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one bridge. Paths of files; times in seconds; sizes in bytes."""

    gateway_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    journal: str
    registry_url: str
    deployment_key_file: str
    console_url: str
    console_token_file: str
    console_ca_file: str | None = None

    mqtt_host: str = "localhost"
    mqtt_port: Port = 8883
    mqtt_tls: bool = True
    mqtt_ca_file: str | None = None
    mqtt_username: str | None = "siaga-gateway"
    mqtt_password_file: str | None = None
    mqtt_prefix: str = "siaga/v1"
    mqtt_keepalive_s: Count = 30
    # How many messages the broker may send before it has acknowledgements: the back-pressure.
    alarm_window: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 500
    bulk_window: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 2_000

    http_host: str = "127.0.0.1"
    http_port: OptionalPort | None = None  # 0: any free one

    gather_s: Annotated[float, msgspec.Meta(ge=0, le=0.1)] = 0.008
    bulk_interval_s: Annotated[float, msgspec.Meta(ge=0)] = 0.05
    # An alarm waits at the console for at most one request of statuses: they are kept this short.
    bulk_request_s: Positive = 0.02
    console_timeout_s: Positive = 10.0
    longest_retry_s: Positive = 30.0
    notice_wait_s: Annotated[int, msgspec.Meta(ge=0, le=30)] = 25
    directory_interval_s: Positive = 0.5
    quarantine_rows: Count = 10_000
    quarantine_bytes: Count = 4 * 1024 * 1024
