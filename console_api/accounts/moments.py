"""Times as the account tables keep them."""

from datetime import UTC, datetime


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime."""
    return round(moment.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """Aware datetime in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
