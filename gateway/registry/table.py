"""Devices as CSV (RFC 4180), for spreadsheets; never a secret."""

import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO, TypeVar

from gateway.registry.errors import BadDeviceIdError, BadFieldError, TableError
from gateway.registry.fields import Profile, ProfileFields, check_device_id, check_profile
from gateway.registry.model import Category, Device, DeviceKind, DeviceStatus, Owner, Point

COLUMNS = (
    "id",
    "kind",
    "label",
    "address",
    "category",
    "lat",
    "lon",
    "owner_name",
    "owner_phone",
    "camera_url",
    "supervision_interval_s",
    "status",
)

_Word = TypeVar("_Word", bound=StrEnum)

# Excel in Indonesian writes 3,3 for 3.3.
_DEGREES = re.compile(r"[+-]?\d{1,3}(?:[.,]\d{1,15})?")
_SECONDS = re.compile(r"\d{1,9}")
# A spreadsheet runs a cell that begins like this as a formula, unless an apostrophe stands before.
_FORMULA = re.compile(r"'*[=+@\-]")
_GUARDED = re.compile(r"'+[=+@\-]")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One good row: what it sets, and the line of the file that it begins on."""

    line: int
    device_id: str
    fields: ProfileFields
    status: DeviceStatus | None


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row was refused; lines are counted from 1, the header's."""

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds."""

    rows: tuple[TableRow, ...]
    problems: tuple[RowProblem, ...]


def read_table(data: str | bytes) -> Table:
    """Read a file with a header line; comma or semicolon, UTF-8 with or without BOM.

    Columns that are left out stay as they are, or as usual for a new device; only `id` is needed.
    Raises TableError where there is no usable header.
    """
    records = _records(_decoded(data))
    header = _header(next(records, (1, []))[1])
    rows: dict[str, TableRow] = {}
    problems: list[RowProblem] = []
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        try:
            row = _row(line, header, cells)
            if row.device_id in rows:
                first = rows[row.device_id].line
                problems.append(RowProblem(line, "id", f"{row.device_id} is on line {first} too"))
            else:
                rows[row.device_id] = row
        except BadDeviceIdError as error:
            problems.append(RowProblem(line, "id", str(error)))
        except BadFieldError as error:
            problems.append(RowProblem(line, error.field, str(error)))
    return Table(tuple(rows.values()), tuple(problems))


def write_table(devices: Iterable[Device], out: TextIO) -> None:
    """Write a header and one row a device; open the file with `newline=""`."""
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for device in devices:
        at, owner = device.installed, device.owner
        writer.writerow(
            (
                device.id,
                device.kind.value,
                _guard(device.label),
                _guard(device.address),
                device.category.value,
                _decimal(at.lat) if at else "",
                _decimal(at.lon) if at else "",
                _guard(owner.name) if owner else "",
                _guard(owner.phone) if owner else "",
                device.camera_url or "",
                device.supervision_interval_s,
                device.status.value,
            )
        )


def _decoded(data: str | bytes) -> str:
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError(f"line {line} is not UTF-8: save it as CSV UTF-8") from None


def _records(text: str) -> Iterator[tuple[int, Sequence[str]]]:
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise TableError(f"line {line}: {error}") from None
        yield line, cells
        line = reader.line_num + 1


def _header(cells: Sequence[str]) -> Sequence[str]:
    names = [cell.strip().lower() for cell in cells]
    if "id" not in names:
        raise TableError(f"its first line must name the columns, of {', '.join(COLUMNS)}")
    for name in names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COLUMNS)}"
            raise TableError(f"unknown column {name!r}: {hint}")
        if names.count(name) > 1:
            raise TableError(f"column {name!r} stands there twice")
    return names


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> TableRow:
    if len(cells) > len(header):
        extra = cells[len(header)]
        raise BadFieldError(header[-1], extra, f"the row has more than {len(header)} cells")
    given = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
    device_id = check_device_id(given.get("id", ""))
    fields = _fields(given)
    check_profile(Profile(**fields))
    status = _word("status", DeviceStatus, given["status"]) if given.get("status") else None
    return TableRow(line, device_id, fields, status)


def _fields(given: Mapping[str, str]) -> ProfileFields:
    fields: ProfileFields = {}
    if given.get("kind"):
        fields["kind"] = _word("kind", DeviceKind, given["kind"])
    if given.get("category"):
        fields["category"] = _word("category", Category, given["category"])
    if "label" in given:
        fields["label"] = _unguard(given["label"])
    if "address" in given:
        fields["address"] = _unguard(given["address"])
    if "lat" in given or "lon" in given:
        fields["installed"] = _installed(given.get("lat", ""), given.get("lon", ""))
    if "owner_name" in given or "owner_phone" in given:
        name, phone = given.get("owner_name", ""), given.get("owner_phone", "")
        fields["owner"] = Owner(_unguard(name), _unguard(phone))
    if "camera_url" in given:
        fields["camera_url"] = given["camera_url"] or None
    if given.get("supervision_interval_s"):
        seconds = given["supervision_interval_s"]
        if not _SECONDS.fullmatch(seconds):
            raise BadFieldError("supervision_interval_s", seconds, "whole seconds, e.g. 900")
        fields["supervision_interval_s"] = int(seconds)
    return fields


def _installed(lat: str, lon: str) -> Point | None:
    if not lat and not lon:
        return None
    return Point(_degrees("lat", lat), _degrees("lon", lon))


def _degrees(column: str, text: str) -> float:
    if not _DEGREES.fullmatch(text):
        raise BadFieldError(column, text, "decimal degrees such as 3.3274, lat and lon together")
    return float(text.replace(",", "."))


def _decimal(degrees: float) -> str:
    return f"{degrees:.7f}".rstrip("0").rstrip(".")


def _word(column: str, words: type[_Word], text: str) -> _Word:
    try:
        return words(text.lower())
    except ValueError:
        raise BadFieldError(column, text, "one of " + ", ".join(words)) from None


def _guard(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _unguard(text: str) -> str:
    return text[1:] if _GUARDED.match(text) else text
