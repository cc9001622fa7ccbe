"""The way of a registered case to the data centre: at least once, signed, retried for ever.

The receiver acknowledges with any 2xx. It tells a repetition by the CloudEvent's id,
`{case}:{version}`, and a forgery by `Siaga-Signature`.
"""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Final

import httpx

from console_api import store
from console_api.executor import Database
from console_api.feed import Wakeup
from console_api.http.metrics import Metrics
from console_api.rules import Rules
from console_api.settings import DataCentreSettings
from console_api.store.views import OutboxItem

log: Final = logging.getLogger(__name__)
SIGNATURE: Final = "Siaga-Signature"
AT_A_TIME: Final = 4
# The longest sleep between looks at the outbox; a commit ends it earlier.
LOOK_AGAIN_S: Final = 1.0


def signature(secret: bytes, body: bytes, moment: int) -> str:
    """Sign a body: HMAC-SHA256 over `<unix seconds>.<body>`."""
    mac = hmac.new(secret, str(moment).encode() + b"." + body, hashlib.sha256)
    return f"t={moment},v1={mac.hexdigest()}"


class Sender:
    """Empties the outbox towards one data centre."""

    def __init__(
        self,
        settings: DataCentreSettings,
        *,
        secret: bytes,
        database: Database,
        committed: Wakeup,
        rules: Rules,
        metrics: Metrics,
        now: Callable[[], datetime],
        chance: Random,
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._database = database
        self._committed = committed
        self._rules = rules
        self._metrics = metrics
        self._now = now
        self._chance = chance

    async def run(self) -> None:
        """Send what is due until the console stops."""
        timeout = httpx.Timeout(self._settings.timeout_s)
        limits = httpx.Limits(max_connections=AT_A_TIME)
        async with httpx.AsyncClient(timeout=timeout, limits=limits) as client:
            while not self._committed.closed:
                rung = self._committed.rung
                due = await self._database.read(store.outbox_due, self._now(), limit=AT_A_TIME)
                if due:
                    await asyncio.gather(*(self._deliver(client, item) for item in due))
                else:
                    await self._committed.wait(rung, LOOK_AGAIN_S)

    async def _deliver(self, client: httpx.AsyncClient, item: OutboxItem) -> None:
        error = await self._send(client, item.body)
        now = self._now()
        if error is None:
            self._metrics.deliveries.labels("sent").inc()
            await self._database.write(store.outbox_sent, item.id, now, rules=self._rules)
            return
        self._metrics.deliveries.labels("failed").inc()
        wait = min(
            store.outbox_retry_s(item.attempts, self._chance.random()),
            self._settings.longest_wait_s,
        )
        log.warning("case %s is not at the data centre yet: %s", item.case, error)
        retry_at = now + timedelta(seconds=wait)
        await self._database.write(
            store.outbox_failed, item.id, error, retry_at, now, rules=self._rules
        )

    async def _send(self, client: httpx.AsyncClient, body: bytes) -> str | None:
        headers = {
            "content-type": "application/cloudevents+json",
            SIGNATURE: signature(self._secret, body, int(self._now().timestamp())),
        }
        try:
            # Only the status counts: a body, however long, is never read.
            async with (
                asyncio.timeout(self._settings.timeout_s),
                client.stream("POST", self._settings.url, content=body, headers=headers) as answer,
            ):
                if answer.is_success:
                    return None
                return f"it answered {answer.status_code} {answer.reason_phrase}"
        except TimeoutError:
            return f"no answer in {self._settings.timeout_s:g} s"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{type(error).__name__}: {error}"[:300]
