"""Cases and people for tests of the pure cycle."""

from datetime import UTC, datetime, timedelta

from console_api.cycle import events as ev
from console_api.cycle.actions import Action
from console_api.cycle.evolve import evolve
from console_api.cycle.machine import Command, Conflict, Facts, apply
from console_api.cycle.model import Actor, Case, Category, DeviceInfo, Role, Trigger

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SITI = Actor("siti", Role.OPERATOR)
BUDI = Actor("budi", Role.OPERATOR)
RATNA = Actor("ratna", Role.SUPERVISOR)
OFFICER = Actor("anton", Role.OFFICER, unit="AMB-1")
GATEWAY = Actor("gateway:trk", Role.SERVICE)
FACTS = Facts(number="AK/2026/11/0001")


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def received(
    trigger: Trigger = Trigger.PRESS,
    *,
    case_id: str = "K-000001",
    drill: bool = False,
    pressed_at: datetime | None = START,
    at: datetime = START,
) -> Case:
    body = ev.Received(
        case=case_id,
        alarm=f"{case_id}:1:0",
        device=DeviceInfo(id=f"TRK-{case_id}", kind="handheld"),
        category=Category.AMBULANCE,
        trigger=trigger,
        drill=drill,
        late=False,
        pressed_at=pressed_at,
        occurred_by="device",
        gateway_at=START,
    )
    return evolve(None, ev.Event(at=at, actor=GATEWAY, body=body))


def step(
    case: Case,
    action: Action,
    actor: Actor = SITI,
    at: datetime = START,
    facts: Facts = FACTS,
) -> Case:
    """Do an action that must be possible."""
    outcome = apply(case, Command(action, actor, case.version), at, facts)
    assert not isinstance(outcome, Conflict), outcome
    for event in outcome:
        case = evolve(case, event)
    return case


def refusal(
    case: Case,
    action: Action,
    actor: Actor = SITI,
    at: datetime = START,
    *,
    facts: Facts = FACTS,
    seen: int | None = None,
) -> Conflict:
    """Try an action that must not be possible."""
    version = case.version if seen is None else seen
    outcome = apply(case, Command(action, actor, version), at, facts)
    assert isinstance(outcome, Conflict), outcome
    return outcome
