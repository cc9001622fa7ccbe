"""Logging in, staying in, and being thrown out."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from console_api.accounts.roles import Role
from tests.console.http.helpers import CHEAP, PASSWORD, Api, Clock, Site


def _log_in(api: Api, name: str = "operator", password: str = PASSWORD) -> dict[str, str]:
    answer = api.ask(None, "POST", "/v1/session", json={"username": name, "password": password})
    body: dict[str, str] = answer.json() | {"status": str(answer.status_code)}
    return body


def test_a_right_password_opens_a_session(api: Api) -> None:
    opened = _log_in(api, "Operator ")
    headers = {"authorization": f"Bearer {opened['token']}"}
    api.client.cookies.clear()
    who = api.ask(None, "GET", "/v1/session", headers=headers).json()
    assert who == {
        "username": "operator",
        "role": "operator",
        "unit": None,
        "expires_at": opened["expires_at"],
    }


@pytest.mark.parametrize(
    ("name", "password"), [("operator", "not the password"), ("nobody", PASSWORD)]
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(
    api: Api, name: str, password: str
) -> None:
    refused = _log_in(api, name, password)
    assert (refused["status"], refused["type"]) == ("401", "urn:siaga:problem:wrong-credentials")


def test_neither_token_nor_password_is_in_the_database(api: Api, site: Site) -> None:
    token = _log_in(api)["token"]
    for file in Path(site.root).glob("console.db*"):
        content = file.read_bytes()
        assert token.encode() not in content
        assert PASSWORD.encode() not in content


def test_a_session_ends_after_its_hours(api: Api, clock: Clock) -> None:
    headers = {"authorization": f"Bearer {_log_in(api)['token']}"}
    api.client.cookies.clear()
    clock.advance(hours=11.9)
    assert api.ask(None, "GET", "/v1/session", headers=headers).status_code == 200
    clock.advance(hours=0.2)
    assert api.ask(None, "GET", "/v1/session", headers=headers).status_code == 401


def test_logging_out_ends_the_session_and_the_cookie(api: Api) -> None:
    headers = {"authorization": f"Bearer {_log_in(api)['token']}"}
    ended = api.ask(None, "DELETE", "/v1/session", headers=headers)
    assert ended.status_code == 204
    assert "Max-Age=0" in ended.headers["set-cookie"]
    assert api.ask(None, "GET", "/v1/session", headers=headers).status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(api: Api) -> None:
    answer = api.client.post("/v1/session", json={"username": "operator", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_the_cookie_alone_reads(api: Api) -> None:
    _log_in(api)
    assert api.ask(None, "GET", "/v1/session").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://console.test"}, 204),
        ({"x-siaga-request": "1"}, 204),
    ],
)
def test_the_cookie_alone_changes_nothing_for_another_site(
    api: Api, headers: dict[str, str], status: int
) -> None:
    _log_in(api)
    assert api.ask(None, "DELETE", "/v1/session", headers=headers).status_code == status


def test_failures_make_the_next_attempt_wait_longer_and_longer(api: Api, clock: Clock) -> None:
    for _ in range(3):
        assert _log_in(api, password="wrong password")["status"] == "401"
    waits = []
    for _ in range(4):
        body = {"username": "operator", "password": "wrong password"}
        refused = api.ask(None, "POST", "/v1/session", json=body)
        assert refused.status_code == 429
        waits.append(int(refused.headers["retry-after"]))
        clock.advance(seconds=waits[-1])
        assert _log_in(api, password="wrong password")["status"] == "401"
    assert waits == [1, 2, 4, 8]


def test_a_throttled_account_does_not_even_take_the_right_password(api: Api) -> None:
    for _ in range(3):
        _log_in(api, password="wrong password")
    assert _log_in(api)["status"] == "429"


def test_an_unknown_user_costs_a_password_check_too(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str | None] = []
    check = CHEAP.check

    def noting(stored: str | None, password: str) -> bool:
        checked.append(stored)
        return check(stored, password)

    monkeypatch.setattr(CHEAP, "check", noting)
    for name in ("operator", "nobody"):
        _log_in(api, name, "wrong password")
    assert [stored is None for stored in checked] == [False, True]


def test_a_login_must_be_json_so_that_no_other_sites_form_can_send_it(api: Api) -> None:
    body = "username=operator&password=x"
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert api.ask(None, "POST", "/v1/session", content=body, headers=form).status_code == 415


def test_a_changed_person_has_to_log_in_again(api: Api) -> None:
    changed = api.ask(Role.SUPERVISOR, "PATCH", "/v1/users/operator", json={"active": False})
    assert changed.json()["active"] is False
    assert api.ask(Role.OPERATOR, "GET", "/v1/session").status_code == 401
    assert _log_in(api)["status"] == "401"


def test_the_audit_log_cannot_be_changed_even_by_hand(api: Api, site: Site) -> None:
    _log_in(api)
    engine = create_engine(site.settings.database)
    with engine.connect() as connection, pytest.raises(Exception, match="append-only"):
        connection.execute(text("DELETE FROM audit"))
    engine.dispose()
