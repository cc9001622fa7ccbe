"""A console that is killed loses nothing that it answered, and doubles nothing it did not."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from console_api import store
from console_api.cycle.actions import Open, Register
from console_api.cycle.model import State
from console_api.store.views import CaseFilter
from console_api.verify import verify
from tests.console.store.helpers import (
    START,
    UP_TO_REGISTER,
    add_units,
    after,
    alarm,
    done,
    new_case,
    take,
    walk,
)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]

# Runs one call on the database and is killed for real at the named place.
VICTIM = """
import os, signal, sys
from sqlalchemy import event
from console_api import store
from console_api.cycle.actions import Open, Register
import helpers as h

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

url, place, call = sys.argv[1:]
engine = store.open_engine(url)
with engine.connect() as connection:
    if place == "before_commit":
        event.listen(engine, "commit", die)
    if call == "alarm":
        h.take(connection, h.alarm("TRK-1"), h.alarm("TRK-2"))
    elif call == "open":
        h.done(connection, "K-000001", Open(), idempotency_key="k1", seen_version=1)
    elif call == "register":
        h.done(connection, "K-000001", Register(), at=h.after(80), idempotency_key="k2")
    elif call == "two":
        h.take(connection, h.alarm("TRK-1"))
        event.listen(engine, "commit", die)
        h.take(connection, h.alarm("TRK-2"))
    die()
"""


def kill(database: Path, place: str, call: str) -> None:
    """Run the victim and see that it was killed, not that it ended or failed."""
    run = subprocess.run(
        [sys.executable, "-c", VICTIM, f"sqlite:///{database}", place, call],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == -signal.SIGKILL, run.stderr.decode()


def sound(database: Path, tmp_path: Path) -> bool:
    return verify(f"sqlite:///{database}", photos=tmp_path).problems == ()


def test_killed_after_the_commit_the_resend_is_a_duplicate(
    database: Path, engine: Engine, tmp_path: Path
) -> None:
    kill(database, "after_commit", "alarm")
    with engine.connect() as connection:
        results = take(connection, alarm("TRK-1"), alarm("TRK-2"))
        assert [result.status for result in results] == ["duplicate", "duplicate"]
        assert len(store.cases(connection, CaseFilter(), START).cases) == 2
    assert sound(database, tmp_path)


def test_killed_before_the_commit_the_resend_creates_it(
    database: Path, engine: Engine, tmp_path: Path
) -> None:
    kill(database, "before_commit", "alarm")
    with engine.connect() as connection:
        assert store.cases(connection, CaseFilter(), START).cases == ()
        results = take(connection, alarm("TRK-1"), alarm("TRK-2"))
        assert [result.status for result in results] == ["created", "created"]
    assert sound(database, tmp_path)


def test_killed_between_two_commits_the_first_one_stands(
    database: Path, engine: Engine, tmp_path: Path
) -> None:
    kill(database, "between", "two")
    with engine.connect() as connection:
        results = take(connection, alarm("TRK-1"), alarm("TRK-2"))
        assert [result.status for result in results] == ["duplicate", "created"]
    assert sound(database, tmp_path)


@pytest.mark.parametrize("place", ["before_commit", "after_commit"])
def test_an_action_killed_and_repeated_with_its_key_happened_once(
    database: Path, engine: Engine, tmp_path: Path, place: str
) -> None:
    with engine.connect() as connection:
        case_id = new_case(connection)
        kill(database, place, "open")
        view = done(connection, case_id, Open(), idempotency_key="k1", seen_version=1)
        assert (view.state, view.version) == (State.OPENED, 2)
        actions = [event.action for event in store.case(connection, case_id, START).events]
        assert actions == ["received", "opened"]
    assert sound(database, tmp_path)


@pytest.mark.parametrize("place", ["before_commit", "after_commit"])
def test_a_register_number_killed_on_its_way_is_neither_lost_nor_doubled(
    database: Path, engine: Engine, tmp_path: Path, place: str
) -> None:
    with engine.connect() as connection:
        add_units(connection, "AMB-1")
        case_id = new_case(connection)
        walk(connection, case_id, UP_TO_REGISTER[:-1])
        kill(database, place, "register")
        done(connection, case_id, Register(), at=after(80), idempotency_key="k2")
        rows = store.register(connection, "2026-11", after(90))
        assert [row.register_number for row in rows] == ["AK/2026/11/0001"]
        assert len(store.outbox_due(connection, after(90))) == 1
    assert sound(database, tmp_path)
