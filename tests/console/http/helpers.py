"""A console over a real database in a folder, people of each role, and events to send it."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from litestar.testing import TestClient
from openapi_schema_validator import OAS31Validator

from console_api import admin
from console_api.accounts import sessions, users
from console_api.accounts.passwords import Passwords
from console_api.accounts.roles import PEOPLE, SERVICES, Role
from console_api.app import create_app
from console_api.cycle.model import Category, Point
from console_api.http.openapi import document
from console_api.settings import ConsoleSettings, DataCentreSettings, Limits
from console_api.store.engine import open_engine, writing

Json = dict[str, Any]
PASSWORD = "a long made-up password"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
DESCRIPTION: Json = json.loads(json.dumps(document()))
BATCH = "application/cloudevents-batch+json"


@dataclass
class Clock:
    """The present, moved by the test."""

    moment: datetime = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **span: float) -> None:
        self.moment += timedelta(**span)


@dataclass
class Site:
    """A deployment's folder with people and services in its database."""

    root: Path
    limits: Limits = field(default_factory=Limits)
    tokens: dict[Role, str] = field(default_factory=dict)
    data_centre: DataCentreSettings | None = None

    @property
    def settings(self) -> ConsoleSettings:
        return ConsoleSettings(
            database=f"sqlite:///{self.root}/console.db",
            photos_dir=str(self.root / "photos"),
            port=0,
            limits=self.limits,
            data_centre=self.data_centre,
        )

    def copy_to(self, root: Path) -> "Site":
        shutil.copytree(self.root, root)
        return Site(root, self.limits, self.tokens)

    def prepare(self, now: datetime) -> None:
        admin.initialise(self.settings)
        admin.add_unit(
            self.settings, "PMI-1", "Ambulans 1", [Category.AMBULANCE], Point(3.3, 117.6)
        )
        admin.add_unit(self.settings, "PMI-2", "Ambulans 2", [Category.AMBULANCE])
        hashed = CHEAP.hash(PASSWORD)
        engine = open_engine(self.settings.database)
        with engine.connect() as connection, writing(connection):
            for role in PEOPLE:
                unit = "PMI-1" if role is Role.OFFICER else None
                users.add_user(
                    connection,
                    name=role.value,
                    role=role,
                    unit=unit,
                    password_hash=hashed,
                    now=now,
                )
                self.tokens[role] = f"siaga_s_{role.value}"
                sessions.open_session(
                    connection,
                    user=role.value,
                    token=self.tokens[role],
                    address="test",
                    now=now,
                    lasts=timedelta(days=3650),
                )
            for role in SERVICES:
                self.tokens[role] = f"siaga_t_{role.value}"
                sessions.add_service(
                    connection, name=role.value, role=role, token=self.tokens[role], now=now
                )
        engine.dispose()


class Api:
    """A client that holds every answer to the API's description."""

    def __init__(self, client: httpx.Client, tokens: Mapping[Role, str]) -> None:
        self.client = client
        self.tokens = tokens

    def ask(
        self,
        role: Role | None,
        method: str,
        path: str,
        **options: Any,  # noqa: ANN401 - httpx's own options, passed on
    ) -> httpx.Response:
        headers = dict(options.pop("headers", {}))
        if role is not None:
            headers["authorization"] = f"Bearer {self.tokens[role]}"
        answer = self.client.request(method, path, headers=headers, **options)
        check_described(answer)
        return answer

    def send_events(self, *events: object) -> list[Json]:
        answer = self.ask(
            Role.GATEWAY,
            "POST",
            "/v1/events",
            content=json.dumps(events),
            headers={"content-type": BATCH},
        )
        assert answer.status_code == 200, answer.text
        results: list[Json] = answer.json()["results"]
        return results

    def case_of(self, event: Json) -> Json:
        """Send an alarm and return the case that it made."""
        assert self.send_events(event)[0]["status"] == "created"
        found = self.ask(
            Role.SUPERVISOR, "GET", "/v1/cases", params={"device": event["data"]["device"]["id"]}
        )
        case: Json = found.json()["cases"][0]
        return case

    def act(
        self,
        role: Role,
        case: Json,
        action: str,
        body: Mapping[str, object] | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        keyed = {} if key is None else {"idempotency-key": key}
        return self.ask(
            role,
            "POST",
            f"/v1/cases/{case['id']}/{action}",
            json=dict(body or {}),
            headers={"if-match": f'"{case["version"]}"', **keyed},
        )

    def done(
        self, role: Role, case: Json, action: str, body: Mapping[str, object] | None = None
    ) -> Json:
        answer = self.act(role, case, action, body)
        assert answer.status_code == 200, answer.text
        after: Json = answer.json()
        return after


@contextmanager
def running(site: Site, clock: Clock) -> Iterator[Api]:
    """The console behind Litestar's test client."""
    app = create_app(site.settings, now=clock, passwords=CHEAP)
    with TestClient(app, base_url="http://console.test") as client:
        yield Api(client, site.tokens)


def check_described(answer: httpx.Response) -> None:
    """Hold an answer to the description: its status, media type and shape."""
    request = answer.request
    operation = _operation(request.method, request.url.path)
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if operation is None:
        assert answer.status_code in {204, 404, 405}, answer.text
        return
    described = operation["responses"].get(str(answer.status_code))
    assert described is not None, f"{answer.status_code} is not described: {answer.text}"
    if answer.status_code in {204, 304}:
        return
    assert media_type in described["content"], f"{media_type} is not described"
    if media_type.endswith("json"):
        schema = described["content"][media_type]["schema"]
        whole = {**schema, "components": DESCRIPTION["components"]}
        OAS31Validator(whole).validate(answer.json())


def _operation(method: str, path: str) -> Json | None:
    parts = path.split("/")
    for template, operations in sorted(
        DESCRIPTION["paths"].items(), key=lambda item: "{" in item[0]
    ):
        wanted = template.split("/")
        if len(wanted) == len(parts) and all(
            w == p or (w.startswith("{") and p) for w, p in zip(wanted, parts, strict=True)
        ):
            found: Json | None = operations.get(method.lower())
            if found is not None:
                return found
    return None


def alarm(
    device: str = "TRK-000123",
    seq: int = 0,
    *,
    at: datetime | None = None,
    lat: float = 3.3,
    lon: float = 117.6,
    **data: object,
) -> Json:
    """The CloudEvent of an alarm, as a gateway sends it."""
    moment = at or Clock().moment
    return {
        "specversion": "1.0",
        "id": f"{device}:1:{seq}",
        "source": f"/gateways/gw1/devices/{device}",
        "type": "id.siaga.button.alarm.v1",
        "time": _text(moment),
        "datacontenttype": "application/json",
        "data": {
            "boot": 1,
            "seq": seq,
            "occurred_at": _text(moment - timedelta(seconds=1)),
            "occurred_by": "device",
            "delay_s": 1.0,
            "late": False,
            "category": "ambulance",
            "trigger": "press",
            "presses": 1,
            "position": {"lat": lat, "lon": lon, "source": "gnss", "fix_age_s": 1},
            "device": {
                "id": device,
                "kind": "handheld",
                "label": None,
                "address": "Jl. Yos Sudarso 12",
                "category": "ambulance",
                "camera_url": None,
                "installed": None,
                "owner": {"name": "Budi", "phone": "+62811"},
            },
            "area": {
                "code": "65.71.02",
                "kelurahan": "Karang Balik",
                "kecamatan": "Tarakan Barat",
            },
            **data,
        },
    }


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
