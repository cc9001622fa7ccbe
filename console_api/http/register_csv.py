"""The register as CSV (RFC 4180): one row a case, times in UTC."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from console_api.cycle.model import Marks
from console_api.store.views import RegisterRow

MARKS: Final = tuple(Marks.__struct_fields__)
CLOCKS: Final = range(1, 8)
# A spreadsheet runs a cell that begins like this as a formula (OWASP: CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
COLUMNS: Final = (
    *("register_number", "case", "version", "state", "drill", "silent"),
    *(f"{mark}_at" for mark in MARKS),
    *(f"clock_{clock}_{part}" for clock in CLOCKS for part in ("elapsed_s", "state")),
    *("device", "device_label", "category", "area_code", "kelurahan", "kecamatan", "address"),
    *("lat", "lon", "operator", "unit", "actions_taken", "outcome"),
    *("dead", "injured", "evacuated", "dismiss_reason", "merged_from", "photos", "remarks"),
)


def register_csv(rows: Iterable[RegisterRow]) -> bytes:
    """Return the rows with a head line, in UTF-8 with the mark that spreadsheets look for."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in _values(row).items()})
    return text.getvalue().encode("utf-8-sig")


def _values(row: RegisterRow) -> dict[str, object]:
    values: dict[str, object] = {
        name: getattr(row, name) for name in COLUMNS if name in row.__struct_fields__
    }
    values |= {f"{mark}_at": getattr(row.marks, mark) for mark in MARKS}
    for clock in row.clocks:
        values[f"clock_{clock.clock}_elapsed_s"] = clock.elapsed_s
        values[f"clock_{clock.clock}_state"] = clock.state
    if row.area is not None:
        values["area_code"] = row.area.code
        values["kelurahan"], values["kecamatan"] = row.area.kelurahan, row.area.kecamatan
    if row.position is not None:
        values["lat"], values["lon"] = row.position.lat, row.position.lon
    if row.casualties is not None:
        values |= msgspec.structs.asdict(row.casualties)
    return values


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return str(msgspec.to_builtins(value))
    if isinstance(value, tuple):
        return " ".join(str(item) for item in value)
    text = str(value)
    if isinstance(value, str) and text.startswith(_FORMULA):
        return f"'{text}"
    return text
