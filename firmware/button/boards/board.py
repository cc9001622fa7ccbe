"""What a board does for the button. For type checkers: no board loads this module."""

from typing import Protocol


class Board(Protocol):
    """Lights, sounds and the state of the hardware; none of it may block for long.

    Each board is one module with one class of these methods. It also turns its switch, its
    receiver and its power supply into events: it calls `App.dispatch(events.Down())` and
    `App.feed_gnss(data)`, from the event loop only.
    """

    def light(self, rung: str, boot: "int | None", seq: "int | None") -> None:
        """Show a rung of the ladder, see `ladder.RUNGS`, or idle."""

    def sound(self, rung: str) -> None:
        """Sound for a rung just reached."""

    def hush(self) -> None:
        """Stop sounding."""

    def identify(self) -> None:
        """Blink and sound for some seconds, to be found among others."""

    def self_test(self) -> "str | None":
        """Test what can be tested without a person; return what is wrong, or None."""

    def health(self) -> "dict[int, object]":
        """Return the keys of health (protocol.md §3) that only the board knows."""

    def log(self, text: str) -> None:
        """Tell a technician."""

    def reboot(self) -> None:
        """Start again."""
