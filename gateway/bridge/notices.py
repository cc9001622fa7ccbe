"""The way back: the console's notices become receipts and commands (docs/protocol.md §5)."""

import asyncio
import random
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from gateway.bridge.console import Console, Notice, Notices
from gateway.bridge.errors import ConsoleError, JournalError
from gateway.bridge.journal import Journal
from gateway.bridge.ladder import rise
from gateway.bridge.pipeline import Pipeline
from gateway.bridge.transaction import Transaction
from gateway.bridge.wire import UINT_LIMIT, Command, Stage

_FIRST_DELAY_S: Final = 0.2
_IDENTITY: Final = re.compile(r"(?P<device>[A-Z0-9-]{3,24}):(?P<boot>\d{1,16}):(?P<seq>\d{1,16})")


class NoticeReader:
    """Polls the console for ever; what a notice asks for is stored with its cursor."""

    def __init__(
        self,
        console: Console,
        journal: Journal,
        pipeline: Pipeline,
        *,
        wait_s: int,
        longest_delay_s: float,
        now_ms: Callable[[], int],
    ) -> None:
        self._console = console
        self._pipeline = pipeline
        self._cursor = journal.notice_cursor()
        self._wait_s = wait_s
        self._longest_delay_s = longest_delay_s
        self._now_ms = now_ms
        self._log = structlog.get_logger()
        self.is_up: bool | None = None

    async def run(self) -> None:
        """Read until cancelled."""
        delay_s = _FIRST_DELAY_S
        while True:
            try:
                await self._read_once()
                delay_s = _FIRST_DELAY_S
                if self.is_up is False:
                    self._log.info("console gives notices again")
                self.is_up = True
            except (ConsoleError, JournalError) as error:
                if self.is_up is not False:
                    self._log.warning("no notices from the console; asking again", why=str(error))
                self.is_up = False
                await asyncio.sleep(delay_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
                delay_s = min(2 * delay_s, self._longest_delay_s)

    async def _read_once(self) -> None:
        found: Notices = await self._console.notices(self._cursor, self._wait_s)
        cursor = found.cursor
        if cursor is None and found.notices:
            cursor = found.notices[-1].cursor
        if cursor is None or (cursor == self._cursor and not found.notices):
            # A console that answers at once with nothing must not be asked in a tight loop.
            await asyncio.sleep(0 if self._wait_s else _FIRST_DELAY_S)
            return
        strange = await self._pipeline.write(
            partial(apply_notices, notices=found.notices, cursor=cursor, now_ms=self._now_ms())
        )
        self._cursor = cursor
        if strange:
            self._log.warning("console sent notices that this version can't follow", count=strange)


def apply_notices(
    transaction: Transaction, notices: Sequence[Notice], cursor: str, now_ms: int
) -> int:
    """Store what the notices ask for, and the cursor; returns how many made no sense."""
    strange = sum(not _apply(transaction, notice, now_ms) for notice in notices)
    transaction.set_notice_cursor(cursor)
    return strange


def _apply(transaction: Transaction, notice: Notice, now_ms: int) -> bool:
    if notice.kind == "receipt":
        return _apply_receipt(transaction, notice, now_ms)
    if notice.kind == "command":
        return _apply_command(transaction, notice)
    return False


def _apply_receipt(transaction: Transaction, notice: Notice, now_ms: int) -> bool:
    match = _IDENTITY.fullmatch(notice.ref or "")
    stage = Stage.__members__.get((notice.stage or "").upper())
    if match is None or stage is None or match["device"] != notice.device:
        return False
    ref = int(match["boot"]), int(match["seq"])
    if max(ref) > UINT_LIMIT:
        return False
    rise(transaction, notice.device, ref, stage, now_ms)
    return True


def _apply_command(transaction: Transaction, notice: Notice) -> bool:
    command = Command.__members__.get((notice.command or "").upper())
    try:
        expires = datetime.fromisoformat(notice.expires or "")
    except ValueError:
        return False
    if command is None or expires.tzinfo is None:
        return False
    transaction.add_command(notice.device, command, notice.args, int(expires.timestamp()))
    return True
