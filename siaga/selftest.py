"""Ask a button in the field to test itself, over the console, and wait for what it says."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
import msgspec

from siaga.errors import ConsoleRefusedError, NoAnswerError

POLL_S = 0.5


class _Result(msgspec.Struct):
    counter: int
    code: int
    text: str = ""


class _Data(msgspec.Struct):
    reason: str | None = None
    result: _Result | None = None


class _Item(msgspec.Struct):
    at: str
    kind: str
    data: _Data


class _Device(msgspec.Struct):
    history: list[_Item]


class _Session(msgspec.Struct):
    token: str


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What a button answered: code 0 is well, any other says in `text` what is not."""

    device: str
    code: int
    text: str


class Technician:
    """A person signed in at the console."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=10.0)
        answer = self._ask("POST", "/v1/session", {"username": username, "password": password})
        token = msgspec.json.decode(answer, type=_Session).token
        self._client.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def self_test(
        self, device: str, limit_s: float, clock: Callable[[], float] = time.monotonic
    ) -> SelfTest:
        """Send the command and wait for its result.

        Raises ConsoleRefusedError, and NoAnswerError after `limit_s` seconds.
        """
        before = self._results(device)
        self._ask("POST", f"/v1/devices/{device}/commands", {"command": "self_test"})
        deadline = clock() + limit_s
        while clock() < deadline:
            fresh = [result for at, result in self._results(device).items() if at not in before]
            if fresh:
                return SelfTest(device, fresh[0].code, fresh[0].text)
            time.sleep(POLL_S)
        raise NoAnswerError(device, limit_s)

    def _results(self, device: str) -> dict[str, _Result]:
        found = msgspec.json.decode(self._ask("GET", f"/v1/devices/{device}"), type=_Device)
        return {item.at: item.data.result for item in found.history if item.data.result}

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> bytes:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise ConsoleRefusedError(f"{method} {path}", str(error)) from error
        if answer.is_error:
            problem = msgspec.json.decode(answer.content, type=dict[str, object])
            raise ConsoleRefusedError(f"{method} {path}", str(problem.get("detail", problem)))
        return answer.content
