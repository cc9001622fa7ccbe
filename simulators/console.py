"""One person's line to the console: logs in, repeats safely, never gives up on a restart."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from itertools import count
from random import Random
from typing import Final, TypeVar

import httpx
import msgspec

from simulators.errors import ConsoleRefusedError, LoginRefusedError
from simulators.sse import Message, Reader
from simulators.wire import Case, CasePage, Problem, Proposals, Session, Unit

SILENCE_S: Final = 45.0  # the stream's keep-alive comes every 15 s
FIRST_WAIT_S: Final = 0.25
LONGEST_WAIT_S: Final = 5.0
AGAIN: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
STALE: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})
Answer = TypeVar("Answer")


class ConflictError(Exception):
    """Somebody was first, or the case is no longer where this action begins: read it again."""


class Console:
    """A session of one user. Every call waits out a console that is down."""

    def __init__(
        self, client: httpx.AsyncClient, username: str, password: str, chance: Random
    ) -> None:
        self.username = username
        self._client = client
        self._password = password
        self._chance = chance
        self._token: str | None = None
        self._logging_in = asyncio.Lock()
        self._reader = Reader()

    async def cases(self) -> list[Case]:
        """Return every case that waits for something."""
        found: list[Case] = []
        query = {"state": "open", "limit": "200"}
        while True:
            page = _read(await self._request("GET", "/v1/cases", query=query), CasePage)
            found += page.cases
            if page.next is None:
                return found
            query["cursor"] = page.next

    async def case(self, case: str) -> Case:
        """Return a case as it is now."""
        return _read(await self._request("GET", f"/v1/cases/{case}"), Case)

    async def proposals(self, case: str) -> Proposals:
        """Return the units proposed for a case, best first."""
        return _read(await self._request("GET", f"/v1/cases/{case}/units"), Proposals)

    async def unit(self, unit: str) -> Unit:
        """Return a unit as it is now."""
        return _read(await self._request("GET", f"/v1/units/{unit}"), Unit)

    async def act(self, case: Case, action: str, body: dict[str, object]) -> Case:
        """Do something to the case in the version that was seen, once, however often it is sent.

        Return the case as it is then.

        Raises ConflictError if the case has changed since.
        """
        headers = {
            "If-Match": f'"{case.version}"',
            "Idempotency-Key": secrets.token_hex(16),
            "Content-Type": "application/json",
        }
        path = f"/v1/cases/{case.id}/{action}"
        content = msgspec.json.encode(body)
        return _read(await self._request("POST", path, content=content, headers=headers), Case)

    async def move(self, unit: str, lat: float, lon: float) -> None:
        """Tell where a unit is now."""
        place = msgspec.json.encode({"lat": round(lat, 7), "lon": round(lon, 7)})
        headers = {"Content-Type": "application/json"}
        await self._request("POST", f"/v1/units/{unit}/position", content=place, headers=headers)

    async def attach(self, case: str, photo: bytes, media_type: str) -> None:
        """Add a photo to a case."""
        headers = {"Content-Type": media_type}  # the same photo twice is one
        await self._request("POST", f"/v1/cases/{case}/photos", content=photo, headers=headers)

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[AsyncIterator[Message]]:
        """Open the stream where the last one ended; raises httpx.HTTPError when it breaks."""
        token = await self._login()
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        if self._reader.last_id:
            headers["Last-Event-ID"] = self._reader.last_id
        self._reader.reset()
        timeout = httpx.Timeout(10.0, read=SILENCE_S)
        async with self._client.stream(
            "GET", "/v1/stream", headers=headers, timeout=timeout
        ) as response:
            if response.status_code == HTTPStatus.UNAUTHORIZED:
                self._forget(token)
            response.raise_for_status()
            yield self._messages(response)

    async def _messages(self, response: httpx.Response) -> AsyncIterator[Message]:
        async for line in response.aiter_lines():
            for message in self._reader.feed(line):
                yield message

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        for attempt in count():
            token = await self._login()
            response = await self._send(
                self._client.build_request(
                    method,
                    path,
                    params=query,
                    content=content,
                    headers={**(headers or {}), "Authorization": f"Bearer {token}"},
                )
            )
            if response is not None and response.status_code == HTTPStatus.UNAUTHORIZED:
                self._forget(token)
            elif response is not None and response.status_code not in AGAIN:
                return _accepted(response, method, path)
            await asyncio.sleep(backoff(attempt, self._chance, response))
        raise AssertionError("counting never ends")

    async def _login(self) -> str:
        async with self._logging_in:
            for attempt in count():
                if self._token is not None:
                    return self._token
                body = {"username": self.username, "password": self._password}
                request = self._client.build_request("POST", "/v1/session", json=body)
                response = await self._send(request)
                if response is not None and response.is_success:
                    self._client.cookies.clear()  # the page's way in; here the header is enough
                    self._token = _read(response, Session).token
                elif response is not None and response.status_code not in AGAIN:
                    raise LoginRefusedError(self.username, _why(response))
                else:
                    await asyncio.sleep(backoff(attempt, self._chance, response))
        raise AssertionError("counting never ends")

    async def _send(self, request: httpx.Request) -> httpx.Response | None:
        try:
            return await self._client.send(request)
        except httpx.TransportError:
            return None

    def _forget(self, token: str) -> None:
        if self._token == token:
            self._token = None


def backoff(attempt: int, chance: Random, response: httpx.Response | None = None) -> float:
    """Return the seconds to wait after a failed attempt, as asked for or doubling with jitter."""
    asked = "" if response is None else response.headers.get("Retry-After", "")
    if asked.isascii() and asked.isdecimal():
        return min(float(asked), 60.0) + chance.random()
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(attempt, 10))
    return longest * chance.uniform(0.5, 1.0)


def _accepted(response: httpx.Response, method: str, path: str) -> httpx.Response:
    if response.is_success:
        return response
    if response.status_code in STALE:
        raise ConflictError(_why(response))
    raise ConsoleRefusedError(method, path, response.status_code, _why(response))


def _why(response: httpx.Response) -> str:
    try:
        problem = msgspec.json.decode(response.content, type=Problem)
    except msgspec.MsgspecError:
        return response.reason_phrase
    return problem.detail or problem.title or response.reason_phrase


def _read(response: httpx.Response, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.MsgspecError as error:
        request = response.request
        why = f"the answer is not what was agreed ({error})"
        raise ConsoleRefusedError(
            request.method, request.url.path, response.status_code, why
        ) from error
