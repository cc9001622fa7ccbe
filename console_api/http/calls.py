"""Every call of the API, as one table: routes, the description and the tests read it."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from console_api.accounts.roles import PUBLIC
from console_api.cycle.actions import ACTIONS
from console_api.http import answers, bodies
from console_api.http.call import JSON, Answer, Call
from console_api.http.problem import Kinds
from console_api.store import views

EVENTS_MEDIA: Final = ("application/cloudevents-batch+json",)
PHOTO_MEDIA: Final = ("image/jpeg", "image/png", "image/webp")
CSV: Final = "text/csv"
STREAM_MEDIA: Final = "text/event-stream"


def _json(shape: object, says: str, status: int = 200, *, etag: bool = False) -> Answer:
    return Answer(status, says, ((JSON, shape),), etag=etag)


_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "open": ("Take a case and verify it", "Ambil kasus dan verifikasi"),
    "dispatch": ("Send a unit", "Kirim unit"),
    "accept": ("Confirm to be on the way", "Konfirmasi siap menuju lokasi"),
    "decline": ("Hand the dispatch back", "Kembalikan penugasan"),
    "arrive": ("Be at the place", "Tiba di lokasi"),
    "clear": ("End the work on site", "Selesai menangani di lokasi"),
    "report": ("File the handling report", "Buat laporan penanganan"),
    "update": ("Complete the report", "Perbarui laporan penyelesaian"),
    "register": (
        "Enter the case into the register and queue it for the data centre",
        "Catat dalam register dan kirim ke pusat data",
    ),
    "close": (
        "Close; a silent alarm needs this from two people",
        "Tutup kasus; alarm senyap perlu dua orang",
    ),
    "dismiss": ("Dismiss with a reason", "Kesampingkan dengan alasan"),
    "merge": ("Join another case of the same incident", "Gabungkan dengan kasus yang sama"),
    "reopen": ("Take an ended case up again", "Buka kembali kasus"),
    "note": ("Add a note", "Tambahkan catatan"),
}

_SESSIONS: Final = (
    Call(
        name="open_session",
        method="POST",
        path="/v1/session",
        english="Log in",
        indonesian="Masuk",
        body=bodies.Credentials,
        answer=_json(answers.SessionAnswer, "The token of a new session, in a cookie too"),
        problems=(Kinds.WRONG_CREDENTIALS, Kinds.TOO_MANY_ATTEMPTS),
    ),
    Call(
        name="show_session",
        method="GET",
        path="/v1/session",
        english="Who is asking",
        indonesian="Siapa yang sedang masuk",
        answer=_json(answers.WhoAnswer, "The person or service of this token"),
    ),
    Call(
        name="close_session",
        method="DELETE",
        path="/v1/session",
        english="Log out",
        indonesian="Keluar",
        answer=Answer(204, "The session has ended"),
    ),
)

_GATEWAYS: Final = (
    Call(
        name="post_events",
        method="POST",
        path="/v1/events",
        english="Deliver a batch of at most 500 CloudEvents",
        indonesian="Kirim sekumpulan CloudEvents, paling banyak 500",
        body=list[views.JsonObject],
        media=EVENTS_MEDIA,
        answer=_json(answers.EventsAnswer, "One result for each event, all durable"),
    ),
    Call(
        name="list_notices",
        method="GET",
        path="/v1/notices",
        english="Wait for receipts and commands",
        indonesian="Tunggu tanda terima dan perintah",
        query=bodies.NoticesQuery,
        answer=_json(views.NoticePage, "Notices in order, none if the wait was in vain"),
    ),
)

_CASES: Final = (
    Call(
        name="list_cases",
        method="GET",
        path="/v1/cases",
        english="List cases, newest first",
        indonesian="Daftar kasus, terbaru dahulu",
        query=bodies.CasesQuery,
        answer=_json(views.CasePage, "Cases"),
    ),
    Call(
        name="show_case",
        method="GET",
        path="/v1/cases/{case}",
        english="A case with its events, track and photos",
        indonesian="Kasus beserta kejadian, jejak dan foto",
        answer=_json(views.CaseDetail, "The case; its version is the ETag", etag=True),
    ),
    *(
        Call(
            name=f"{action}_case",
            method="POST",
            path=f"/v1/cases/{{case}}/{action}",
            english=_WORDS[action][0],
            indonesian=_WORDS[action][1],
            body=shape,
            answer=_json(views.CaseView, "The case as it is now", etag=True),
            versioned=True,
            keyed=True,
            problems=(Kinds.CONFLICT,),
        )
        for action, shape in ACTIONS.items()
    ),
    Call(
        name="propose_units",
        method="GET",
        path="/v1/cases/{case}/units",
        english="Units proposed for a case, with the reasons",
        indonesian="Usulan unit untuk kasus, dengan alasannya",
        answer=_json(answers.ProposalsAnswer, "Units, best first"),
    ),
    Call(
        name="add_photo",
        method="POST",
        path="/v1/cases/{case}/photos",
        english="Attach a photo; the same one twice is one",
        indonesian="Lampirkan foto",
        body=bytes,
        media=PHOTO_MEDIA,
        query=bodies.PhotoQuery,
        answer=_json(views.PhotoView, "The photo, with place and time if it carries them", 201),
    ),
    Call(
        name="show_photo",
        method="GET",
        path="/v1/photos/{photo}",
        english="The file of a photo",
        indonesian="Berkas foto",
        answer=Answer(
            200, "The photo as it was sent", tuple((m, bytes) for m in PHOTO_MEDIA), etag=True
        ),
    ),
    Call(
        name="stream",
        method="GET",
        path="/v1/stream",
        english="Changes as server-sent events; Last-Event-ID resumes",
        indonesian="Perubahan sebagai server-sent events; Last-Event-ID melanjutkan",
        query=bodies.StreamQuery,
        answer=Answer(200, "Events case, unit, device, escalation, gap", ((STREAM_MEDIA, str),)),
    ),
)

_UNITS: Final = (
    Call(
        name="list_units",
        method="GET",
        path="/v1/units",
        english="List units",
        indonesian="Daftar unit",
        query=bodies.PageQuery,
        answer=_json(views.UnitPage, "Units by id"),
    ),
    Call(
        name="show_unit",
        method="GET",
        path="/v1/units/{unit}",
        english="A unit",
        indonesian="Satu unit",
        answer=_json(views.UnitView, "The unit"),
    ),
    Call(
        name="add_unit",
        method="POST",
        path="/v1/units",
        english="Add a unit",
        indonesian="Tambah unit",
        body=bodies.NewUnit,
        answer=_json(views.UnitView, "The new unit", 201),
        problems=(Kinds.CONFLICT,),
    ),
    Call(
        name="change_unit",
        method="PATCH",
        path="/v1/units/{unit}",
        english="Change a unit's name, categories or status",
        indonesian="Ubah nama, kategori atau status unit",
        body=bodies.UnitChange,
        answer=_json(views.UnitView, "The unit as it is now"),
        problems=(Kinds.CONFLICT,),
    ),
    Call(
        name="move_unit",
        method="POST",
        path="/v1/units/{unit}/position",
        english="Say where a unit is",
        indonesian="Laporkan posisi unit",
        body=bodies.UnitPlace,
        answer=_json(views.UnitView, "The unit as it is now"),
    ),
)

_DEVICES: Final = (
    Call(
        name="list_devices",
        method="GET",
        path="/v1/devices",
        english="List devices and their health",
        indonesian="Daftar perangkat dan kondisinya",
        query=bodies.DevicesQuery,
        answer=_json(views.DevicePage, "Devices by id"),
    ),
    Call(
        name="show_device",
        method="GET",
        path="/v1/devices/{device}",
        english="A device with its health and history",
        indonesian="Perangkat beserta kondisi dan riwayat",
        answer=_json(views.DeviceDetail, "The device"),
    ),
    Call(
        name="command_device",
        method="POST",
        path="/v1/devices/{device}/commands",
        english="Send a device a command",
        indonesian="Kirim perintah ke perangkat",
        body=bodies.NewCommand,
        answer=_json(answers.CommandAnswer, "The command, on its way", 202),
    ),
)

_RECORDS: Final = (
    Call(
        name="show_register",
        method="GET",
        path="/v1/register",
        english="The register of a month, as JSON or CSV by Accept",
        indonesian="Register satu bulan, sebagai JSON atau CSV menurut Accept",
        query=bodies.RegisterQuery,
        answer=Answer(200, "Rows by register number", ((JSON, answers.RegisterAnswer), (CSV, str))),
        problems=(Kinds.NOT_ACCEPTABLE,),
    ),
    Call(
        name="show_register_json",
        method="GET",
        path="/v1/register.json",
        english="The register of a month as JSON",
        indonesian="Register satu bulan sebagai JSON",
        query=bodies.RegisterQuery,
        answer=_json(answers.RegisterAnswer, "Rows by register number"),
    ),
    Call(
        name="show_register_csv",
        method="GET",
        path="/v1/register.csv",
        english="The register of a month as CSV",
        indonesian="Register satu bulan sebagai CSV",
        query=bodies.RegisterQuery,
        answer=Answer(200, "Rows by register number", ((CSV, str),)),
    ),
    Call(
        name="report_clocks",
        method="GET",
        path="/v1/reports/clocks",
        english="For each clock: count, met, p50, p90, p95",
        indonesian="Tiap jam: jumlah, terpenuhi, p50, p90, p95",
        query=bodies.ClocksQuery,
        answer=_json(answers.ClocksAnswer, "Clocks of real cases"),
    ),
    Call(
        name="list_audit",
        method="GET",
        path="/v1/audit",
        english="Who read or did what, newest first",
        indonesian="Siapa membaca atau melakukan apa, terbaru dahulu",
        query=bodies.AuditQuery,
        answer=_json(answers.AuditAnswer, "Entries"),
    ),
)

_PEOPLE: Final = (
    Call(
        name="list_users",
        method="GET",
        path="/v1/users",
        english="List people",
        indonesian="Daftar pengguna",
        query=bodies.PageQuery,
        answer=_json(answers.UsersAnswer, "People by name"),
    ),
    Call(
        name="add_user",
        method="POST",
        path="/v1/users",
        english="Add a person",
        indonesian="Tambah pengguna",
        body=bodies.NewUser,
        answer=_json(answers.UserAnswer, "The new person", 201),
        problems=(Kinds.CONFLICT,),
    ),
    Call(
        name="change_user",
        method="PATCH",
        path="/v1/users/{user}",
        english="Change a person; their sessions end",
        indonesian="Ubah pengguna; sesinya berakhir",
        body=bodies.UserChange,
        answer=_json(answers.UserAnswer, "The person as they are now"),
        problems=(Kinds.CONFLICT,),
    ),
)

_ROOTS: Final = (
    Call(
        name="health",
        method="GET",
        path="/healthz",
        english="The process answers",
        indonesian="Proses menjawab",
        answer=_json(answers.HealthAnswer, "Yes"),
    ),
    Call(
        name="ready",
        method="GET",
        path="/readyz",
        english="The database answers too",
        indonesian="Basis data juga menjawab",
        answer=_json(answers.HealthAnswer, "Yes"),
    ),
    Call(
        name="metrics",
        method="GET",
        path="/metrics",
        english="Counters for Prometheus",
        indonesian="Penghitung untuk Prometheus",
        answer=Answer(200, "Text exposition format", (("text/plain", str),)),
    ),
    Call(
        name="openapi",
        method="GET",
        path="/openapi.json",
        english="This description",
        indonesian="Deskripsi ini",
        answer=_json(views.JsonObject, "OpenAPI 3.1"),
    ),
    Call(
        name="docs",
        method="GET",
        path="/docs",
        english="This description as a page",
        indonesian="Deskripsi ini sebagai halaman",
        answer=Answer(200, "A page", (("text/html", str),)),
    ),
)

CALLS: Final[Mapping[str, Call]] = MappingProxyType(
    {
        call.name: replace(call, public=call.name in PUBLIC)
        for call in (
            *(*_SESSIONS, *_GATEWAYS, *_CASES, *_UNITS),
            *(*_DEVICES, *_RECORDS, *_PEOPLE, *_ROOTS),
        )
    },
)
