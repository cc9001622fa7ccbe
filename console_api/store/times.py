"""Times in the database: whole milliseconds since 1970 UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """Convert to milliseconds, rounding down; raises ValueError for a naive datetime."""
    if at.tzinfo is None:
        raise ValueError(f"{at!r} has no timezone; pass UTC")
    return (at - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Convert back to a datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_ms_or_none(at: datetime | None) -> int | None:
    """Convert, where there is a time."""
    return None if at is None else to_ms(at)


def from_ms_or_none(milliseconds: int | None) -> datetime | None:
    """Convert back, where there is a time."""
    return None if milliseconds is None else from_ms(milliseconds)


def whole_ms(at: datetime) -> datetime:
    """Cut to the millisecond, in UTC, so that what is decided is what is stored."""
    return from_ms(to_ms(at))
