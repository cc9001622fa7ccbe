"""What keeps a running button going."""

import asyncio
from pathlib import Path

import pytest

from firmware.button import app as app_module
from firmware.button.app import App
from firmware.button.boards.host import HostBoard
from firmware.button.credentials import Credentials
from firmware.button.storage import Storage


async def test_time_goes_on_after_a_moment_without_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app_module, "_PAUSE_S", 0)
    credentials = Credentials("TRK-000123", bytes(32), 1)
    credentials.tls = False
    credentials.port = 1
    app = App(credentials, Storage(str(tmp_path)), HostBoard())
    asked: list[str] = []

    def deadline_ms() -> None:
        asked.append("deadline")
        if len(asked) == 1:
            raise MemoryError
        app.stop()

    monkeypatch.setattr(app.button, "deadline_ms", deadline_ms)
    async with asyncio.timeout(5):
        await app.run()
    assert len(asked) == 2
    assert "log fault, going on: MemoryError()" in capsys.readouterr().out
