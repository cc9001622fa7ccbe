"""Bad requests: each gets its problem, says where, and never a fault of ours."""

import json
import re

import pytest

from console_api.accounts.roles import MAY, PUBLIC, Role
from console_api.http.call import Call
from console_api.http.calls import CALLS
from tests.console.http.helpers import Api, alarm

ODD_BODIES = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"5",
    b'"text"',
    b"{nope",
    b"\xff\xfe\x00",
    b'{"unit":null}',
    b'{"unit":5,"reason":[],"text":{},"into":"","lat":"x","username":1}',
    b'{"unknown":1}',
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b'{"lat":1e999,"lon":0}',
    b'{"unit":"\\ud800"}',
]
ODD_QUERIES = [
    "limit=0",
    "limit=x",
    "limit=1&limit=2",
    "cursor=%00",
    "cursor=zzz",
    "cursor=99999999999999999999999",
    "since=yesterday",
    "since=2026-11-24T00:00:00",
    "drill=maybe",
    "state=none",
    "category=none",
    "month=2026-13",
    "month=9999-12",
    "month=0000-01",
    "from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z",
    "wait=31",
    "wait=nan",
    "after=x",
    "last_event_id=-1",
    "unknown=1",
    "q=%25_%00'%22",
    "%ff=%ff",
]


def _role(call: Call) -> Role | None:
    return None if call.name in PUBLIC else min(MAY[call.name], key=lambda r: r != Role.SUPERVISOR)


def _path(call: Call, case: str) -> str:
    path = call.path.replace("{case}", case).replace("{unit}", "PMI-1")
    return re.sub(r"\{\w+\}", "none", path)


# A stream answers for ever; its own tests listen to it.
ASKED = [call for call in CALLS.values() if call.name not in {"stream", "close_session"}]


@pytest.mark.parametrize("call", [c for c in ASKED if c.body], ids=lambda call: call.name)
def test_no_body_makes_a_fault(api: Api, call: Call) -> None:
    case = api.case_of(alarm())["id"]
    for content in ODD_BODIES:
        for media_type in {*call.media, "application/json", "text/plain"}:
            headers = {"content-type": media_type, "if-match": '"1"'}
            role, path = _role(call), _path(call, case)
            answer = api.ask(role, call.method, path, content=content, headers=headers)
            assert answer.status_code < 500, (content, answer.text)


@pytest.mark.parametrize("call", ASKED, ids=lambda call: call.name)
def test_no_query_makes_a_fault(shared: Api, call: Call) -> None:
    for query in ODD_QUERIES:
        answer = shared.ask(_role(call), call.method, f"{_path(call, 'none')}?{query}")
        assert answer.status_code < 500, (query, answer.text)


@pytest.mark.parametrize("name", ["%00", "..", "a" * 5000, "%F0%9F%9A%A8", "a%2Fb", "'", "%25"])
@pytest.mark.parametrize("call", [c for c in ASKED if "{" in c.path], ids=lambda call: call.name)
def test_no_path_makes_a_fault(shared: Api, call: Call, name: str) -> None:
    path = re.sub(r"\{\w+\}", name, call.path)
    answer = shared.client.request(
        call.method,
        path,
        headers={
            "authorization": f"Bearer {shared.tokens[_role(call) or Role.OPERATOR]}",
            "if-match": '"1"',
            "content-type": call.media[0],
        },
    )
    assert answer.status_code < 500, answer.text


def test_an_unknown_address_is_a_problem(api: Api) -> None:
    answer = api.client.get("/v2/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:siaga:problem:not-found"


def test_a_wrong_method_is_a_problem_that_names_the_right_ones(api: Api) -> None:
    answer = api.client.put("/v1/units")
    assert answer.status_code == 405
    assert answer.json()["type"] == "urn:siaga:problem:method-not-allowed"
    assert "GET" in answer.headers["allow"]


def test_a_wrong_member_is_pointed_at(api: Api) -> None:
    case = api.case_of(alarm())
    body = {"actions_taken": "x", "outcome": "y", "casualties": {"dead": "many"}}
    answer = api.act(Role.OPERATOR, case, "report", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/casualties/dead"


def test_a_missing_member_is_pointed_at(api: Api) -> None:
    case = api.case_of(alarm())
    answer = api.act(Role.OPERATOR, case, "dispatch", {"units": "PMI-1"})
    assert answer.json()["errors"][0]["pointer"] in {"/unit", "/units"}


def test_an_unknown_parameter_is_named(api: Api) -> None:
    answer = api.ask(Role.OPERATOR, "GET", "/v1/cases?stat=open")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "stat"


def test_a_fault_of_ours_shows_an_id_and_no_traceback(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("console_api.store.units", lambda *_, **__: 1 / 0)
    answer = api.ask(Role.OPERATOR, "GET", "/v1/units")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    assert answer.json()["id"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_every_answer_carries_the_headers_of_safety(api: Api) -> None:
    for path in ("/v1/units", "/nothing", "/docs", "/healthz"):
        headers = api.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in headers


def test_a_compressed_body_is_not_read(api: Api) -> None:
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    answer = api.ask(
        None, "POST", "/v1/session", content=json.dumps({"username": "x"}), headers=headers
    )
    assert answer.status_code == 415
