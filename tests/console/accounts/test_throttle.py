"""The waits after failed logins."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from console_api.accounts.throttle import (
    ACCOUNT,
    FORGOTTEN_AFTER,
    PAIR,
    Failures,
    Throttle,
    wait_for,
)

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ZERO = timedelta(0)


def test_the_first_failures_cost_nothing() -> None:
    assert wait_for(PAIR, Failures(PAIR.free - 1, NOW), NOW) == ZERO


def test_each_further_failure_doubles_the_wait() -> None:
    waits = [wait_for(PAIR, Failures(PAIR.free + n, NOW), NOW).total_seconds() for n in range(4)]
    assert waits == [1, 2, 4, 8]


@given(count=st.integers(0, 10**9), passed=st.floats(0, 10**6))
def test_no_wait_is_negative_or_longer_than_the_longest(count: int, passed: float) -> None:
    wait = wait_for(PAIR, Failures(count, NOW), NOW + timedelta(seconds=passed))
    assert ZERO <= wait <= PAIR.longest


def test_success_forgets_the_failures_of_the_account() -> None:
    throttle = Throttle()
    for _ in range(PAIR.free - 1):
        throttle.attempt("rini", "10.0.0.1", NOW)
    throttle.attempt("rini", "10.0.0.1", NOW)
    throttle.succeed("rini", "10.0.0.1")
    assert throttle.attempt("rini", "10.0.0.1", NOW) == ZERO


def test_another_address_is_not_made_to_wait_for_one_attackers_failures() -> None:
    throttle = Throttle()
    for _ in range(PAIR.free):
        throttle.attempt("rini", "10.0.0.66", NOW)
    assert throttle.attempt("rini", "10.0.0.66", NOW) > ZERO
    assert throttle.attempt("rini", "10.0.0.1", NOW) == ZERO


def test_a_thousand_addresses_cannot_lock_an_operator_out_for_long() -> None:
    throttle = Throttle()
    moment = NOW
    for n in range(1000):
        throttle.attempt("rini", f"10.0.{n // 250}.{n % 250}", moment)
        moment += timedelta(seconds=1)
    assert throttle.attempt("rini", "192.168.0.1", moment) <= ACCOUNT.longest


def test_one_address_is_stopped_from_trying_many_accounts() -> None:
    throttle = Throttle()
    waits = [throttle.attempt(f"user{n}", "10.0.0.66", NOW) for n in range(50)]
    assert waits[0] == ZERO
    assert waits[-1] > ZERO


def test_attempts_of_the_same_moment_are_all_counted() -> None:
    throttle = Throttle()
    waits = [throttle.attempt("rini", "10.0.0.1", NOW) for _ in range(10)]
    assert waits.count(ZERO) == PAIR.free


def test_an_attempt_that_has_to_wait_does_not_lengthen_the_wait() -> None:
    throttle = Throttle()
    waits = [throttle.attempt("rini", "10.0.0.1", NOW) for _ in range(30)]
    assert max(waits) == timedelta(seconds=1)


def test_failures_are_forgotten_in_time() -> None:
    throttle = Throttle()
    for _ in range(PAIR.free):
        throttle.attempt("rini", "10.0.0.1", NOW)
    later = NOW + FORGOTTEN_AFTER + timedelta(seconds=1)
    assert [throttle.attempt("rini", "10.0.0.1", later) for _ in range(PAIR.free)] == [ZERO] * 3


def test_the_memory_is_bounded() -> None:
    throttle = Throttle(most=30)
    for n in range(1000):
        throttle.attempt(f"user{n}", f"10.0.0.{n}", NOW)
    assert len(throttle) <= 30
