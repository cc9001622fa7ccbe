"""Made-up words for a city: streets, sites, people nobody could mistake for real ones."""

from random import Random
from typing import Final

STREETS: Final = (
    "Jalan Anggrek",
    "Jalan Bahari",
    "Jalan Cemara",
    "Jalan Damai",
    "Jalan Enau",
    "Jalan Flamboyan",
    "Jalan Gelatik",
    "Jalan Hasanuddin",
    "Jalan Kartini",
    "Jalan Kenanga",
    "Jalan Layang",
    "Jalan Mangga",
    "Jalan Melati",
    "Jalan Merpati",
    "Jalan Nelayan",
    "Jalan Pahlawan",
    "Jalan Pelita",
    "Jalan Rambutan",
    "Jalan Sejahtera",
    "Jalan Tanjung",
)
SITES: Final = (
    "Pos Ronda",
    "Halte",
    "Pasar",
    "Puskesmas",
    "Sekolah Dasar",
    "Taman",
    "Dermaga",
    "Masjid",
    "Gereja",
    "Lapangan",
    "Balai Warga",
    "Terminal",
)
FIRST_NAMES: Final = ("Andi", "Budi", "Citra", "Dewi", "Eko", "Fitri", "Hadi", "Intan", "Joko")


def address(chance: Random, district: str | None) -> str:
    """Return a street address as it is written in Indonesia."""
    street = chance.choice(STREETS)
    line = f"{street} No. {chance.randint(1, 180)}, RT {chance.randint(1, 30):02d}"
    return line if district is None else f"{line}, {district}"


def site_label(chance: Random, number: int) -> str:
    """Return what a street button's site is called."""
    return f"{chance.choice(SITES)} {number}"


def person(chance: Random, number: int) -> str:
    """Return the name of somebody who does not exist: "Contoh" is Indonesian for "example"."""
    return f"{chance.choice(FIRST_NAMES)} Contoh {number}"


def telephone(number: int) -> str:
    """Return a number that cannot be dialled: no Indonesian area or network code begins with 0."""
    return f"+62 000 0000 {number:04d}"
