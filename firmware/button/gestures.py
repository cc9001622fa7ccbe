"""From a bouncing switch to gestures: press, hold, multi-press. Pure; time is passed in."""

from .config import Config


class Gestures:
    """Recognises a gesture at the first moment at which no other one can follow.

    With hold and multi-press off (a street button) a press counts when the switch has
    settled closed; nobody waits for its release.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._level = False
        self._settled = False
        self._level_ms = 0
        self._down_ms = 0
        self._up_ms = 0
        self._presses = 0
        self._spent = False

    def edge(self, down: bool, now_ms: int) -> "list[tuple[int, int]]":  # noqa: FBT001 - a level
        """Take a raw edge; return the gestures (trigger, presses) that are certain by now."""
        found = self.tick(now_ms)
        if down != self._level:
            self._level = down
            self._level_ms = now_ms
        return found

    def tick(self, now_ms: int) -> "list[tuple[int, int]]":
        """Return the gestures that have become certain by `now_ms`."""
        found: list[tuple[int, int]] = []
        settles_ms = self._level_ms + self._config.debounce_ms
        if self._level != self._settled and now_ms >= settles_ms:
            self._expire(min(now_ms, self._level_ms), found)
            self._settle(found)
        self._expire(now_ms if self._level == self._settled else self._level_ms, found)
        return found

    def deadline_ms(self) -> "int | None":
        """Return when to ask again, or None if nothing can change without an edge."""
        if self._level != self._settled:
            return self._level_ms + self._config.debounce_ms
        if self._settled:
            return None if self._spent else self._hold_ms()
        return self._up_ms + self._config.multi_gap_ms if self._presses else None

    def _settle(self, found: "list[tuple[int, int]]") -> None:
        self._settled = self._level
        if not self._settled:
            self._up_ms = self._level_ms
            if not self._spent:
                self._finish_press(found)
            return
        self._down_ms = self._level_ms
        self._spent = False
        self._presses += 1
        if not self._config.hold_trigger and not self._config.multi_trigger:
            self._emit(self._config.press_trigger, found)
        elif self._config.multi_trigger and self._presses >= self._config.multi_count:
            self._emit(self._config.multi_trigger, found)

    def _finish_press(self, found: "list[tuple[int, int]]") -> None:
        if not self._config.multi_trigger:
            self._emit(self._config.press_trigger, found)

    def _expire(self, now_ms: int, found: "list[tuple[int, int]]") -> None:
        if self._settled:
            holds_ms = self._hold_ms()
            if not self._spent and holds_ms is not None and now_ms >= holds_ms:
                self._emit(self._config.hold_trigger, found)
        elif self._presses and now_ms >= self._up_ms + self._config.multi_gap_ms:
            self._emit(self._config.press_trigger, found)

    def _hold_ms(self) -> "int | None":
        return self._down_ms + self._config.hold_ms if self._config.hold_trigger else None

    def _emit(self, trigger: int, found: "list[tuple[int, int]]") -> None:
        if trigger and self._presses:
            found.append((trigger, self._presses))
        self._presses = 0
        self._spent = True
