"""Real programs under test: started, read line by line, killed, ended."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

ROOT = Path(__file__).resolve().parents[2]
Found = TypeVar("Found")


def until(look: Callable[[], Found | None], what: str, limit_s: float = 30.0) -> Found:
    """Look until there is something to see, or fail with what was waited for."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {limit_s:.0f} s for {what}")


class Program:
    """A child process whose standard output (with standard error) is kept as lines."""

    def __init__(
        self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = " ".join(str(part) for part in command[:4])
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def wait_for(self, pattern: str, limit_s: float = 30.0, after: int = 0) -> str:
        """Wait for a line that matches; `after` skips that many lines."""

        def look() -> str | None:
            return next((line for line in self.lines[after:] if re.search(pattern, line)), None)

        return self.until(look, f"'{pattern}'", limit_s)

    def until(self, look: Callable[[], Found | None], what: str, limit_s: float = 60.0) -> Found:
        """Look until there is something to see, or fail with what the program said last."""
        try:
            return until(look, f"{what} from {self.name}", limit_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said:\n" + "\n".join(self.lines[-40:])) from None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """Pull the plug."""
        self._process.kill()
        self.ended()

    def ended(self, limit_s: float = 20.0) -> int:
        """Wait for the end; the exit status, negative for a signal."""
        status = self._process.wait(limit_s)
        self._reader.join(limit_s)
        return status

    def stop(self) -> int:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self.ended()
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self.ended()
        finally:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))


def python(*arguments: str | Path) -> list[str | Path]:
    return [sys.executable, *arguments]


def siaga(*arguments: str | Path) -> list[str | Path]:
    return python("-m", "siaga.cli", *arguments)


def micropython(*arguments: str | Path) -> list[str | Path]:
    return [Path(sys.executable).with_name("micropython"), *arguments]
