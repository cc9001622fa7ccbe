"""The console as a process: starting, dying and stopping."""

import asyncio
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import msgspec
import pytest
from sqlalchemy import create_engine, text

from console_api.accounts.roles import Role
from console_api.service import StartError, run
from tests.console.http.helpers import BATCH, Clock, Site, alarm, running
from tests.console.http.server import Server, serving, until


def test_killed_between_commit_and_answer_the_repetition_answers_what_was_lost(
    site: Site,
) -> None:
    with serving(site) as (_, api):
        case = api.case_of(alarm(at=datetime.now(UTC)))
    headers = {"if-match": f'"{case["version"]}"', "idempotency-key": "once"}
    path = f"/v1/cases/{case['id']}/open"
    with serving(site, "_act") as (server, api):
        with pytest.raises(httpx.TransportError):
            api.ask(Role.OPERATOR, "POST", path, headers=headers)
        assert server.process.wait() == -signal.SIGKILL
    with serving(site) as (_, api):
        again = api.ask(Role.OPERATOR, "POST", path, headers=headers)
        assert (again.status_code, again.json()["state"]) == (200, "opened")
        events = api.ask(Role.OPERATOR, "GET", f"/v1/cases/{case['id']}").json()["events"]
        assert [event["action"] for event in events].count("opened") == 1


def test_killed_before_the_gateway_has_its_answer_no_event_is_lost_or_doubled(site: Site) -> None:
    batch = msgspec.json.encode([alarm("TRK-000001"), alarm("TRK-000002", lat=3.5)])
    headers = {"content-type": BATCH}
    with serving(site, "ingest") as (server, api):
        with pytest.raises(httpx.TransportError):
            api.ask(Role.GATEWAY, "POST", "/v1/events", content=batch, headers=headers)
        assert server.process.wait() == -signal.SIGKILL
    with serving(site) as (_, api):
        again = api.ask(Role.GATEWAY, "POST", "/v1/events", content=batch, headers=headers)
        assert [r["status"] for r in again.json()["results"]] == ["duplicate", "duplicate"]
        assert len(api.ask(Role.OPERATOR, "GET", "/v1/cases").json()["cases"]) == 2


def test_a_taken_port_is_one_clear_line(site: Site) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        server = Server(site, port=holder.getsockname()[1])
        server.process.wait(30)
        code, said = server.end()
    assert code == 1
    assert said.count("\n") == 1
    assert "is taken" in said


def test_a_database_of_another_version_is_one_clear_line(site: Site) -> None:
    engine = create_engine(site.settings.database)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    server = Server(site)
    server.process.wait(30)
    code, said = server.end()
    assert code == 1
    assert "9999" in said
    assert said.count("\n") == 1


def test_a_file_that_is_no_database_is_one_clear_line(site: Site) -> None:
    for file in site.root.glob("console.db*"):
        file.write_bytes(b"this is no database, only words" * 100)
    server = Server(site)
    server.process.wait(30)
    code, said = server.end()
    assert code == 1
    assert "cannot be used" in said
    assert said.count("\n") == 1


def test_a_stopping_console_ends_streams_and_waits_at_once(site: Site) -> None:
    with serving(site) as (server, api):
        ended = threading.Event()

        def listen() -> None:
            headers = {"authorization": f"Bearer {site.tokens[Role.OPERATOR]}"}
            with (
                httpx.Client(base_url=server.url, timeout=30) as client,
                client.stream("GET", "/v1/stream", headers=headers) as answer,
            ):
                for _ in answer.iter_bytes():
                    pass
            ended.set()

        listener = threading.Thread(target=listen)
        listener.start()
        metrics = "siaga_console_streams 1.0"
        until(lambda: metrics in api.client.get("/metrics").text, "the stream")
        begun = time.monotonic()
        code, said = server.end()
        listener.join(10)
    assert ended.is_set()
    assert (code, said) == (0, "")
    assert time.monotonic() - begun < 5


def test_a_locked_database_is_a_503_and_nothing_is_acknowledged(
    site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console_api.store.engine._BUSY_MS", 50)
    other = sqlite3.connect(site.root / "console.db", isolation_level=None)
    with running(site, clock) as api:
        other.execute("BEGIN IMMEDIATE")
        batch = msgspec.json.encode([alarm()])
        headers = {"content-type": BATCH}
        refused = api.ask(Role.GATEWAY, "POST", "/v1/events", content=batch, headers=headers)
        other.execute("ROLLBACK")
        other.close()
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert api.send_events(alarm())[0]["status"] == "created"


async def test_a_database_that_is_locked_at_the_start_is_one_clear_line(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console_api.store.engine._BUSY_MS", 50)
    other = sqlite3.connect(site.root / "console.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StartError, match="database is locked; another program holds it"):
        await run(site.settings, asyncio.Event())
    other.close()


def test_a_chunked_body_over_the_limit_is_refused_while_it_still_comes(site: Site) -> None:
    with serving(site) as (server, _):
        sent = 0

        def pieces() -> Iterator[bytes]:
            nonlocal sent
            for _ in range(2000):
                sent += 65_536
                yield b" " * 65_536

        with httpx.Client(base_url=server.url, timeout=30) as client:
            try:
                answer = client.post(
                    "/v1/events",
                    content=pieces(),
                    headers={
                        "content-type": BATCH,
                        "authorization": f"Bearer {site.tokens[Role.GATEWAY]}",
                    },
                )
                assert answer.status_code == 413
            except httpx.WriteError:
                assert sent < 2000 * 65_536


def test_a_body_that_stops_coming_is_given_up(site: Site) -> None:
    limits = msgspec.structs.replace(site.limits, body_seconds=0.3)
    settings = msgspec.structs.replace(site.settings, limits=limits)
    head = (
        "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        "Content-Length: 100\r\n\r\n{"
    )
    with (
        serving(site, settings=settings) as (server, _),
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as line,
    ):
        line.sendall(head.encode())
        assert line.recv(4096).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(("trusted", "seen"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.9")])
def test_only_a_trusted_proxy_says_where_a_request_came_from(
    site: Site, trusted: tuple[str, ...], seen: str
) -> None:
    settings = msgspec.structs.replace(site.settings, trusted_proxies=trusted)
    with serving(site, settings=settings) as (_, api):
        headers = {"x-forwarded-for": "203.0.113.9"}
        api.ask(Role.AUDITOR, "GET", "/v1/audit", headers=headers)
        entry = api.ask(Role.AUDITOR, "GET", "/v1/audit").json()["entries"][0]
    assert entry["address"] == seen
