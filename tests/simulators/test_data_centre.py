import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.data_centre import (
    MOST_AGE_S,
    MOST_BYTES,
    Archive,
    DataCentre,
    RecordEvent,
    Refused,
    check,
    listen,
)

SECRET = b"not a real secret"
NOW = 1_795_000_000


def event(name: str = "CASE-1:7", **members: object) -> bytes:
    body = {
        "specversion": "1.0",
        "id": name,
        "type": "id.siaga.case.registered.v1",
        "source": "/console",
        "data": {"register_number": "AK/2026/11/0007"},
    }
    return json.dumps(body | members).encode()


def signed(body: bytes, now: int = NOW, secret: bytes = SECRET) -> str:
    text = f"{now}.".encode() + body
    return f"t={now},v1={hmac.new(secret, text, hashlib.sha256).hexdigest()}"


def test_a_signed_record_is_taken() -> None:
    body = event()
    taken = check(signed(body), body, SECRET, NOW)
    assert isinstance(taken, RecordEvent)
    assert taken.id == "CASE-1:7"


@given(st.data())
def test_a_record_with_any_bit_changed_is_refused(data: st.DataObject) -> None:
    body = event()
    header = signed(body)
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    changed = bytearray(body)
    changed[bit // 8] ^= 1 << bit % 8
    refused = check(header, bytes(changed), SECRET, NOW)
    assert isinstance(refused, Refused)
    assert refused.status == HTTPStatus.UNAUTHORIZED


@given(st.one_of(st.none(), st.text(max_size=100)))
def test_no_made_up_header_is_believed_or_raises(header: str | None) -> None:
    assert isinstance(check(header, event(), SECRET, NOW), Refused)


def test_a_changed_time_breaks_the_signature() -> None:
    body = event()
    header = signed(body).replace(f"t={NOW}", f"t={NOW + 1}")
    assert isinstance(check(header, body, SECRET, NOW), Refused)


@pytest.mark.parametrize("age", [-MOST_AGE_S, MOST_AGE_S])
def test_a_signature_is_good_for_its_time(age: int) -> None:
    body = event()
    assert isinstance(check(signed(body), body, SECRET, NOW + age), RecordEvent)


@pytest.mark.parametrize("age", [-MOST_AGE_S - 1, MOST_AGE_S + 1])
def test_a_signature_out_of_its_time_is_refused(age: int) -> None:
    body = event()
    assert isinstance(check(signed(body), body, SECRET, NOW + age), Refused)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        event("CASE-1"),
        event(":7"),
        event("CASE-1:x"),
        event(type="id.siaga.case.opened.v1"),
        event(specversion="0.3"),
    ],
)
def test_a_signed_body_that_is_no_record_is_unprocessable(body: bytes) -> None:
    refused = check(signed(body), body, SECRET, NOW)
    assert isinstance(refused, Refused)
    assert refused.status == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "centre.sqlite")


@pytest.fixture
def centre(archive: Archive) -> DataCentre:
    return DataCentre(archive, SECRET)


@pytest.fixture
async def client(centre: DataCentre) -> AsyncIterator[httpx.AsyncClient]:
    stop = asyncio.Event()
    listener = listen(0)
    port = listener.getsockname()[1]
    running = asyncio.create_task(centre.run(listener, stop))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        yield client
    stop.set()
    await running


async def deliver(client: httpx.AsyncClient, body: bytes, header: str | None = None) -> int:
    headers = {"Siaga-Signature": header or signed(body, int(time.time()))}
    return (await client.post("/records", content=body, headers=headers)).status_code


async def test_a_delivery_is_on_disk_when_it_is_acknowledged(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    assert await deliver(client, event()) == HTTPStatus.CREATED
    again = Archive(tmp_path / "centre.sqlite")
    assert [record.id for record in again.records()] == ["CASE-1:7"]


async def test_a_repeated_delivery_is_acknowledged_and_stored_once(
    client: httpx.AsyncClient, archive: Archive
) -> None:
    await deliver(client, event())
    assert await deliver(client, event()) == HTTPStatus.OK
    assert [(record.id, record.deliveries) for record in archive.records()] == [("CASE-1:7", 2)]


async def test_a_later_version_of_a_case_is_a_record_of_its_own(
    client: httpx.AsyncClient, archive: Archive
) -> None:
    await deliver(client, event("CASE-1:7"))
    await deliver(client, event("CASE-1:9"))
    assert [(record.case, record.id) for record in archive.records()] == [
        ("CASE-1", "CASE-1:7"),
        ("CASE-1", "CASE-1:9"),
    ]


async def test_a_forged_delivery_leaves_no_record(
    client: httpx.AsyncClient, archive: Archive
) -> None:
    forged = signed(event(), int(time.time()), b"another secret")
    assert await deliver(client, event(), forged) == HTTPStatus.UNAUTHORIZED
    assert archive.records() == []


async def test_told_to_fail_it_stores_nothing_until_it_is_well_again(
    client: httpx.AsyncClient, centre: DataCentre, archive: Archive
) -> None:
    centre.fail_for(3600)
    assert await deliver(client, event()) == HTTPStatus.SERVICE_UNAVAILABLE
    assert archive.records() == []
    centre.fail_for(0)
    assert await deliver(client, event()) == HTTPStatus.CREATED


async def test_a_body_over_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    body = event(data={"remarks": "x" * MOST_BYTES})
    assert await deliver(client, body) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
