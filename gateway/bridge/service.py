"""The bridge as a whole: makes the parts, joins them, runs them until told to stop."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import structlog

from gateway.bridge.console import Console
from gateway.bridge.downlink import DownlinkSender
from gateway.bridge.errors import JournalError, StartError
from gateway.bridge.forward import BulkSource, Lane, LaneSettings, UrgentSource, encoder
from gateway.bridge.health import HealthServer
from gateway.bridge.journal import Journal, QuarantineLimits
from gateway.bridge.metrics import Metrics
from gateway.bridge.mqtt import Link, LinkSettings, Session
from gateway.bridge.notices import NoticeReader
from gateway.bridge.overseer import Overseer
from gateway.bridge.pipeline import Pipeline
from gateway.bridge.repeater import Repeater
from gateway.bridge.settings import BridgeSettings
from gateway.bridge.transaction import Transaction
from gateway.registry.cached import CachedDirectory
from gateway.registry.errors import RegistryError
from gateway.registry.model import Point
from gateway.registry.registry import Registry

_URGENT_BATCH: Final = 100  # short requests: an alarm waits for at most one
_URGENT_RETRY_S: Final = 2.0
_COPY_LOG_EVERY_S: Final = 0.5
_NOWHERE: Final = Point(0.0, 0.0)


def _now_ms() -> int:
    return time.time_ns() // 10**6


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a test may put in another's place."""

    open_journal: Callable[[Path, QuarantineLimits], Journal] = Journal
    now_ms: Callable[[], int] = _now_ms
    started: Callable[["Bridge"], None] = lambda _: None


async def run(settings: BridgeSettings, stop: asyncio.Event, parts: Parts | None = None) -> None:
    """Run a bridge until `stop` is set.

    Raises StartError, JournalError, JournalVersionError or RegistryError when it can't begin.
    Afterwards whatever fails is logged in one line and tried again.
    """
    parts = parts or Parts()
    key = _read(settings.deployment_key_file)
    registry = Registry.open(settings.registry_url, key)
    try:
        journal = parts.open_journal(
            Path(settings.journal),
            QuarantineLimits(settings.quarantine_rows, settings.quarantine_bytes),
        )
        try:
            bridge = Bridge(settings, CachedDirectory(registry), journal, parts.now_ms)
            parts.started(bridge)
            await bridge.run(stop)
        finally:
            journal.close()
    finally:
        registry.close()


class Bridge:
    """All parts of one bridge, joined."""

    def __init__(
        self,
        settings: BridgeSettings,
        directory: CachedDirectory,
        journal: Journal,
        now_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._directory = directory
        self.journal = journal
        self._log = structlog.get_logger()
        self._journal_works = True
        self._registry_works = True
        self.metrics = Metrics()
        self.pipeline = Pipeline(journal, directory, self, now_ms, gather_s=settings.gather_s)
        self.downlink = DownlinkSender(
            self.pipeline, directory, journal.states.get, settings.mqtt_prefix, now_ms
        )
        prefix = f"{settings.mqtt_prefix}/+"
        self.alarms = Link(
            _link_settings(settings, "alarm", settings.alarm_window),
            (f"{prefix}/alarm", f"{prefix}/track"),
            self.pipeline.alarm_arrived,
            self.downlink.connected,
        )
        self.statuses = Link(
            _link_settings(settings, "bulk", settings.bulk_window),
            (f"{prefix}/status",),
            self.pipeline.bulk_arrived,
            self._listening,
        )
        self.overseer = Overseer(
            journal, self.pipeline, directory, lambda: self.statuses.is_up, now_ms
        )
        self._consoles = [_console(settings) for _ in range(3)]
        encode = encoder(settings.gateway_id, directory)
        self.urgent_lane = Lane(
            LaneSettings(
                name="alarm",
                batch=_URGENT_BATCH,
                longest_delay_s=min(_URGENT_RETRY_S, settings.longest_retry_s),
            ),
            UrgentSource(journal),
            self._consoles[0],
            self.pipeline,
            encode,
        )
        self.bulk_lane = Lane(
            LaneSettings(
                name="bulk",
                interval_s=settings.bulk_interval_s,
                request_s=settings.bulk_request_s,
                longest_delay_s=settings.longest_retry_s,
            ),
            BulkSource(journal),
            self._consoles[1],
            self.pipeline,
            encode,
        )
        self.notices = NoticeReader(
            self._consoles[2],
            journal,
            self.pipeline,
            wait_s=settings.notice_wait_s,
            longest_delay_s=settings.longest_retry_s,
            now_ms=now_ms,
        )
        self._now_ms = now_ms
        self._repeater = Repeater(self.pipeline)
        self.health = HealthServer(self.problems, self.metrics.text)
        self._watch_figures()

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set."""
        await self._start_health()
        self.downlink.add(self.journal.downlink())
        try:
            async with asyncio.TaskGroup() as group:
                runs = (
                    self.pipeline.run(),
                    self.alarms.run(),
                    self.statuses.run(),
                    self.downlink.run(),
                    self.urgent_lane.run(),
                    self.bulk_lane.run(),
                    self.notices.run(),
                    self._repeater.run(),
                    self.overseer.run(),
                    self._refresh_directory(),
                    self._copy_log(),
                )
                tasks = [group.create_task(one) for one in runs]
                await stop.wait()
                for task in tasks:
                    task.cancel()
        finally:
            await self.health.close()
            for console in self._consoles:
                await console.close()

    def problems(self) -> list[str]:
        """Say what keeps the bridge from doing its work; the console being down does not."""
        checks = (
            (self.alarms.is_up, "broker: no connection for alarms"),
            (self.statuses.is_up, "broker: no connection for statuses"),
            (self._journal_works, "journal or registry: nothing can be stored"),
        )
        return [problem for works, problem in checks if not works]

    def committed(self, transaction: Transaction) -> None:
        """Pass on what is on disk now."""
        if transaction.downlinks:
            self.downlink.add(transaction.downlinks)
        if transaction.touched_urgent:
            self.urgent_lane.wake()
        if transaction.touched_bulk:
            self.bulk_lane.wake()
        self.overseer.heard(transaction.staged)

    def counted(self, word: str, count: int) -> None:
        """Count messages."""
        self.metrics.counted(word, count)

    def journal_took(self, seconds: float) -> None:
        """Count a commit."""
        self.metrics.journal_took(seconds)

    def journal_works(self, *, works: bool) -> None:
        """Learn whether anything can be stored."""
        self._journal_works = works

    def _listening(self, session: Session) -> None:
        self.overseer.listening()
        if not session.session_present:
            self._repeater.forgotten(self._now_ms())

    async def _refresh_directory(self) -> None:
        """Keep the directory true: what is revoked is refused within a second."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                if await loop.run_in_executor(None, self._directory.refresh):
                    await loop.run_in_executor(None, self._directory.area, _NOWHERE)
                if not self._registry_works:
                    self._log.info("registry can be read again")
                self._registry_works = True
            except RegistryError as error:
                if self._registry_works:
                    self._log.warning("registry can't be read; going by the last", why=str(error))
                self._registry_works = False
            await asyncio.sleep(self._settings.directory_interval_s)

    async def _copy_log(self) -> None:
        """Keep the journal's log short without making a commit wait."""
        while True:
            await asyncio.sleep(_COPY_LOG_EVERY_S)
            # A journal that fails here fails the next commit, which says so and retries.
            with contextlib.suppress(JournalError):
                await asyncio.get_running_loop().run_in_executor(None, self.journal.checkpoint)

    async def _start_health(self) -> None:
        settings = self._settings
        if settings.http_port is None:
            return
        try:
            await self.health.start(settings.http_host, settings.http_port)
        except OSError as error:
            where = f"{settings.http_host}:{settings.http_port}"
            why = error.strerror or str(error)
            raise StartError(where, why, "choose another http_port") from None

    def _watch_figures(self) -> None:
        watch = self.metrics.watch
        for at, lane in enumerate(("urgent", "bulk", "heartbeats")):
            watch(
                f"backlog_{lane}",
                f"Events of the lane {lane} that wait for the console",
                partial(self._backlog, at),
            )
        watch(
            "downlink_owed",
            "Receipts and commands not yet at the broker",
            lambda: self.downlink.owed,
        )
        watch("alarm_link_up", "1 while alarms can arrive", lambda: self.alarms.is_up)
        watch("bulk_link_up", "1 while statuses can arrive", lambda: self.statuses.is_up)
        watch(
            "console_up",
            "1 while the console takes alarms",
            lambda: self.urgent_lane.is_up is not False,
        )

    def _backlog(self, at: int) -> int:
        return self.journal.backlog()[at]


def _link_settings(settings: BridgeSettings, name: str, window: int) -> LinkSettings:
    password = None
    if settings.mqtt_password_file is not None:
        password = _read(settings.mqtt_password_file).decode().strip()
    return LinkSettings(
        client_id=f"{settings.gateway_id}-{name}",
        host=settings.mqtt_host,
        port=settings.mqtt_port,
        tls=_tls(settings.mqtt_ca_file) if settings.mqtt_tls else None,
        username=settings.mqtt_username,
        password=password,
        receive_maximum=window,
        keepalive_s=settings.mqtt_keepalive_s,
    )


def _console(settings: BridgeSettings) -> Console:
    tls = _tls(settings.console_ca_file) if settings.console_url.startswith("https:") else None
    token = _read(settings.console_token_file).decode().strip()
    return Console(settings.console_url, token, timeout_s=settings.console_timeout_s, tls=tls)


def _tls(ca_file: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = error.strerror or str(error)
        raise StartError(str(ca_file), why, "give a file of CA certificates in PEM") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise StartError(path, why, "create it, or let this account read it") from None
