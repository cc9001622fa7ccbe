"""How long a login has to wait after failures: pure arithmetic and a bounded memory.

Three counts guard each other. One account from one address waits longest; one
address over all accounts is stopped from spraying; one account over all addresses
waits only a little, because a stranger must never be able to lock a city's
operator out of an emergency by guessing from afar.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """`free` failures cost nothing; then 1 s, doubling with each failure up to `longest`."""

    free: int
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Failures:
    """How many failures in a row, and when the last one was."""

    count: int
    last: datetime


PAIR: Final = Rule(free=3, longest=timedelta(minutes=15))
ADDRESS: Final = Rule(free=20, longest=timedelta(minutes=15))
ACCOUNT: Final = Rule(free=10, longest=timedelta(seconds=30))
FORGOTTEN_AFTER: Final = timedelta(hours=1)
_LONGEST_EXPONENT: Final = 20


def wait_for(rule: Rule, failures: Failures | None, now: datetime) -> timedelta:
    """Return how long from `now` the next attempt has to wait; zero if it may go on."""
    if failures is None or failures.count < rule.free:
        return timedelta(0)
    exponent = min(failures.count - rule.free, _LONGEST_EXPONENT)
    penalty = min(timedelta(seconds=2**exponent), rule.longest)
    return max(failures.last + penalty - now, timedelta(0))


class Throttle:
    """Remembers failures in memory, the `most` recent keys only.

    An attempt is counted before its password is checked and taken back when it was
    right, so that attempts made at the same moment cannot slip by together.
    """

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._failures: OrderedDict[tuple[str, str], Failures] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def attempt(self, account: str, address: str, now: datetime) -> timedelta:
        """Count an attempt and return zero, or return how long to wait without counting it."""
        rules = self._rules(account, address)
        wait = max(wait_for(rule, self._recall(key, now), now) for key, rule in rules.items())
        if wait > timedelta(0):
            return wait
        for key in rules:
            before = self._recall(key, now)
            self._failures[key] = Failures((before.count if before else 0) + 1, now)
            self._failures.move_to_end(key)
        while len(self._failures) > self._most:
            self._failures.popitem(last=False)
        return timedelta(0)

    def succeed(self, account: str, address: str) -> None:
        """Forget what was counted against this account, and this attempt of its address."""
        self._failures.pop(("pair", f"{account}\n{address}"), None)
        self._failures.pop(("account", account), None)
        key = ("address", address)
        if (failures := self._failures.get(key)) is not None:
            if failures.count <= 1:
                del self._failures[key]
            else:
                self._failures[key] = Failures(failures.count - 1, failures.last)

    def _rules(self, account: str, address: str) -> dict[tuple[str, str], Rule]:
        return {
            ("pair", f"{account}\n{address}"): PAIR,
            ("address", address): ADDRESS,
            ("account", account): ACCOUNT,
        }

    def _recall(self, key: tuple[str, str], now: datetime) -> Failures | None:
        failures = self._failures.get(key)
        if failures is not None and now - failures.last > FORGOTTEN_AFTER:
            return None
        return failures
