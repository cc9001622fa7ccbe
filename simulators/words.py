"""What simulated officers and operators write, in the language of the city."""

from random import Random
from typing import Final

HANDLED: Final = {
    "city_alarm": ("Lokasi diperiksa dan warga ditenangkan", "Situasi aman"),
    "ambulance": ("Pertolongan pertama di lokasi", "Pasien dibawa ke rumah sakit"),
    "fire": ("Api dipadamkan dan lokasi didinginkan", "Api padam"),
    "rescue": ("Korban dievakuasi dengan tali dan tandu", "Korban selamat"),
    "hearse": ("Jenazah diantar bersama keluarga", "Pengantaran selesai"),
    "other": ("Warga dibantu di tempat", "Bantuan selesai"),
}
DECLINED: Final = ("Kendaraan mogok", "Ban bocor di jalan", "Sedang mengisi bahan bakar")
REMARKS: Final = ("Lengkap", "Warga sudah dihubungi kembali", "Laporan diperiksa")
DRILL: Final = "Latihan"


def report(chance: Random, category: str, *, drill: bool) -> dict[str, object]:
    """Return an officer's handling report."""
    actions, outcome = HANDLED.get(category, HANDLED["other"])
    hurt = not drill and category in {"ambulance", "rescue"}
    return {
        "actions_taken": f"{DRILL}: {actions}" if drill else actions,
        "outcome": outcome,
        "casualties": {"dead": 0, "injured": chance.randint(0, 2) if hurt else 0, "evacuated": 0},
    }
