"""What comes due on a case by itself: escalations and breaches, each once.

`schedule` is everything that will still come due if nobody acts, so that a service can
look at a case exactly when something is due on it (`next_due`).
"""

from datetime import datetime, timedelta

from console_api.clocks import mark
from console_api.cycle.events import Breached, Escalated, Event
from console_api.cycle.machine import event
from console_api.cycle.model import SYSTEM, Case, Escalation
from console_api.rules import RULES, Rules


def due(case: Case, now: datetime, rules: Rules = RULES) -> tuple[Event, ...]:
    """Events for everything that is due at `now` and not yet in the case."""
    return tuple(
        event(case, SYSTEM, now, _body(escalation))
        for escalation in schedule(case, rules)
        if escalation.at <= now
    )


def next_due(case: Case, rules: Rules = RULES) -> datetime | None:
    """When something next comes due, None if never."""
    return min((escalation.at for escalation in schedule(case, rules)), default=None)


def schedule(case: Case, rules: Rules = RULES) -> tuple[Escalation, ...]:
    """List what has not happened on the case yet, by the time at which it is due.

    An ended case has nothing due: what its clocks missed was due before its end.
    """
    if not case.open:
        return ()
    done = {known.key for known in case.escalations}
    coming = (*_by_rule(case, rules), *_by_clock(case, rules))
    return tuple(
        sorted((item for item in coming if item.key not in done), key=lambda item: item.at)
    )


def _body(escalation: Escalation) -> Escalated | Breached:
    if escalation.level == "red":
        return Breached(escalation=escalation)
    return Escalated(escalation=escalation)


def _by_rule(case: Case, rules: Rules) -> list[Escalation]:
    # The moment of entry is in the key: a second dispatch escalates anew.
    entry = int(case.state_at.timestamp() * 1000)
    return [
        Escalation(
            key=f"{rule.name}:{rule.level}:{entry}",
            rule=rule.name,
            level=rule.level,
            at=case.state_at + timedelta(seconds=rule.after_s),
        )
        for rule in rules.escalations
        if rule.state == case.state
    ]


def _by_clock(case: Case, rules: Rules) -> list[Escalation]:
    found = []
    for rule in rules.clocks:
        start, end = mark(case.marks, rule.start), mark(case.marks, rule.end)
        if start is None:
            continue
        name = f"clock_{rule.clock}"
        past = start + timedelta(seconds=rule.standard_s)
        if end is None:
            warn = start + timedelta(seconds=rule.standard_s * rules.yellow_share)
            found.append(Escalation(f"{name}:yellow", name, "yellow", warn, clock=rule.clock))
        if end is None or end > past:
            found.append(Escalation(f"{name}:red", name, "red", past, clock=rule.clock))
    return found
