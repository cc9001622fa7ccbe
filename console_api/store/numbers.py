"""Register numbers: `AK/2026/11/0007`, without gaps, per series and month.

The month is that of the entry into the register, in the city's zone; drills have a
series of their own. A number is drawn and used in one transaction, so that none is
lost and none given twice.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, func, insert, select

from console_api.errors import InvalidInputError
from console_api.rules import Rules
from console_api.store.schema import register


class RegisterNumber(msgspec.Struct, frozen=True):
    """A register number in its parts; `month` is `2026-11`."""

    series: str
    month: str
    position: int

    def __str__(self) -> str:
        """Write it as it stands on paper."""
        return f"{self.series}/{self.month.replace('-', '/')}/{self.position:04d}"

    @classmethod
    def parse(cls, text: str) -> "RegisterNumber":
        """Read a number; raises `InvalidInputError` if it is none."""
        parts = text.split("/")
        if len(parts) != 4 or not parts[3].isdecimal():
            raise InvalidInputError("register number", f"{text!r} is not like AK/2026/11/0007")
        return cls(parts[0], f"{parts[1]}-{parts[2]}", int(parts[3]))


def draw(connection: Connection, now: datetime, rules: Rules, *, drill: bool) -> RegisterNumber:
    """Return the next free number; it is taken once `enter` is called."""
    series = rules.drill_series if drill else rules.register_series
    month = now.astimezone(ZoneInfo(rules.zone)).strftime("%Y-%m")
    latest = connection.execute(
        select(func.max(register.c.position)).where(
            register.c.series == series, register.c.month == month
        )
    ).scalar_one()
    return RegisterNumber(series, month, (latest or 0) + 1)


def enter(connection: Connection, number: RegisterNumber, case_id: str) -> None:
    """Take a number for a case."""
    connection.execute(
        insert(register).values(
            number=str(number),
            series=number.series,
            month=number.month,
            position=number.position,
            case_id=case_id,
        )
    )
