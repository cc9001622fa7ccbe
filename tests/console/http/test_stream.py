"""The stream: live, resumed without gap or repetition, and only what one may see."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import httpx
import msgspec
import pytest

from console_api.accounts.roles import Role
from console_api.settings import Limits
from tests.console.http.helpers import PASSWORD, Api, Json, Site, alarm
from tests.console.http.server import Server, serving, until

FAST = Limits(stream_heartbeat_s=0.2, stream_send_s=1.0)


class Ear:
    """Listens in a thread and keeps what it heard."""

    def __init__(self, server: Server, site: Site, role: Role, last: str | None = None) -> None:
        self.events: list[tuple[int, str, Json]] = []
        self.last = last
        self.beats = 0
        self.begun = threading.Event()
        self.ended = threading.Event()
        self._leave = threading.Event()
        self._headers = {"authorization": f"Bearer {site.tokens[role]}"}
        if last is not None:
            self._headers["last-event-id"] = last
        self._url = f"{server.url}/v1/stream"
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        assert self.begun.wait(10)

    def leave(self) -> None:
        self._leave.set()
        self._thread.join(20)

    def await_events(self, count: int) -> list[tuple[int, str, Json]]:
        until(lambda: len(self.events) >= count, f"{count} events, has {len(self.events)}")
        return self.events

    def _listen(self) -> None:
        with (
            httpx.Client(timeout=httpx.Timeout(20)) as client,
            client.stream("GET", self._url, headers=self._headers) as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.beats += 1
                elif line:
                    fields[name] = value
                else:
                    self._take(fields)
                    fields = {}
                    self.begun.set()
                if self._leave.is_set():
                    return
        self.ended.set()

    def _take(self, fields: dict[str, str]) -> None:
        if "data" in fields:
            self.events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
        self.last = fields.get("id", self.last)


@contextmanager
def listening(server: Server, site: Site, role: Role, last: str | None = None) -> Iterator[Ear]:
    ear = Ear(server, site, role, last)
    try:
        yield ear
    finally:
        ear.leave()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, template: Site) -> Iterator[tuple[Server, Api]]:
    """One console process for the tests that need not know of each other."""
    site = template.copy_to(tmp_path_factory.mktemp("live") / "site")
    site.limits = FAST
    with serving(site) as served:
        yield served


NUMBERS = count()


def fresh() -> str:
    """A device that no other test presses."""
    return f"TRK-{next(NUMBERS):06}"


def _cases(ear: Ear) -> list[str]:
    return [data["id"] for _, kind, data in ear.events if kind == "case"]


def test_a_change_is_heard_as_the_case_is_listed(live: tuple[Server, Api]) -> None:
    server, api = live
    site = server.site
    with listening(server, site, Role.OPERATOR) as ear:
        case = api.case_of(alarm(fresh()))
        until(lambda: _cases(ear), "the case")
        heard = next(data for _, kind, data in ear.events if kind == "case")
    assert set(heard) == set(case)
    assert heard["id"] == case["id"]


def test_a_stream_resumes_without_gap_or_repetition(live: tuple[Server, Api]) -> None:
    server, api = live
    site = server.site
    with listening(server, site, Role.OPERATOR) as whole:
        last = whole.last
        pieces: list[tuple[int, str, Json]] = []
        for round_ in range(5):
            with listening(server, site, Role.OPERATOR, last) as part:
                api.send_events(alarm(fresh(), lat=3.0 + round_ / 10))
                part.await_events(1)
            last = part.last
            pieces += part.events
            api.send_events(alarm(fresh(), lat=4.0 + round_ / 10))
        with listening(server, site, Role.OPERATOR, last) as rest:
            until(lambda: len(set(_cases(whole))) >= 10 and rest.last == whole.last, "all of it")
        pieces += rest.events
    end = int(rest.last or 0)
    heard = [event[0] for event in pieces if event[0] <= end]
    assert heard == [event[0] for event in whole.events if event[0] <= end]
    assert heard == sorted(set(heard))


def test_a_stream_resumes_over_a_restart_of_the_console(site: Site) -> None:
    with serving(site) as (server, api), listening(server, site, Role.OPERATOR) as ear:
        api.send_events(alarm("TRK-000001"))
        until(lambda: _cases(ear), "the case")
    with serving(site) as (server, api):
        api.send_events(alarm("TRK-000002", lat=3.5))
        with listening(server, site, Role.OPERATOR, ear.last) as again:
            until(lambda: _cases(again), "the case of the time between")
    assert {event[0] for event in ear.events} & {event[0] for event in again.events} == set()


def test_an_officer_hears_only_of_the_own_unit_and_of_its_end(live: tuple[Server, Api]) -> None:
    server, api = live
    site = server.site
    with listening(server, site, Role.OFFICER) as ear:
        mine, other = (
            api.done(Role.OPERATOR, api.case_of(alarm(device, lat=lat)), "open")
            for device, lat in ((fresh(), 5.3), (fresh(), 5.5))
        )
        api.done(Role.OPERATOR, other, "dispatch", {"unit": "PMI-2"})
        mine = api.done(Role.OPERATOR, mine, "dispatch", {"unit": "PMI-1"})
        until(lambda: _cases(ear), "the own case")
        api.done(Role.OFFICER, mine, "decline", {"reason": "ban kempis"})
        until(lambda: any(kind == "gone" for _, kind, _ in ear.events), "its end")
    assert set(_cases(ear)) == {mine["id"]}
    assert {data["id"] for _, kind, data in ear.events if kind == "unit"} <= {"PMI-1"}
    assert not any(kind == "device" for _, kind, _ in ear.events)


def test_a_technician_hears_of_devices_only(live: tuple[Server, Api]) -> None:
    server, api = live
    site = server.site
    with listening(server, site, Role.TECHNICIAN) as ear:
        api.send_events(alarm(fresh()))
        ear.await_events(1)
    assert {kind for _, kind, _ in ear.events} == {"device"}


def test_a_silent_stream_beats(live: tuple[Server, Api]) -> None:
    with listening(live[0], live[0].site, Role.OPERATOR) as ear:
        until(lambda: ear.beats >= 2, "two heartbeats")


def test_a_stream_ends_when_its_session_does(live: tuple[Server, Api]) -> None:
    server, api = live
    site = server.site
    login = {"username": "auditor", "password": PASSWORD}
    token = api.client.post("/v1/session", json=login).json()["token"]
    api.client.cookies.clear()
    own = Site(site.root, tokens={Role.AUDITOR: token})
    with listening(server, own, Role.AUDITOR) as ear:
        bearer = {"authorization": f"Bearer {token}"}
        assert api.client.delete("/v1/session", headers=bearer).status_code == 204
        assert ear.ended.wait(10)


def test_what_a_stream_showed_is_on_record(live: tuple[Server, Api]) -> None:
    server, api = live
    site = server.site
    with listening(server, site, Role.OPERATOR) as ear:
        case = api.case_of(alarm(fresh()))["id"]
        until(lambda: _cases(ear), "the case")

        def recorded() -> bool:
            entries = api.ask(Role.AUDITOR, "GET", f"/v1/audit?case={case}").json()["entries"]
            return ("operator", "stream_cases") in {(e["actor"], e["action"]) for e in entries}

        until(recorded, "the entry")


def test_a_client_that_does_not_read_is_dropped(site: Site) -> None:
    site.limits = FAST
    head = (
        f"GET /v1/stream HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 0\r\n"
        f"Authorization: Bearer {site.tokens[Role.OPERATOR]}\r\n\r\n"
    )
    with serving(site) as (server, api), socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", server.port))
        line.sendall(head.encode())
        dropped = "siaga_console_slow_streams_total 1.0"
        seq = 0

        def filled() -> bool:
            nonlocal seq
            api.send_events(*(alarm(f"TRK-{seq:06}", n, lat=3.3) for n in range(100)))
            seq += 1
            return dropped in api.client.get("/metrics").text

        until(filled, "the slow client to be dropped")


def test_a_long_poll_is_answered_by_the_commit(live: tuple[Server, Api]) -> None:
    _, api = live
    case = api.case_of(alarm(fresh()))
    begun = api.ask(Role.GATEWAY, "GET", "/v1/notices").json()["cursor"]
    answers: list[tuple[Json, timedelta]] = []

    def wait() -> None:
        url = api.client.base_url.join("/v1/notices")
        headers = {"authorization": f"Bearer {api.tokens[Role.GATEWAY]}"}
        params = {"after": begun, "wait": "20"}
        answer = httpx.get(url, params=params, headers=headers, timeout=25)
        answers.append((answer.json(), answer.elapsed))

    waiter = threading.Thread(target=wait)
    waiter.start()
    api.done(Role.OPERATOR, case, "open")
    waiter.join(25)
    (body, elapsed), *_ = answers
    assert [notice["stage"] for notice in body["notices"]] == ["opened"]
    assert elapsed < timedelta(seconds=10)


def test_there_are_only_so_many_streams(site: Site) -> None:
    site.limits = msgspec.structs.replace(FAST, stream_clients=1)
    with serving(site) as (server, api), listening(server, site, Role.OPERATOR):
        refused = api.ask(Role.SUPERVISOR, "GET", "/v1/stream")
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "5"
