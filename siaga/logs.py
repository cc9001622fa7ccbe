"""Where log lines go: standard error for a part, a file beside a live table."""

import logging
import sys
from pathlib import Path
from typing import TextIO

import structlog


def log_to_stderr() -> None:
    """Keep standard output for results."""
    _configure(sys.stderr, colours=sys.stderr.isatty())


def log_to_file(path: Path) -> None:
    """Append to a file, so that a live table on the terminal stays whole."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _configure(path.open("a", encoding="utf-8", buffering=1), colours=False)


def _configure(file: TextIO, *, colours: bool) -> None:
    logging.basicConfig(
        stream=file, level=logging.WARNING, format="%(asctime)s %(message)s", force=True
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=colours),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=file),
    )
