"""Parts as child processes: started, watched, started again, ended in order.

Each part is a process of its own so that one that dies takes nothing with it, and so that the
gateway and the console don't share an interpreter lock.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from siaga.errors import PartFailedError

START_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
# A part that ran this long was well: its next end starts again from the first pause.
WELL_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class Part:
    """A program to keep running, and how to see that it answers."""

    name: str
    description: str
    command: Sequence[str]
    log: Path
    answers: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)


class Child:
    """One running part."""

    def __init__(self, part: Part, say: Callable[[str], None]) -> None:
        self.part = part
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def start(self) -> None:
        """Start the part and wait until it answers.

        Raises:
            PartFailedError: it ended or did not answer within `START_LIMIT_S`.

        """
        process = await self._spawn()
        deadline = asyncio.get_running_loop().time() + START_LIMIT_S
        while not await self.part.answers():
            if process.returncode is not None:
                raise PartFailedError(self.part.name, _last_line(self.part.log), self.part.log)
            if asyncio.get_running_loop().time() > deadline:
                raise PartFailedError(
                    self.part.name, f"no answer in {START_LIMIT_S:.0f} s", self.part.log
                )
            await asyncio.sleep(0.05)

    async def keep(self) -> None:
        """Start the part again whenever it ends, with growing pauses, until `stop`."""
        clock = asyncio.get_running_loop().time
        pause = FIRST_PAUSE_S
        while self._process is not None:
            started = clock()
            status = await self._process.wait()
            if self._stopping:
                return
            if clock() - started > WELL_AFTER_S:
                pause = FIRST_PAUSE_S
            self._say(f"{self.part.name} ended ({_ending(status)}); starting it again")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
            if not self._stopping:
                await self._spawn()

    async def stop(self) -> None:
        """End the part: politely, then after `STOP_LIMIT_S` for sure."""
        self._stopping = True
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_LIMIT_S)
        except TimeoutError:
            self._say(f"{self.part.name} did not end in {STOP_LIMIT_S:.0f} s; killing it")
            self._process.kill()
            await self._process.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        self.part.log.parent.mkdir(parents=True, exist_ok=True)
        with self.part.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.part.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.part.environment),
                # Ctrl-C at the terminal must reach the parent only: it ends them in order.
                start_new_session=True,
            )
        return self._process


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "it ended at once and said nothing"


def _ending(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit code {status}"
