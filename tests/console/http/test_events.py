"""What a gateway delivers and waits for."""

import json
from collections.abc import Iterator

import pytest

from console_api.accounts.roles import Role
from tests.console.http.helpers import BATCH, Api, alarm

HEADERS = {"content-type": BATCH}


def test_a_bad_event_is_refused_beside_good_neighbours(api: Api) -> None:
    results = api.send_events(alarm("TRK-000001"), {"id": "x"}, 5, alarm("TRK-000002"))
    assert [result["status"] for result in results] == ["created", "refused", "refused", "created"]
    assert all(result["reason"] for result in results if result["status"] == "refused")


def test_the_same_event_again_is_a_duplicate(api: Api) -> None:
    assert [r["status"] for r in api.send_events(alarm(), alarm())] == ["created", "duplicate"]
    assert [r["status"] for r in api.send_events(alarm())] == ["duplicate"]


def test_a_batch_of_over_500_is_refused_whole(api: Api) -> None:
    batch = json.dumps([alarm(seq=n) for n in range(501)])
    answer = api.ask(Role.GATEWAY, "POST", "/v1/events", content=batch, headers=HEADERS)
    assert answer.status_code == 413
    assert api.ask(Role.OPERATOR, "GET", "/v1/cases").json()["cases"] == []


def test_500_events_are_taken(api: Api) -> None:
    results = api.send_events(*(alarm(seq=n) for n in range(500)))
    assert {result["status"] for result in results} == {"created"}


@pytest.mark.parametrize("content", [b"{}", b"nope", b"[1", b"", b"[1]x"])
def test_a_body_that_is_no_batch_is_malformed(api: Api, content: bytes) -> None:
    answer = api.ask(Role.GATEWAY, "POST", "/v1/events", content=content, headers=HEADERS)
    assert answer.status_code == 400


def test_another_media_type_is_refused(api: Api) -> None:
    answer = api.ask(Role.GATEWAY, "POST", "/v1/events", json=[alarm()])
    assert answer.status_code == 415
    assert answer.headers["accept"] == BATCH


@pytest.mark.parametrize(
    ("path", "media_type", "role", "limit"),
    [
        ("/v1/events", BATCH, Role.GATEWAY, 1024 * 1024),
        ("/v1/cases/{case}/note", "application/json", Role.OPERATOR, 64 * 1024),
        ("/v1/cases/{case}/photos", "image/png", Role.OPERATOR, 10_000_000),
    ],
)
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_over_the_limit_is_refused(
    api: Api, path: str, media_type: str, role: Role, limit: int, *, chunked: bool
) -> None:
    case = api.case_of(alarm())["id"]

    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * (limit // 8)

    answer = api.ask(
        role,
        "POST",
        path.replace("{case}", case),
        content=pieces() if chunked else b" " * (limit + 1),
        headers={"content-type": media_type, "if-match": '"1"'},
    )
    assert answer.status_code == 413
    assert answer.json()["limit_bytes"] == limit


def test_notices_follow_their_cursor(api: Api) -> None:
    case = api.case_of(alarm())
    opened = api.done(Role.OPERATOR, case, "open")
    first = api.ask(Role.GATEWAY, "GET", "/v1/notices").json()
    assert [n["stage"] for n in first["notices"]] == ["opened"]
    assert first["notices"][0]["ref"] == "TRK-000123:1:0"
    api.done(Role.OPERATOR, opened, "dispatch", {"unit": "PMI-1"})
    after = api.ask(Role.GATEWAY, "GET", f"/v1/notices?after={first['cursor']}").json()
    assert [n["stage"] for n in after["notices"]] == ["dispatched"]
    rest = api.ask(Role.GATEWAY, "GET", f"/v1/notices?after={after['cursor']}&wait=0.05").json()
    assert rest == {"notices": [], "cursor": after["cursor"]}
