"""Is everything as it was? Checks the log, what it adds up to, its anchors and the photos.

Finds any change of any byte in any row of the log, a row put in, taken out or moved, a case
or a register row that differs from what the events add up to, a gap in the register, and a
photo whose bytes changed. What it can't find is said in `console_api.store.anchor`.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DatabaseError

from console_api.store.check_chain import check_anchors, check_chain, check_guards
from console_api.store.check_projections import (
    check_photo,
    check_photo_rows,
    check_projections,
    photos_of,
)
from console_api.store.engine import open_engine, reading
from console_api.store.log import GENESIS, Head
from console_api.store.problem import Problem
from console_api.store.schema import events

Progress = Callable[[int, int], None]


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked and what is wrong; `head_hash` is the log's fingerprint, in hex."""

    events: int
    cases: int
    photos: int
    anchors: int
    head_seq: int
    head_hash: str
    problems: tuple[Problem, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(
    url: str,
    *,
    photos: Path,
    anchors: Path | None = None,
    progress: Progress | None = None,
) -> VerifyReport:
    """Check everything, also while the console runs.

    `photos` is the folder that photo files lie in, `anchors` the anchor file if there is
    one. `progress` is called with how many events and photos are done of how many.
    Raises `NotMigratedError`; a database that can't be read is a problem of the report.
    """
    engine = open_engine(url)
    run = _Run(photos, anchors, progress)
    try:
        with engine.connect() as connection, reading(connection):
            run.check(connection)
    except DatabaseError as error:
        run.problems.append(Problem("database", url, f"can't be read: {error.orig}"))
    finally:
        engine.dispose()
    return VerifyReport(
        events=run.events,
        cases=run.cases,
        photos=run.photos_done,
        anchors=run.anchors_done,
        head_seq=run.head.seq,
        head_hash=run.head.hash.hex(),
        problems=tuple(run.problems),
    )


class _Run:
    """One verification: what it has seen so far."""

    def __init__(self, photos: Path, anchors: Path | None, progress: Progress | None) -> None:
        self.photos = photos
        self.anchors = anchors
        self.progress = progress
        self.problems: list[Problem] = []
        self.events = self.cases = self.photos_done = self.anchors_done = 0
        self.head = Head(0, GENESIS)

    def check(self, connection: Connection) -> None:
        pictures = photos_of(connection)
        count = connection.execute(select(func.count()).select_from(events)).scalar_one()
        total = count + len(pictures)
        self.problems += check_guards(connection)
        for self.head, problem in check_chain(connection):
            self.problems += problem
            self.events += 1
            self._tell(self.events, total)
        anchored, problems = check_anchors(connection, self.anchors, self.head.seq)
        self.anchors_done = anchored
        self.problems += problems
        self.cases, problems = check_projections(connection)
        self.problems += problems
        self.problems += check_photo_rows(connection, pictures)
        for picture in pictures:
            self.problems += check_photo(self.photos, picture)
            self.photos_done += 1
            self._tell(self.events + self.photos_done, total)

    def _tell(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(done, total)
