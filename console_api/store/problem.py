"""What a verification finds."""

from typing import Literal

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing that is not as it was: what kind of thing, which one, and how."""

    kind: Literal["database", "log", "anchor", "case", "alarm", "register", "photo"]
    where: str
    problem: str
