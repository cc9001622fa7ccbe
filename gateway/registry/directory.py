"""What the bridge asks of the registry."""

from typing import Protocol

from gateway.registry.model import Area, Device, Point


class Directory(Protocol):
    """Look-ups that never block for long; None means that nobody here knows it."""

    def device(self, device_id: str) -> Device | None:
        """Return the device of this id, revoked ones included."""

    def area(self, at: Point) -> Area | None:
        """Return the area that a place lies in."""
