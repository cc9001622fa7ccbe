"""Every role asks every call; the table of roles says who is let through."""

import re

import pytest

from console_api.accounts.roles import MAY, PUBLIC, Role
from console_api.app import create_app
from console_api.http.call import Call
from console_api.http.calls import CALLS
from tests.console.http.helpers import CHEAP, Api, Clock, Site

PAIRS = [(call, role) for call in CALLS for role in Role if call not in PUBLIC]


def _path(call: Call) -> str:
    return re.sub(r"\{\w+\}", "none", call.path.replace("{unit}", "PMI-1"))


def test_both_tables_name_the_same_calls() -> None:
    assert set(MAY) | PUBLIC == set(CALLS)


def test_every_route_is_a_row_of_the_table_and_every_row_a_route(site: Site, clock: Clock) -> None:
    app = create_app(site.settings, now=clock, passwords=CHEAP)
    routed = {
        (method, re.sub(r":str\}", "}", route.path))
        for route in app.routes
        for method in route.methods
        if method != "OPTIONS"
    }
    app.state.console.database.close()
    app.state.console.labour.shutdown()
    assert routed == {(call.method, call.path) for call in CALLS.values()}


# A stream that is allowed answers for ever; tests of the stream listen to it.
@pytest.mark.parametrize(
    ("name", "role"), [pair for pair in PAIRS if pair[0] not in {"stream", "close_session"}]
)
def test_a_role_is_let_through_only_where_the_table_says_so(
    shared: Api, name: str, role: Role
) -> None:
    call = CALLS[name]
    answer = shared.ask(role, call.method, _path(call))
    allowed = role in MAY[name]
    assert (answer.status_code != 403) is allowed, answer.text
    assert answer.status_code < 500


@pytest.mark.parametrize(("name", "role"), [("stream", r) for r in Role if r not in MAY["stream"]])
def test_a_role_without_the_stream_is_refused_it(shared: Api, name: str, role: Role) -> None:
    assert shared.ask(role, "GET", CALLS[name].path).status_code == 403


def test_a_service_has_no_session_to_close(shared: Api) -> None:
    assert shared.ask(Role.GATEWAY, "DELETE", "/v1/session").status_code == 403


@pytest.mark.parametrize("name", sorted(set(CALLS) - PUBLIC))
def test_nobody_is_let_through_without_a_token(shared: Api, name: str) -> None:
    call = CALLS[name]
    answer = shared.ask(None, call.method, _path(call))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("name", sorted(PUBLIC - {"open_session"}))
def test_the_public_calls_answer_everybody(shared: Api, name: str) -> None:
    assert shared.ask(None, CALLS[name].method, CALLS[name].path).status_code == 200
