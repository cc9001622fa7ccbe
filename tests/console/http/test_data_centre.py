"""The outbox towards a data centre that is down, refuses, and in the end acknowledges."""

import asyncio
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from console_api.accounts.roles import Role
from console_api.data_centre import signature
from console_api.service import StartError, run
from console_api.settings import DataCentreSettings
from tests.console.http.helpers import Api, Clock, Json, Site, running
from tests.console.http.server import free_port, until
from tests.console.http.test_cases import registering

SECRET = b"\x00a secret of 32 bytes or the like\n"


class Present(Clock):
    """The real present: what is sent is due by it."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Centre:
    """Answers with the next of `statuses`, the last one for ever."""

    statuses: list[int]
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    url: str = ""


@contextmanager
def centre(*statuses: int, port: int = 0) -> Iterator[Centre]:
    kept = Centre(list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.taken.append((self.headers["Siaga-Signature"], body))
            status = kept.statuses.pop(0) if len(kept.statuses) > 1 else kept.statuses[0]
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    kept.url = f"http://127.0.0.1:{server.server_port}/cases"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    return path


@contextmanager
def console(site: Site, url: str, secret_file: Path) -> Iterator[Api]:
    site.data_centre = DataCentreSettings(
        url=url, secret_file=str(secret_file), longest_wait_s=0.05, timeout_s=5
    )
    with running(site, Present()) as api:
        yield api


def _state(api: Api, case: Json) -> Json:
    found: Json = api.ask(Role.OPERATOR, "GET", f"/v1/cases/{case['id']}").json()
    return found


def test_an_acknowledged_case_gets_its_mark(site: Site, secret_file: Path) -> None:
    with centre(204) as there, console(site, there.url, secret_file) as api:
        case = registering(api, Present())
        until(lambda: _state(api, case)["marks"]["registered"], "the mark")
        assert _state(api, case)["data_centre"] == "sent"
        assert _state(api, case)["state"] == "registered"


def test_what_is_sent_is_a_signed_cloudevent(site: Site, secret_file: Path) -> None:
    with centre(200) as there, console(site, there.url, secret_file) as api:
        case = registering(api, Present())
        until(lambda: there.taken, "the delivery")
    signed, body = there.taken[0]
    event = json.loads(body)
    moment = signed.partition(",")[0].removeprefix("t=")
    due = hmac.new(SECRET, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    assert signed == f"t={moment},v1={due}"
    assert event["type"] == "id.siaga.case.registered.v1"
    assert event["id"].startswith(f"{case['id']}:")


def test_a_refusing_centre_is_asked_again_with_the_same_bytes(
    site: Site, secret_file: Path
) -> None:
    with centre(500, 302, 400, 200) as there, console(site, there.url, secret_file) as api:
        case = registering(api, Present())
        until(lambda: _state(api, case)["marks"]["registered"], "the mark")
    assert len(there.taken) == 4
    assert len({body for _, body in there.taken}) == 1


def test_a_centre_that_is_down_shows_as_failing_and_gets_the_case_when_it_is_back(
    site: Site, secret_file: Path
) -> None:
    port = free_port()
    with console(site, f"http://127.0.0.1:{port}/cases", secret_file) as api:
        case = registering(api, Present())
        until(lambda: _state(api, case)["data_centre"] == "failing", "failing")
        assert _state(api, case)["marks"]["registered"] is None
        with centre(202, port=port):
            until(lambda: _state(api, case)["marks"]["registered"], "the mark")


def test_without_a_data_centre_cases_wait_in_the_outbox(api: Api, clock: Clock) -> None:
    case = registering(api, clock)
    assert _state(api, case)["data_centre"] == "pending"


def test_the_signature_covers_the_moment_and_the_body() -> None:
    signed = {signature(SECRET, body, moment) for body in (b"a", b"b") for moment in (1, 2)}
    assert len(signed) == 4


async def test_an_unreadable_secret_is_one_clear_line(site: Site, tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    site.data_centre = DataCentreSettings(url="http://127.0.0.1:1/", secret_file=missing)
    with pytest.raises(StartError, match="none"):
        await run(site.settings, asyncio.Event())
