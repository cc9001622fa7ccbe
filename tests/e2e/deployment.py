"""A deployment in a folder: its real broker, console and gateway, and buttons at its broker."""

import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from typer.testing import CliRunner

from siaga.cli import app
from tests.e2e.programs import ROOT, Program, micropython, siaga, until

PASSWORD = "a long made-up password"
Json = dict[str, Any]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Deployment:
    """What `siaga init` makes, with its parts started one by one so that each can be killed."""

    root: Path
    http_port: int = field(default_factory=free_port)
    mqtt_port: int = field(default_factory=free_port)
    gateway_port: int = field(default_factory=free_port)
    loopback_port: int = field(default_factory=free_port)
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.command(
            "init",
            "--http-port",
            str(self.http_port),
            "--mqtt-port",
            str(self.mqtt_port),
        )

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "SIAGA_DATA": str(self.root),
            "SIAGA_GATEWAY_HTTP_PORT": str(self.gateway_port),
            "SIAGA_BROKER_LOOPBACK_PORT": str(self.loopback_port),
            **self.settings,
        }

    @property
    def console_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def command(self, *arguments: str, text: str | None = None) -> str:
        """Run `siaga` in this process (a new one takes a second to start); its output."""
        done = CliRunner().invoke(app, arguments, input=text, env=self.environment)
        assert done.exit_code == 0, f"siaga {' '.join(arguments)}: {done.stderr}{done.exception!r}"
        return done.stdout

    def add_device(self, device: str, *options: str) -> Path:
        """Register a device; the file with its credentials, as the button reads it."""
        path = self.root / f"{device}.json"
        path.write_text(self.command("device", "add", device, *options, "--json"))
        return path

    def add_staff(self) -> None:
        """One ambulance unit, and one person of each role that works a case."""
        self.command(
            *("unit", "add", "PMI-1", "--name", "Ambulans PMI 1"),
            *("--categories", "ambulance,city_alarm", "--lat", "3.3000", "--lon", "117.5900"),
        )
        for name, options in {
            "rini": ("--role", "operator"),
            "budi": ("--role", "supervisor"),
            "sari": ("--role", "officer", "--unit", "PMI-1"),
            "agus": ("--role", "auditor"),
        }.items():
            self.command("user", "add", name, *options, "--password-stdin", text=PASSWORD)

    @contextmanager
    def broker(self) -> Iterator[Program]:
        with self._part("broker", "run") as program:
            program.until(lambda: _listens(self.mqtt_port), "an open port")
            yield program

    @contextmanager
    def console(self, launcher: str | None = None) -> Iterator[Program]:
        with self._part("console", "run", launcher=launcher) as program:
            program.until(lambda: _ready(self.console_url), "readiness")
            yield program

    @contextmanager
    def gateway(
        self, launcher: str | None = None, *, await_ready: bool = True
    ) -> Iterator[Program]:
        """Run the gateway; without a broker it is never ready, but waits for one."""
        with self._part("gateway", "run", launcher=launcher) as program:
            url = f"http://127.0.0.1:{self.gateway_port}"
            if await_ready:
                program.until(lambda: _ready(url), "readiness")
            yield program

    @contextmanager
    def watching_registry(self) -> Iterator[Program]:
        """Run what tells the broker of changes in the registry."""
        with self._part("broker", "config", "--watch") as program:
            program.wait_for("as it should be|written")
            yield program

    @contextmanager
    def button(
        self,
        credentials: Path,
        *options: str | Path,
        launcher: str | None = None,
    ) -> Iterator["Button"]:
        """Run a button on real MicroPython; `launcher` is a script to run in place of the board."""
        with Program(
            micropython(
                *("-X", "heapsize=2m"),
                *((ROOT / "tests/e2e/launchers" / launcher,) if launcher else BOARD),
                *("--credentials", credentials, "--flash", credentials.with_suffix(".flash")),
                *("--control", "-", *options),
            ),
            {"MICROPYPATH": f"{ROOT}:.frozen"},
        ) as program:
            yield Button(program)

    def _part(self, *arguments: str, launcher: str | None = None) -> Program:
        command = siaga(*arguments)
        if launcher:
            command[1:3] = [ROOT / "tests/e2e/launchers" / launcher]
        return Program(command, self.environment)


BOARD = ("-m", "firmware.button.boards.host")


@dataclass(frozen=True)
class Button:
    """A button to press, and its light to watch."""

    program: Program

    def press(self, gesture: str = "press") -> None:
        self.program.say(gesture)

    def await_light(self, rung: str, limit_s: float = 40.0) -> None:
        self.program.wait_for(rf"^light {rung}\b", limit_s)

    def await_confirmed(self, count: int, limit_s: float) -> None:
        until(lambda: len(self.confirmed) >= count, f"{count} receipts", limit_s)

    @property
    def confirmed(self) -> set[str]:
        """Identities, as `boot,seq`, whose receipt the button has verified."""
        return {line.split()[2] for line in self.program.lines if line.startswith("log confirmed ")}

    @property
    def rungs(self) -> list[str]:
        """Each rung shown, in order, without repetition."""
        shown = [line.split()[1] for line in self.program.lines if line.startswith("light ")]
        return [rung for rung, before in zip(shown, [None, *shown], strict=False) if rung != before]


class Desk:
    """A person at the console API."""

    def __init__(self, deployment: Deployment, name: str) -> None:
        self._client = httpx.Client(base_url=deployment.console_url, timeout=20)
        answer = self._client.post("/v1/session", json={"username": name, "password": PASSWORD})
        assert answer.status_code in {200, 201}, answer.text
        self._client.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def get(self, path: str, **params: str) -> Json:
        answer = self._client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        body: Json = answer.json()
        return body

    def cases(self, **params: str) -> list[Json]:
        found: list[Json] = self.get("/v1/cases", **params)["cases"]
        return found

    def await_case(self, limit_s: float = 40.0, **expected: object) -> Json:
        """Wait for the one case whose members have these values."""

        def look() -> Json | None:
            found = [case for case in self.cases() if _has(case, expected)]
            assert len(found) < 2, f"more than one case with {expected}"
            return found[0] if found else None

        return until(look, f"a case with {expected}", limit_s)

    def case(self, case_id: str) -> Json:
        return self.get(f"/v1/cases/{case_id}")

    def act(self, case_id: str, action: str, **body: object) -> Json:
        """Act on the case as it stands now, and fail if the console refuses."""
        answer = self.try_act(case_id, action, self.case(case_id)["version"], body)
        assert answer.status_code in {200, 201}, answer.text
        done: Json = answer.json()
        return done

    def try_act(
        self,
        case_id: str,
        action: str,
        version: object,
        body: Mapping[str, object],
        key: str | None = None,
    ) -> httpx.Response:
        headers = {
            "If-Match": f'"{version}"',
            "Idempotency-Key": key or secrets.token_hex(8),
        }
        return self._client.post(f"/v1/cases/{case_id}/{action}", json=dict(body), headers=headers)

    def attach_photo(self, case_id: str, jpeg: bytes) -> None:
        answer = self._client.post(
            f"/v1/cases/{case_id}/photos", content=jpeg, headers={"Content-Type": "image/jpeg"}
        )
        assert answer.status_code == 201, answer.text

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()


def _has(case: Json, expected: Mapping[str, object]) -> bool:
    return all(case.get(name) == value for name, value in expected.items())


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def credentials_of(path: Path) -> Json:
    found: Json = json.loads(path.read_text())
    return found
