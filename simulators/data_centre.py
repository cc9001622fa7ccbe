"""A small data centre: takes signed case records, keeps each once, says so only when it has it."""

import asyncio
import hashlib
import hmac
import socket
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec
import uvicorn
from litestar import Litestar, Request, Response, post
from litestar.datastructures import State

MOST_BYTES: Final = 1_048_576
MOST_AGE_S: Final = 300
EVENT_TYPE: Final = "id.siaga.case.registered.v1"


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a delivery is not taken, as an HTTP status and a sentence."""

    status: HTTPStatus
    why: str


class RecordEvent(msgspec.Struct, frozen=True):
    """The CloudEvents members that matter here; the whole body is kept as it came."""

    specversion: str
    id: str
    type: str
    source: str
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class Record:
    """A case record as it is stored."""

    id: str
    case: str
    received_at: int
    deliveries: int
    event: RecordEvent


def check(header: str | None, body: bytes, secret: bytes, now: int) -> RecordEvent | Refused:
    """Return the event of a delivery `now` (Unix seconds), or why it is refused."""
    forged = _check_signature(header, body, secret, now)
    if forged is not None:
        return forged
    try:
        event = msgspec.json.decode(body, type=RecordEvent)
    except msgspec.MsgspecError as error:
        return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"no CloudEvent: {error}")
    case, separator, version = event.id.rpartition(":")
    if event.specversion != "1.0" or event.type != EVENT_TYPE:
        return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"no {EVENT_TYPE} of CloudEvents 1.0")
    if not (case and separator and version.isdecimal()):
        return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "the id is not {case}:{version}")
    return event


def _check_signature(header: str | None, body: bytes, secret: bytes, now: int) -> Refused | None:
    fields = dict(part.strip().partition("=")[::2] for part in (header or "").split(","))
    stamp, given = fields.get("t", ""), fields.get("v1", "")
    if not (stamp.isascii() and stamp.isdecimal() and given.isascii()):
        return Refused(HTTPStatus.UNAUTHORIZED, "no Siaga-Signature: t=<unix>,v1=<hex>")
    due = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(due, given):
        return Refused(HTTPStatus.UNAUTHORIZED, "the signature does not fit the body")
    if abs(now - int(stamp)) > MOST_AGE_S:
        return Refused(HTTPStatus.UNAUTHORIZED, f"signed over {MOST_AGE_S} s from now")
    return None


class Archive:
    """The stored records, in a SQLite file. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection, connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS record (id TEXT PRIMARY KEY, case_id TEXT NOT NULL,"
                " received_at INTEGER NOT NULL, deliveries INTEGER NOT NULL, body BLOB NOT NULL)"
            )

    def store(self, event: RecordEvent, body: bytes, now: int) -> bool:
        """Commit a record; a repeated id changes nothing but its count. Return if it is new."""
        with closing(self._connect()) as connection, connection:
            (deliveries,) = connection.execute(
                "INSERT INTO record VALUES (?, ?, ?, 1, ?)"
                " ON CONFLICT (id) DO UPDATE SET deliveries = deliveries + 1 RETURNING deliveries",
                (event.id, event.id.rpartition(":")[0], now, body),
            ).fetchone()
        return bool(deliveries == 1)

    def records(self) -> list[Record]:
        """Return every record in the order of arrival."""
        with closing(self._connect()) as connection:
            rows = connection.execute(
                "SELECT id, case_id, received_at, deliveries, body FROM record ORDER BY rowid"
            ).fetchall()
        return [
            Record(name, case, received_at, deliveries, msgspec.json.decode(body, type=RecordEvent))
            for name, case, received_at, deliveries, body in rows
        ]

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10.0)
        connection.execute("PRAGMA synchronous=FULL")
        return connection


class DataCentre:
    """Listens for records on loopback.

    `fail_until` is a monotonic time in seconds: until then every delivery gets 503, as from a
    data centre that is down.
    """

    def __init__(self, archive: Archive, secret: bytes) -> None:
        self.archive = archive
        self.secret = secret
        self.fail_until = 0.0

    def fail_for(self, seconds: float) -> None:
        """Answer 503 to everything for so long."""
        self.fail_until = time.monotonic() + seconds

    async def receive(self, signature: str | None, body: bytes) -> Response[str]:
        """Answer one delivery, after its record is on disk."""
        if time.monotonic() < self.fail_until:
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "told to fail for a while")
        now = int(time.time())
        event = check(signature, body, self.secret, now)
        if isinstance(event, Refused):
            return _answer(event.status, event.why)
        new = await asyncio.to_thread(self.archive.store, event, body, now)
        return _answer(HTTPStatus.CREATED if new else HTTPStatus.OK, "stored")

    async def run(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Serve a bound socket until `stop`."""
        config = uvicorn.Config(
            create_app(self),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=3,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="data-centre")
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            server.should_exit = True
            await serving


def listen(port: int) -> socket.socket:
    """Return a socket bound to loopback; port 0 takes a free one."""
    return socket.create_server(("127.0.0.1", port))


def create_app(centre: DataCentre) -> Litestar:
    """Return the application: `POST /` or any path below it, one record a request."""

    @post(["/", "/{path:path}"], media_type="application/json")
    async def receive(request: Request[None, None, State]) -> Response[str]:
        """Take one delivery; anything but 2xx means that nothing was stored."""
        body = await request.body()
        return await centre.receive(request.headers.get("siaga-signature"), body)

    return Litestar(
        [receive],
        request_max_body_size=MOST_BYTES,
        openapi_config=None,
        logging_config=None,  # the process's logging belongs to the process
    )


def _answer(status: HTTPStatus, words: str) -> Response[str]:
    return Response(words, status_code=status)


class _Server(uvicorn.Server):
    """Uvicorn inside somebody else's process: signals belong to the process."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
