"""People, services, sessions and the audit log over a real database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, text

from console_api import admin
from console_api.accounts import audit, sessions, users
from console_api.accounts.errors import (
    AccountExistsError,
    AccountsError,
    InvalidAccountError,
    UnknownAccountError,
)
from console_api.accounts.passwords import Passwords
from console_api.accounts.roles import Role
from console_api.cycle.model import Category
from console_api.settings import ConsoleSettings
from console_api.store.engine import migrate, open_engine, writing

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    url = f"sqlite:///{tmp_path}/console.db"
    migrate(url)
    engine = open_engine(url)
    with engine.connect() as opened, writing(opened):
        yield opened
    engine.dispose()


def add(connection: Connection, name: str = "rini", role: Role = Role.OPERATOR) -> users.User:
    unit = "PMI-1" if role is Role.OFFICER else None
    return users.add_user(
        connection, name=name, role=role, unit=unit, password_hash="hash", now=NOW
    )


TOKEN = "siaga_s_x"


def log_in(connection: Connection, token: str = TOKEN, user: str = "rini") -> None:
    sessions.open_session(
        connection, user=user, token=token, address="10.0.0.1", now=NOW, lasts=DAY
    )


@pytest.mark.parametrize("name", ["", " ", "rini sari", "x" * 65, "../x", "a\0b", "Ünal", "-a"])
def test_a_name_that_is_hard_to_type_or_to_log_is_refused(
    connection: Connection, name: str
) -> None:
    with pytest.raises(InvalidAccountError):
        add(connection, name)


def test_a_name_is_taken_whatever_its_case(connection: Connection) -> None:
    add(connection, "rini")
    with pytest.raises(AccountExistsError):
        add(connection, "RINI")


def test_a_person_cannot_be_named_like_a_service(connection: Connection) -> None:
    sessions.add_service(connection, name="gw1", role=Role.GATEWAY, token="t", now=NOW)
    with pytest.raises(AccountExistsError):
        add(connection, "gw1")


@pytest.mark.parametrize(
    ("role", "unit"),
    [(Role.GATEWAY, None), (Role.OFFICER, None), (Role.OPERATOR, "PMI-1")],
)
def test_a_role_that_does_not_fit_is_refused(
    connection: Connection, role: Role, unit: str | None
) -> None:
    with pytest.raises(InvalidAccountError):
        users.add_user(connection, name="x", role=role, unit=unit, password_hash="hash", now=NOW)


def test_a_service_is_no_person(connection: Connection) -> None:
    with pytest.raises(InvalidAccountError):
        sessions.add_service(connection, name="x", role=Role.OPERATOR, token="t", now=NOW)


def test_a_token_says_who_it_is_until_it_expires(connection: Connection) -> None:
    add(connection)
    log_in(connection)
    who = sessions.find_principal(connection, "siaga_s_x", NOW + DAY - timedelta(seconds=1))
    assert who == sessions.Principal("rini", Role.OPERATOR)
    assert sessions.find_principal(connection, "siaga_s_x", NOW + DAY) is None


def test_a_token_is_nowhere_in_the_tables(connection: Connection) -> None:
    add(connection)
    log_in(connection, "siaga_s_secret")
    rows = connection.execute(text("SELECT * FROM sessions")).all()
    assert not any("secret" in str(row) for row in rows)


def test_a_person_who_is_switched_off_has_no_session(connection: Connection) -> None:
    add(connection)
    log_in(connection)
    users.change_user(
        connection, "rini", role=Role.OPERATOR, unit=None, active=False, password_hash=None
    )
    assert sessions.find_principal(connection, "siaga_s_x", NOW) is None
    assert users.password_of(connection, "rini") is None


def test_all_sessions_of_a_person_can_be_ended(connection: Connection) -> None:
    add(connection)
    log_in(connection, "siaga_s_1")
    log_in(connection, "siaga_s_2")
    assert sessions.close_sessions_of(connection, "rini") == 2
    assert sessions.find_principal(connection, "siaga_s_1", NOW) is None


def test_expired_sessions_are_swept_out_by_the_next_login(connection: Connection) -> None:
    add(connection)
    log_in(connection, "siaga_s_old")
    sessions.open_session(
        connection, user="rini", token="new", address="x", now=NOW + 2 * DAY, lasts=DAY
    )
    assert connection.execute(text("SELECT count(*) FROM sessions")).scalar() == 1


def test_a_removed_service_is_nobody(connection: Connection) -> None:
    sessions.add_service(connection, name="gw1", role=Role.GATEWAY, token="siaga_t_1", now=NOW)
    assert sessions.find_principal(connection, "siaga_t_1", NOW) is not None
    sessions.remove_service(connection, "gw1")
    assert sessions.find_principal(connection, "siaga_t_1", NOW) is None
    with pytest.raises(UnknownAccountError):
        sessions.remove_service(connection, "gw1")


def test_a_session_token_does_not_pass_for_a_services(connection: Connection) -> None:
    add(connection)
    log_in(connection, "siaga_t_x")
    assert sessions.find_principal(connection, "siaga_t_x", NOW) is None


def test_the_audit_log_is_found_by_case_and_by_actor(connection: Connection) -> None:
    entries = [
        audit.Entry(NOW, "rini", "10.0.0.1", "list_cases", ("K-1", "K-2", "K-1")),
        audit.Entry(NOW, "agus", "10.0.0.2", "show_case", ("K-2",), {"why": "audit"}),
    ]
    audit.record(connection, entries)
    by_case = audit.list_entries(connection, before=None, limit=10, case="K-2")
    by_actor = audit.list_entries(connection, before=None, limit=10, actor="rini")
    assert [entry.actor for entry in by_case] == ["agus", "rini"]
    assert [entry.cases for entry in by_actor] == [["K-1", "K-2", "K-1"]]
    assert by_case[0].detail == {"why": "audit"}


@pytest.mark.parametrize("statement", ["DELETE FROM audit", "UPDATE audit_cases SET case_id = ''"])
def test_the_audit_log_only_grows(connection: Connection, statement: str) -> None:
    audit.record(connection, [audit.Entry(NOW, "rini", "x", "show_case", ("K-1",))])
    with pytest.raises(Exception, match="append-only"):
        connection.execute(text(statement))


def test_a_password_is_checked_and_a_stranger_is_refused() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stored = passwords.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert passwords.check(stored, "correct horse")
    assert not passwords.check(stored, "correct horsE")
    assert not passwords.check(None, "correct horse")
    assert not passwords.check(None, "nobody has this password")
    assert not passwords.check("garbage", "correct horse")


def test_a_hash_with_weaker_parameters_is_outdated() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct horse")
    assert Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)).outdated(weak)


@pytest.mark.parametrize("password", ["short", "x" * 1025])
def test_a_password_of_unusable_length_is_refused(password: str) -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with pytest.raises(InvalidAccountError):
        passwords.hash(password)


@pytest.fixture
def settings(tmp_path: Path) -> ConsoleSettings:
    made = ConsoleSettings(
        database=f"sqlite:///{tmp_path}/console/console.db", photos_dir=str(tmp_path / "photos")
    )
    admin.initialise(made)
    return made


def test_the_administrator_adds_units_people_and_services(settings: ConsoleSettings) -> None:
    unit = admin.add_unit(settings, "PMI-1", "Ambulans", [Category.AMBULANCE])
    officer = admin.add_user(settings, "sari", Role.OFFICER, "a long password", "PMI-1")
    token = admin.create_service_token(settings, "gw1", Role.GATEWAY)
    assert [found.id for found in admin.list_units(settings)] == [unit.id]
    assert admin.list_users(settings) == [officer]
    assert token.startswith("siaga_t_")


def test_initialising_twice_keeps_everything(settings: ConsoleSettings) -> None:
    admin.add_user(settings, "rini", Role.OPERATOR, "a long password")
    admin.initialise(settings)
    assert [user.name for user in admin.list_users(settings)] == ["rini"]


def test_an_officer_of_an_unknown_unit_is_not_added(settings: ConsoleSettings) -> None:
    with pytest.raises(Exception, match="there is no unit 'NONE'"):
        admin.add_user(settings, "sari", Role.OFFICER, "a long password", "NONE")
    assert admin.list_users(settings) == []


def test_a_new_password_ends_what_was_open(settings: ConsoleSettings) -> None:
    admin.add_user(settings, "rini", Role.OPERATOR, "a long password")
    admin.set_password(settings, "RINI", "another long password")
    with pytest.raises(AccountsError, match="nobody"):
        admin.set_password(settings, "budi", "another long password")


def test_times_are_kept_to_the_millisecond(connection: Connection) -> None:
    moment = datetime(2026, 11, 24, 2, 0, 0, 123000, tzinfo=UTC)
    users.add_user(
        connection,
        name="rini",
        role=Role.OPERATOR,
        unit=None,
        password_hash="hash",
        now=moment,
    )
    found = users.find_user(connection, "rini")
    assert found is not None
    assert found.created_at == moment
