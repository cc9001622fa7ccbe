"""Checking what is kept for reading against what the events add up to."""

from collections import defaultdict
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from console_api.cycle.events import Photographed
from console_api.cycle.evolve import evolve
from console_api.cycle.model import Case, State
from console_api.errors import InvalidInputError, LogCorruptError
from console_api.rules import RULES
from console_api.store.log import case_events, read_event
from console_api.store.numbers import RegisterNumber
from console_api.store.problem import Problem
from console_api.store.projection import columns, photo_view
from console_api.store.schema import alarms, cases, events, photos, register
from console_api.store.views import PhotoView

# When a case is looked at next follows from the deployment's rules, not from its events.
_NOT_FROM_EVENTS = frozenset({"due_ms"})


def check_projections(connection: Connection) -> tuple[int, list[Problem]]:
    """Check cases, alarms and the register; returns how many cases there are."""
    problems: list[Problem] = []
    numbers: dict[str, str] = {}
    homes: dict[str, str] = {}
    rows = connection.execute(select(cases).order_by(cases.c.number)).all()
    stored = {row.id: row._mapping for row in rows}  # noqa: SLF001 - SQLAlchemy's public name for it
    logged = {
        row.case_id
        for row in connection.execute(
            select(events.c.case_id).where(events.c.case_id.is_not(None)).distinct()
        )
    }
    problems += [
        Problem("case", case_id, "is in the log and not among the cases")
        for case_id in sorted(logged - stored.keys())
    ]
    for case_id, row in stored.items():
        try:
            case = _fold(connection, case_id)
        except (LogCorruptError, ValueError, TypeError) as error:
            problems.append(Problem("case", case_id, f"its events don't add up: {error}"))
            continue
        problems += [
            Problem("case", case_id, f"{name} differs from what its events add up to")
            for name, value in columns(case, RULES).items()
            if name not in _NOT_FROM_EVENTS and row[name] != value
        ]
        if case.register_number is not None:
            numbers[case_id] = case.register_number
        if case.state is not State.MERGED:
            homes.update({alarm.id: case.id for alarm in case.alarms})
    problems += _check_alarms(connection, homes)
    problems += _check_register(connection, numbers)
    return len(stored), problems


def photos_of(connection: Connection) -> list[PhotoView]:
    """Return every photo as its event in the log describes it."""
    kind = Photographed.__struct_config__.tag
    rows = connection.execute(
        select(events).where(events.c.kind == kind).order_by(events.c.seq)
    ).all()
    found = []
    for row in rows:
        try:
            event = read_event(row)
        except LogCorruptError:
            continue  # the chain and its case report it
        if isinstance(event.body, Photographed):
            found.append(photo_view(row.case_id, event, event.body))
    return found


def check_photo(folder: Path, photo: PhotoView) -> list[Problem]:
    """Check that a photo's file has the bytes that were attached."""
    path = (folder / photo.file).resolve()
    if not path.is_relative_to(folder.resolve()):
        return [Problem("photo", photo.id, f"{photo.file} lies outside of the photo folder")]
    try:
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return [Problem("photo", photo.id, f"{photo.file} can't be read: {error.strerror}")]
    if digest != photo.sha256:
        return [Problem("photo", photo.id, f"{photo.file} is not the file that was attached")]
    return []


def _fold(connection: Connection, case_id: str) -> Case:
    case: Case | None = None
    for _seq, event in case_events(connection, case_id):
        case = evolve(case, event)
    if case is None:
        raise ValueError("there are none")
    if case.id != case_id:
        raise ValueError(f"they are those of {case.id}")
    return case


def _check_alarms(connection: Connection, homes: dict[str, str]) -> Iterator[Problem]:
    stored = {
        row.id: row.case_id for row in connection.execute(select(alarms.c.id, alarms.c.case_id))
    }
    for alarm in sorted(homes.keys() | stored.keys()):
        if homes.get(alarm) != stored.get(alarm):
            yield Problem(
                "alarm", alarm, f"belongs to {homes.get(alarm)} and leads to {stored.get(alarm)}"
            )


def _check_register(connection: Connection, numbers: dict[str, str]) -> Iterator[Problem]:
    stored = {row.case_id: row for row in connection.execute(select(register))}
    for case_id in sorted(numbers.keys() | stored.keys()):
        row = stored.get(case_id)
        if row is None or row.number != numbers.get(case_id):
            has = None if row is None else row.number
            yield Problem(
                "register", case_id, f"is {numbers.get(case_id)} in the log, {has} in the register"
            )
    positions: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for case_id, number in numbers.items():
        try:
            parts = RegisterNumber.parse(number)
        except InvalidInputError:
            yield Problem("register", case_id, f"{number} is no register number")
            continue
        positions[parts.series, parts.month].add(parts.position)
    for (series, month), found in sorted(positions.items()):
        gaps = sorted(set(range(1, max(found) + 1)) - found)
        if gaps:
            yield Problem("register", f"{series} {month}", f"numbers missing: {gaps}")
    counted = sum(len(found) for found in positions.values())
    if counted < len(numbers):
        yield Problem("register", "numbers", "a number was given twice")


def check_photo_rows(connection: Connection, found: list[PhotoView]) -> Iterator[Problem]:
    """Check that the photos kept for reading are those of the log."""
    stored = {row.id: row.data for row in connection.execute(select(photos))}
    for photo in found:
        if stored.pop(photo.id, None) != msgspec.json.encode(photo).decode():
            yield Problem("photo", photo.id, "differs from what its event says")
    for photo_id in sorted(stored):
        yield Problem("photo", photo_id, "is not in the log")
