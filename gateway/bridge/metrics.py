"""What the bridge counts, for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Metrics:
    """The bridge's own registry, so that two bridges in one process don't mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._messages = Counter(
            "siaga_bridge_messages",
            "Messages by what they turned out to be: new, duplicate, stale, conflict, or the"
            " reason of the refusal",
            ["result"],
            registry=self.registry,
        )
        self._commit = Histogram(
            "siaga_bridge_commit_seconds",
            "From the first write of a group commit to its being on disk",
            buckets=_COMMIT_BUCKETS,
            registry=self.registry,
        )

    def counted(self, word: str, count: int) -> None:
        """Count messages."""
        self._messages.labels(word).inc(count)

    def journal_took(self, seconds: float) -> None:
        """Count a commit."""
        self._commit.observe(seconds)

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Read a figure whenever somebody asks."""
        gauge = Gauge(f"siaga_bridge_{name}", meaning, registry=self.registry)
        gauge.set_function(value)

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)
