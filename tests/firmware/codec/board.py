"""Runs a script on the real MicroPython, with a heap like a board's."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def run_on_micropython(
    script: Path, *arguments: str, stdin: str = "", heap: str = "160k"
) -> list[str]:
    """Return the lines that the script printed; it must end by itself and without a traceback."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("micropython"),
            "-X",
            f"heapsize={heap}",
            script,
            *arguments,
        ],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"},
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout.splitlines()
