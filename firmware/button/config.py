"""The settings of a button: bounded, changed by the command configure, kept on flash."""

_BOUNDS = {
    "heartbeat_s": (60, 86_400),
    "keepalive_s": (10, 1_200),
    "debounce_ms": (5, 200),
    "press_trigger": (1, 4),
    "hold_trigger": (0, 4),
    "multi_trigger": (0, 4),
    "hold_ms": (300, 10_000),
    "multi_count": (2, 10),
    "multi_gap_ms": (100, 2_000),
    "tamper_alarm": (0, 1),
    "sound": (0, 1),
}


class Config:
    """The settings of one button.

    `heartbeat_s`, `keepalive_s`: seconds between statuses and of MQTT's keep alive.
    `press_trigger`, `hold_trigger`, `multi_trigger`: what each gesture means, a trigger of
    protocol.md §3 key 6; 0 is off. A press can't be off: it is what the button is for.
    """

    def __init__(self, kind: str = "handheld", category: int = 0) -> None:
        mains = kind == "street"
        self.category = category
        self.heartbeat_s = 900 if mains else 21_600
        self.keepalive_s = 30
        self.debounce_ms = 20
        self.press_trigger = 1
        self.hold_trigger = 0 if mains else 2
        self.multi_trigger = 0 if mains else 3
        self.hold_ms = 1_500
        self.multi_count = 3
        self.multi_gap_ms = 350
        self.tamper_alarm = 0
        self.sound = 1

    def problem(self, changes: "dict[str, object]") -> "str | None":
        """Return why `changes` cannot be made, or None if they can."""
        if not changes:
            return "no settings"
        for name, value in changes.items():
            if name not in _BOUNDS:
                return f"no setting {name[:24]}"
            low, high = _BOUNDS[name]
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                return f"{name} is {low} to {high}"
        return None

    def change(self, changes: "dict[str, object]") -> None:
        """Make changes that have no `problem`; all others are left out."""
        for name, value in changes.items():
            if self.problem({name: value}) is None:
                setattr(self, name, value)

    def settings(self) -> "dict[str, int]":
        """Return all that configure may change, to be kept on flash."""
        return {name: getattr(self, name) for name in _BOUNDS}
