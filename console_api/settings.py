"""The console's settings: plain values, checked when they are read, the defaults of a city."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class ClockStandards(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds that each step of the procedure may take (067/01/PB/2021, steps 1 to 7)."""

    pressed_to_received_s: Positive = 120.0
    received_to_dispatched_s: Positive = 120.0
    dispatched_to_arrived_s: Positive = 900.0
    cleared_to_reported_s: Positive = 300.0
    reported_to_updated_s: Positive = 300.0
    updated_to_registered_s: Positive = 180.0
    registered_to_closed_s: Positive = 120.0


class EscalationRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a waiting case calls for more attention."""

    unopened_louder_s: Positive = 15.0
    unopened_supervisors_s: Positive = 60.0
    unaccepted_propose_s: Positive = 60.0
    yellow_share: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.8


class DataCentreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where register rows go, and the file whose bytes sign them.

    `longest_wait_s` bounds the backoff between attempts, which go on for ever.
    """

    url: Annotated[str, msgspec.Meta(pattern=r"^https?://")]
    secret_file: str
    timeout_s: Positive = 10.0
    longest_wait_s: Positive = 300.0


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one request or one client may ask for, in bytes, seconds and pieces."""

    body_bytes: Count = 64 * 1024
    events_bytes: Count = 1024 * 1024
    photo_bytes: Count = 10_000_000
    photo_pixels: Count = 50_000_000
    body_seconds: Positive = 30.0
    stream_heartbeat_s: Positive = 15.0
    stream_send_s: Positive = 20.0
    stream_clients: Count = 200
    notice_waiters: Count = 200


class ConsoleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the console needs to be told.

    `database` is an SQLAlchemy URL; `anchors_file` gets the log's fingerprint each hour, to be
    kept where the database's keeper can't reach it; `trusted_proxies` are the addresses whose
    X-Forwarded-For and -Proto are believed; `secure_cookie` is for a console that people
    reach over https only.
    """

    database: str
    photos_dir: str
    anchors_file: str | None = None
    host: str = "127.0.0.1"
    port: Port = 8080
    time_zone: str = "Asia/Makassar"
    session_hours: Positive = 12.0
    secure_cookie: bool = False
    trusted_proxies: tuple[str, ...] = ()
    clocks: ClockStandards = ClockStandards()
    escalation: EscalationRules = EscalationRules()
    data_centre: DataCentreSettings | None = None
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        """Refuse what the types can't: a zone that nobody has heard of."""
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            message = f"unknown time zone {self.time_zone!r}; use a name like Asia/Makassar"
            raise ValueError(message) from error
