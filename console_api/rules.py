"""The rules of the dispatch cycle as configuration, with the procedure's values as defaults.

Durations are seconds, distances metres.
"""

from typing import Literal

import msgspec

MarkName = Literal[
    "pressed",
    "received",
    "opened",
    "dispatched",
    "accepted",
    "arrived",
    "cleared",
    "reported",
    "updated",
    "registered",
    "closed",
]


class SubTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch target inside a clock: `share` of all cases within `target_s`."""

    start: MarkName
    end: MarkName
    target_s: float
    share: float = 0.9


class ClockRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One clock of procedure 067/01/PB/2021."""

    clock: int
    start: MarkName
    end: MarkName
    standard_s: float
    targets: tuple[SubTarget, ...] = ()


CLOCKS = (
    ClockRule(
        clock=1,
        start="pressed",
        end="received",
        standard_s=120,
        targets=(SubTarget(start="pressed", end="received", target_s=2),),
    ),
    ClockRule(
        clock=2,
        start="received",
        end="dispatched",
        standard_s=120,
        targets=(
            SubTarget(start="received", end="opened", target_s=15),
            SubTarget(start="received", end="dispatched", target_s=60),
        ),
    ),
    ClockRule(
        clock=3,
        start="dispatched",
        end="arrived",
        standard_s=900,
        targets=(SubTarget(start="dispatched", end="accepted", target_s=60),),
    ),
    ClockRule(clock=4, start="cleared", end="reported", standard_s=300),
    ClockRule(clock=5, start="reported", end="updated", standard_s=300),
    ClockRule(clock=6, start="updated", end="registered", standard_s=180),
    ClockRule(clock=7, start="registered", end="closed", standard_s=120),
)


class EscalationRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """After `after_s` in `state`, ask for `level`."""

    name: str
    state: Literal["received", "opened", "dispatched", "accepted", "arrived"]
    after_s: float
    level: Literal["louder", "supervisors", "propose"]


ESCALATIONS = (
    EscalationRule(name="unopened", state="received", after_s=15, level="louder"),
    EscalationRule(name="unopened", state="received", after_s=60, level="supervisors"),
    EscalationRule(name="not_accepted", state="dispatched", after_s=60, level="propose"),
)


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a deployment may change about the cycle without touching code."""

    zone: str = "Asia/Makassar"
    clocks: tuple[ClockRule, ...] = CLOCKS
    yellow_share: float = 0.8
    escalations: tuple[EscalationRule, ...] = ESCALATIONS
    same_incident_m: float = 150
    same_incident_s: float = 300
    register_series: str = "AK"
    drill_series: str = "LT"
    fresh_position_s: float = 120
    source: str = "/consoles/siaga"


RULES = Rules()
