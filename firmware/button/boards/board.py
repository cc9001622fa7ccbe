"""What a board does for the button. Each board is one module with one such class."""


class Board:
    """Lights, sounds and the state of the hardware; none of it may block for long.

    A board also turns its switch, its receiver and its power supply into events: it calls
    `App.dispatch(events.Down())` and `App.feed_gnss(data)`, from the event loop only.
    """

    def light(self, rung: str, boot: "int | None", seq: "int | None") -> None:
        """Show a rung of the ladder, see `ladder.RUNGS`, or idle."""
        raise NotImplementedError

    def sound(self, rung: str) -> None:
        """Sound for a rung just reached."""
        raise NotImplementedError

    def hush(self) -> None:
        """Stop sounding."""
        raise NotImplementedError

    def identify(self) -> None:
        """Blink and sound for some seconds, to be found among others."""
        raise NotImplementedError

    def self_test(self) -> "str | None":
        """Test what can be tested without a person; return what is wrong, or None."""
        raise NotImplementedError

    def health(self) -> "dict[int, object]":
        """Return the keys of health (protocol.md §3) that only the board knows."""
        raise NotImplementedError

    def log(self, text: str) -> None:
        """Tell a technician."""
        raise NotImplementedError

    def reboot(self) -> None:
        """Start again."""
        raise NotImplementedError
