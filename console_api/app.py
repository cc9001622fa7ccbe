"""The console put together: its parts, its routes, and what runs beside the requests."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from litestar import Litestar
from litestar.datastructures import State
from sqlalchemy import Engine

from console_api import store
from console_api.accounts.passwords import Passwords
from console_api.accounts.throttle import Throttle
from console_api.data_centre import Sender
from console_api.executor import Database
from console_api.feed import Feed, Wakeup
from console_api.http.context import Console, Places
from console_api.http.edge import Application
from console_api.http.errors import answer_problem
from console_api.http.metrics import Metrics
from console_api.http.routes import (
    cases,
    devices,
    gateways,
    people,
    photos,
    records,
    roots,
    sessions,
    streams,
    units,
)
from console_api.photos import PhotoFolder
from console_api.rules import CLOCKS, ESCALATIONS, Rules
from console_api.settings import ConsoleSettings, DataCentreSettings
from console_api.store.anchor import write_anchor
from console_api.store.engine import open_engine

log: Final = logging.getLogger(__name__)
TICK_S: Final = 1.0
ANCHOR_S: Final = 3600.0
# Argon2id and photo decoding take 64 to 200 MB each: two at a time bound the memory.
LABOURERS: Final = 2
AGAIN_S: Final = 1.0
Work = Callable[[], Coroutine[None, None, None]]


def create_app(
    settings: ConsoleSettings,
    *,
    now: Callable[[], datetime] | None = None,
    passwords: Passwords | None = None,
) -> Litestar:
    """Return the console over its database.

    Raises NotMigratedError if the database is not at this version's schema, OSError if the
    data centre's secret cannot be read.
    """
    rules = rules_of(settings)
    # Read before anything is opened that would have to be closed again.
    secret = Path(settings.data_centre.secret_file).read_bytes() if settings.data_centre else b""
    database = Database(_open(settings, rules))
    committed = Wakeup()
    database.on_commit(committed.ring)
    console = Console(
        settings=settings,
        rules=rules,
        database=database,
        committed=committed,
        feed=Feed(database, committed),
        photos=PhotoFolder(Path(settings.photos_dir)),
        passwords=passwords or Passwords(),
        throttle=Throttle(),
        labour=ThreadPoolExecutor(LABOURERS, thread_name_prefix="console-labour"),
        metrics=Metrics(),
        waiters=Places(settings.limits.notice_waiters, "waiting gateways"),
        streams=Places(settings.limits.stream_clients, "streams"),
        now=now or _present,
    )
    beside: list[Work] = [console.feed.run, lambda: _tick(console)]
    if settings.anchors_file is not None:
        anchors = Path(settings.anchors_file)
        beside.append(lambda: _anchor(console, anchors))
    if settings.data_centre is not None:
        beside.append(_sender(console, settings.data_centre, secret).run)
    return Application(
        route_handlers=[
            *(sessions.log_in, sessions.show, sessions.log_out),
            *(gateways.post_events, gateways.list_notices),
            *(cases.list_cases, cases.show_case, cases.propose_units, *cases.ACTS),
            *(photos.add_photo, photos.show_photo, streams.stream),
            *(units.list_units, units.show_unit, units.add_unit),
            *(units.change_unit, units.move_unit),
            *(devices.list_devices, devices.show_device, devices.command_device),
            *(records.show_register, records.show_register_json, records.show_register_csv),
            *(records.report_clocks, records.list_audit),
            *(people.list_users, people.add_user, people.change_user),
            *(roots.health, roots.ready, roots.metrics, roots.openapi, roots.docs),
        ],
        state=State({"console": console}),
        exception_handlers={Exception: answer_problem},
        lifespan=[lambda _: _running(console, beside)],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
        debug=False,
    )


def rules_of(settings: ConsoleSettings) -> Rules:
    """Return the cycle's rules with this deployment's standards and waits."""
    standards = settings.clocks
    seconds = {
        1: standards.pressed_to_received_s,
        2: standards.received_to_dispatched_s,
        3: standards.dispatched_to_arrived_s,
        4: standards.cleared_to_reported_s,
        5: standards.reported_to_updated_s,
        6: standards.updated_to_registered_s,
        7: standards.registered_to_closed_s,
    }
    waits = {
        "louder": settings.escalation.unopened_louder_s,
        "supervisors": settings.escalation.unopened_supervisors_s,
        "propose": settings.escalation.unaccepted_propose_s,
    }
    replace = msgspec.structs.replace
    return Rules(
        zone=settings.time_zone,
        clocks=tuple(replace(clock, standard_s=seconds[clock.clock]) for clock in CLOCKS),
        yellow_share=settings.escalation.yellow_share,
        escalations=tuple(replace(rule, after_s=waits[rule.level]) for rule in ESCALATIONS),
    )


def stop_waiting(app: Litestar) -> None:
    """End long polls and streams, so that a stopping server need not wait for them."""
    console: Console = app.state.console
    console.committed.close()
    console.feed.grown.close()


@asynccontextmanager
async def _running(console: Console, beside: list[Work]) -> AsyncIterator[None]:
    await console.feed.start()
    tasks = [asyncio.create_task(_keep_going(console, work)) for work in beside]
    try:
        yield
    finally:
        console.committed.close()
        console.feed.grown.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        console.labour.shutdown()
        console.database.close()


async def _keep_going(console: Console, work: Work) -> None:
    """Run what must never end: a fault is logged, counted and begun again after."""
    while not console.committed.closed:
        try:
            await work()
        except Exception:
            console.metrics.faults.inc()
            log.exception("a part of the console failed and begins again")
            await asyncio.sleep(AGAIN_S)


async def _tick(console: Console) -> None:
    """Let escalations and breaches happen within a second of their moment."""
    while not console.committed.closed:
        if await console.database.write_quietly(store.tick, console.now(), rules=console.rules):
            console.committed.ring()
        await asyncio.sleep(TICK_S)


async def _anchor(console: Console, file: Path) -> None:
    """Put the log's head on record outside of the database: at the start, and each hour."""
    while not console.committed.closed:
        await console.database.read(write_anchor, file, console.now())
        await asyncio.sleep(ANCHOR_S)


def _open(settings: ConsoleSettings, rules: Rules) -> Engine:
    engine = open_engine(settings.database)
    try:
        with engine.connect() as connection:
            store.reschedule(connection, rules)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _present() -> datetime:
    return datetime.now(UTC)


def _sender(console: Console, settings: DataCentreSettings, secret: bytes) -> Sender:
    return Sender(
        settings,
        secret=secret,
        database=console.database,
        committed=console.committed,
        rules=console.rules,
        metrics=console.metrics,
        now=console.now,
        chance=random.SystemRandom(),
    )
