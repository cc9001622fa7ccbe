"""What the parts of a button ask of each other. For type checkers: no board loads this module."""

from typing import Protocol


class Jitter(Protocol):
    """Where randomness comes from, handed in."""

    def below(self, limit: int) -> int:
        """Return a random integer from 0 to `limit - 1`."""


class Handler(Protocol):
    """What a connection tells its owner."""

    def on_online(self, *, session_present: bool) -> None:
        """Take note that the broker has accepted us; publishing may begin."""

    async def on_message(self, topic: str, payload: "bytes | None") -> None:
        """Handle a message to the end: it is acknowledged when this returns.

        `payload` is None if it was longer than any message of the protocol.
        """

    def on_delivered(self, token: "tuple[int, int]") -> None:
        """Take note that the broker has acknowledged the publish of `token`."""


class Owner(Handler, Protocol):
    """What a link asks of and tells its owner, beside what a connection does."""

    def keepalive_s(self) -> int:
        """Return MQTT's keep alive for the next connection."""

    def will(self) -> "tuple[str, bytes]":
        """Return topic and signed message of the will for a connection that begins now."""

    def is_urgent(self) -> bool:
        """Say whether somebody's call has not got through yet."""

    def on_offline(self, reason: str) -> None:
        """Take note that the connection ended, or that none came about."""
