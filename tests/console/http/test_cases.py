"""Cases over HTTP: the way to the register, and who sees and does what."""

import pytest

from console_api.accounts.roles import Role
from tests.console.http.helpers import Api, Clock, Json, alarm

REPORT = {"actions_taken": "Dibawa ke RSUD", "outcome": "Ditangani", "casualties": {"injured": 1}}


def dispatched(api: Api, unit: str = "PMI-1", device: str = "TRK-000123") -> Json:
    case = api.done(Role.OPERATOR, api.case_of(alarm(device)), "open")
    return api.done(Role.OPERATOR, case, "dispatch", {"unit": unit})


def registering(api: Api, clock: Clock) -> Json:
    case = dispatched(api)
    for action in ("accept", "arrive", "clear"):
        clock.advance(seconds=30)
        case = api.done(Role.OFFICER, case, action)
    case = api.done(Role.OFFICER, case, "report", REPORT)
    case = api.done(Role.OPERATOR, case, "update")
    return api.done(Role.OPERATOR, case, "register")


def test_a_case_walks_to_the_register(api: Api, clock: Clock) -> None:
    case = registering(api, clock)
    assert (case["register_number"], case["data_centre"]) == ("AK/2026/11/0001", "pending")
    rows = api.ask(Role.AUDITOR, "GET", "/v1/register?month=2026-11").json()["rows"]
    assert [row["register_number"] for row in rows] == ["AK/2026/11/0001"]


def test_an_action_needs_the_version_that_was_seen(api: Api) -> None:
    case = api.case_of(alarm())
    answer = api.ask(Role.OPERATOR, "POST", f"/v1/cases/{case['id']}/open", json={})
    assert answer.status_code == 428


@pytest.mark.parametrize("given", ["x", '"1", "2"', "*", '"-1"', '"99999999999999999999"'])
def test_a_version_that_is_none_is_refused(api: Api, given: str) -> None:
    case = api.case_of(alarm())
    path = f"/v1/cases/{case['id']}/open"
    answer = api.ask(Role.OPERATOR, "POST", path, headers={"if-match": given})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["header"] == "If-Match"


def test_the_second_of_two_operators_learns_who_was_first(api: Api) -> None:
    case = api.case_of(alarm())
    api.done(Role.SUPERVISOR, case, "open")
    late = api.act(Role.OPERATOR, case, "open")
    assert late.status_code == 412
    problem = late.json()
    assert (problem["by"], problem["version"], problem["state"]) == ("supervisor", 2, "opened")
    assert late.headers["etag"] == '"2"'


def test_a_state_that_does_not_allow_it_is_a_conflict(api: Api) -> None:
    assert api.act(Role.OPERATOR, api.case_of(alarm()), "arrive").status_code == 409


def test_the_same_key_answers_the_same_and_does_nothing(api: Api) -> None:
    case = api.case_of(alarm())
    first = api.act(Role.OPERATOR, case, "open", key="k-1")
    again = api.act(Role.OPERATOR, case, "open", key="k-1")
    assert (again.status_code, again.content) == (200, first.content)
    events = api.ask(Role.OPERATOR, "GET", f"/v1/cases/{case['id']}").json()["events"]
    assert [event["action"] for event in events].count("opened") == 1


def test_the_same_key_for_another_action_is_refused(api: Api) -> None:
    case = api.case_of(alarm())
    opened = api.act(Role.OPERATOR, case, "open", key="k-1").json()
    other = api.act(Role.OPERATOR, opened, "dispatch", {"unit": "PMI-1"}, "k-1")
    assert (other.status_code, other.json()["type"]) == (
        422,
        "urn:siaga:problem:idempotency-key-reused",
    )


def test_an_officer_lists_only_cases_of_the_own_unit(api: Api) -> None:
    mine = dispatched(api, "PMI-1", "TRK-000001")
    dispatched(api, "PMI-2", "TRK-000002")
    for query in ("", "?unit=PMI-2", "?state=open"):
        listed = api.ask(Role.OFFICER, "GET", f"/v1/cases{query}").json()["cases"]
        assert [case["id"] for case in listed] == [mine["id"]]


def test_another_units_case_is_not_there_for_an_officer(api: Api) -> None:
    case = dispatched(api, "PMI-2")
    assert api.ask(Role.OFFICER, "GET", f"/v1/cases/{case['id']}").status_code == 404
    bodies: dict[str, Json] = {"accept": {}, "note": {"text": "x"}, "report": REPORT}
    for action, body in bodies.items():
        assert api.act(Role.OFFICER, case, action, body, action).status_code == 404
    path = f"/v1/cases/{case['id']}/photos"
    headers = {"content-type": "image/png"}
    assert api.ask(Role.OFFICER, "POST", path, content=b"x", headers=headers).status_code == 404


def test_an_officer_who_declines_gets_the_same_answer_again(api: Api) -> None:
    case = dispatched(api)
    first = api.act(Role.OFFICER, case, "decline", {"reason": "ban kempis"}, "d")
    again = api.act(Role.OFFICER, case, "decline", {"reason": "ban kempis"}, "d")
    assert (first.status_code, again.content) == (200, first.content)
    assert api.ask(Role.OFFICER, "GET", f"/v1/cases/{case['id']}").status_code == 404


def test_every_read_of_a_case_is_on_record(api: Api) -> None:
    case = api.case_of(alarm())["id"]
    api.ask(Role.AUDITOR, "GET", f"/v1/cases/{case}")
    api.ask(Role.OPERATOR, "GET", "/v1/cases")
    api.ask(Role.OPERATOR, "GET", f"/v1/cases/{case}/units")
    entries = api.ask(Role.AUDITOR, "GET", f"/v1/audit?case={case}").json()["entries"]
    assert [(entry["actor"], entry["action"]) for entry in entries] == [
        ("operator", "propose_units"),
        ("operator", "list_cases"),
        ("auditor", "show_case"),
        ("supervisor", "list_cases"),
    ]


def test_the_audit_log_is_paged_without_gap_or_repetition(api: Api) -> None:
    case = api.case_of(alarm())["id"]
    for _ in range(5):
        api.ask(Role.AUDITOR, "GET", f"/v1/cases/{case}")
    seen: list[int] = []
    cursor = ""
    while True:
        query = f"/v1/audit?case={case}&limit=2{cursor}"
        page = api.ask(Role.AUDITOR, "GET", query).json()
        seen += [entry["id"] for entry in page["entries"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 6


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=received", 2),
        ("state=closed", 0),
        ("category=ambulance", 2),
        ("category=fire", 0),
        ("device=TRK-000001", 1),
        ("drill=false", 2),
        ("drill=true", 0),
        ("q=yos+sudarso", 2),
        ("q=nowhere", 0),
        ("since=2026-11-24T00:00:00Z", 2),
        ("since=2026-11-25T00:00:00%2B08:00", 0),
        ("area=65.71.02", 2),
    ],
)
def test_filters_choose_cases(api: Api, query: str, found: int) -> None:
    api.send_events(alarm("TRK-000001"), alarm("TRK-000002", lat=3.4))
    assert len(api.ask(Role.OPERATOR, "GET", f"/v1/cases?{query}").json()["cases"]) == found


def test_the_register_leaves_as_csv_by_accept_and_by_suffix(api: Api, clock: Clock) -> None:
    registering(api, clock)
    asked = api.ask(
        Role.DATA_CENTRE, "GET", "/v1/register?month=2026-11", headers={"accept": "text/csv"}
    )
    named = api.ask(Role.DATA_CENTRE, "GET", "/v1/register.csv?month=2026-11")
    assert asked.content == named.content
    head, row, _ = asked.text.split("\r\n")
    values = dict(zip(head.lstrip("\ufeff").split(","), row.split(","), strict=True))
    assert values["register_number"] == "AK/2026/11/0001"
    assert values["clock_1_state"] == "met"


def test_a_form_of_the_register_that_is_not_there_is_refused(api: Api) -> None:
    headers = {"accept": "application/pdf"}
    answer = api.ask(Role.AUDITOR, "GET", "/v1/register?month=2026-11", headers=headers)
    assert answer.status_code == 406


def test_the_clocks_report_counts_real_cases(api: Api, clock: Clock) -> None:
    registering(api, clock)
    span = "from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:00Z"
    clocks = api.ask(Role.AUDITOR, "GET", f"/v1/reports/clocks?{span}").json()["clocks"]
    assert [(c["clock"], c["count"], c["met"]) for c in clocks if c["clock"] == 1] == [(1, 1, 1)]
    assert {"p50", "p90", "p95"} <= set(clocks[0])


def test_a_command_reaches_the_gateway_as_a_notice(api: Api) -> None:
    api.send_events(alarm())
    sent = api.ask(
        Role.TECHNICIAN, "POST", "/v1/devices/TRK-000123/commands", json={"command": "identify"}
    )
    assert sent.status_code == 202
    notices = api.ask(Role.GATEWAY, "GET", "/v1/notices").json()["notices"]
    assert [(n["kind"], n["command"]) for n in notices] == [("command", "identify")]


def test_a_unit_says_where_it_is(api: Api) -> None:
    place = {"lat": 3.31, "lon": 117.61}
    moved = api.ask(Role.OPERATOR, "POST", "/v1/units/PMI-2/position", json=place).json()
    assert moved["position"] == place | {"at": "2026-11-24T02:00:00Z"}


def test_an_officer_moves_only_the_own_unit(api: Api) -> None:
    place = {"lat": 3.31, "lon": 117.61}
    own, other = (
        api.ask(Role.OFFICER, "POST", f"/v1/units/{unit}/position", json=place)
        for unit in ("PMI-1", "PMI-2")
    )
    assert (own.status_code, other.status_code) == (200, 403)


def test_an_officer_changes_the_status_of_the_own_unit_and_nothing_else(api: Api) -> None:
    off = api.ask(Role.OFFICER, "PATCH", "/v1/units/PMI-1", json={"status": "off"})
    assert off.json()["status"] == "off"
    named = api.ask(Role.OFFICER, "PATCH", "/v1/units/PMI-1", json={"name": "Kami"})
    assert named.status_code == 403


def test_an_officer_needs_a_unit_that_is_there(api: Api) -> None:
    new = {"username": "sari", "password": "a long password", "role": "officer"}
    for unit in ({}, {"unit": "NONE"}):
        refused = api.ask(Role.SUPERVISOR, "POST", "/v1/users", json=new | unit)
        assert refused.json()["errors"][0]["pointer"] == "/unit"
    added = api.ask(Role.SUPERVISOR, "POST", "/v1/users", json=new | {"unit": "PMI-1"})
    assert added.status_code == 201
    again = api.ask(Role.SUPERVISOR, "POST", "/v1/users", json=new | {"unit": "PMI-1"})
    assert again.status_code == 409


def test_metrics_tell_open_cases_and_the_outbox(api: Api, clock: Clock) -> None:
    registering(api, clock)
    api.send_events(alarm("TRK-000002", lat=3.5))
    text = api.client.get("/metrics").text
    assert 'siaga_console_open_cases{drill="false",state="received"} 1.0' in text
    assert "siaga_console_outbox_depth 1.0" in text
