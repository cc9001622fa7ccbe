"""The dispatch cycle as one pure state machine (docs/dispatch-cycle.md).

`apply(case, command, now, facts) -> events | Conflict` decides, `evolve(case, event)`
adds up. The transition table is data (`console_api.cycle.table`).
"""

from console_api.cycle.actions import ACTIONS, Action, parse_action
from console_api.cycle.events import Event
from console_api.cycle.evolve import evolve
from console_api.cycle.machine import Command, Conflict, ConflictReason, Facts, apply
from console_api.cycle.model import Actor, Case, Role, State

__all__ = [
    "ACTIONS",
    "Action",
    "Actor",
    "Case",
    "Command",
    "Conflict",
    "ConflictReason",
    "Event",
    "Facts",
    "Role",
    "State",
    "apply",
    "evolve",
    "parse_action",
]
