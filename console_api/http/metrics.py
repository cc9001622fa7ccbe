"""Counters and durations for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 35.0)


class Metrics:
    """The console's own registry: two consoles in one process don't mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "siaga_console_requests",
            "Requests answered",
            ["call", "status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "siaga_console_request_seconds",
            "From a request's head to the end of its answer",
            ["call"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self.events = Counter(
            "siaga_console_events",
            "Events of gateways by result",
            ["status"],
            registry=self._registry,
        )
        self.faults = Counter(
            "siaga_console_faults", "Answers with status 500", registry=self._registry
        )
        self.streams = Gauge("siaga_console_streams", "Open streams", registry=self._registry)
        self.slow_streams = Counter(
            "siaga_console_slow_streams",
            "Streams dropped because their client did not read",
            registry=self._registry,
        )
        self.logins = Counter(
            "siaga_console_logins", "Logins by result", ["result"], registry=self._registry
        )
        self.deliveries = Counter(
            "siaga_console_deliveries",
            "Attempts to send to the data centre by result",
            ["result"],
            registry=self._registry,
        )
        self.cases = Gauge(
            "siaga_console_open_cases",
            "Cases that wait for something",
            ["state", "drill"],
            registry=self._registry,
        )
        self.outbox = Gauge(
            "siaga_console_outbox_depth",
            "Documents that the data centre has not acknowledged",
            registry=self._registry,
        )

    def text(self) -> bytes:
        """Return everything in the text exposition format."""
        return generate_latest(self._registry)
