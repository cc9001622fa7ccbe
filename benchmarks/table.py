"""What one benchmark found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A claim, its measured figure, the limit measured in the same run, and their ratio."""

    claim: str
    measured: str
    limit: str
    ratio: str
