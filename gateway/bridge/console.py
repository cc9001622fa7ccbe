"""The console's HTTP interface as the gateway sees it (docs/protocol.md §5)."""

import ssl
from collections.abc import Sequence
from typing import Final, TypeVar

import httpx
import msgspec

from gateway.bridge.errors import ConsoleError

_BATCH_TYPE: Final = "application/cloudevents-batch+json"
_LARGEST_ANSWER: Final = 4 * 1024 * 1024
_OK: Final = 200
S = TypeVar("S", bound=msgspec.Struct)


class Result(msgspec.Struct, frozen=True):
    """The console's answer for one event."""

    id: str
    status: str
    reason: str | None = None


class Notice(msgspec.Struct, frozen=True):
    """Something that the console wants a device to know."""

    cursor: str
    kind: str
    device: str
    ref: str | None = None
    stage: str | None = None
    command: str | None = None
    args: dict[str, object] = {}
    expires: str | None = None


class Notices(msgspec.Struct, frozen=True):
    """What one long poll brought."""

    notices: list[Notice]
    cursor: str | None = None


class _Answer(msgspec.Struct, frozen=True):
    results: list[Result]


class Console:
    """One HTTP connection to the console; each lane has its own."""

    def __init__(
        self, url: str, token: str, *, timeout_s: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_s,
            verify=tls if tls is not None else url.startswith("https:"),
            limits=httpx.Limits(max_connections=1, keepalive_expiry=60),
            trust_env=False,
        )
        self._timeout_s = timeout_s

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def post_events(self, events: Sequence[bytes], ids: Sequence[str]) -> list[Result]:
        """Hand over a batch of encoded events; one result for each, in order.

        Raises ConsoleError for anything else; then nothing counts as delivered.
        """
        content = b"[" + b",".join(events) + b"]"
        headers = {"Content-Type": _BATCH_TYPE}
        answer = await self._ask(
            self._client.build_request("POST", "/v1/events", content=content, headers=headers)
        )
        results = _decode(answer, _Answer).results
        if [result.id for result in results] != list(ids):
            raise ConsoleError("answers for other events than it was given")
        return results

    async def notices(self, after: str | None, wait_s: int) -> Notices:
        """Read on from a cursor, waiting up to `wait_s` for something to come."""
        query: dict[str, str | int] = {"wait": wait_s}
        if after is not None:
            query["after"] = after
        request = self._client.build_request(
            "GET", "/v1/notices", params=query, timeout=self._timeout_s + wait_s
        )
        return _decode(await self._ask(request), Notices)

    async def _ask(self, request: httpx.Request) -> bytes:
        try:
            response = await self._client.send(request)
        except httpx.HTTPError as error:
            raise ConsoleError(str(error) or type(error).__name__) from None
        if response.status_code != _OK:
            raise ConsoleError(f"HTTP {response.status_code}", response.status_code)
        if len(response.content) > _LARGEST_ANSWER:
            raise ConsoleError("answer too long")
        return response.content


def _decode(content: bytes, kind: type[S]) -> S:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        raise ConsoleError(f"unreadable answer: {error}") from None
