"""The main job: from a press on real MicroPython to a register row at the data centre."""

import json
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.e2e.data_centre import DataCentre
from tests.e2e.deployment import Button, Deployment, Desk, Json
from tests.e2e.programs import until
from tests.e2e.receiver import moved_to, receiver

MARKS = (
    *("pressed", "received", "opened", "dispatched", "accepted", "arrived"),
    *("cleared", "reported", "updated", "registered", "closed"),
)
# A place in Selumit, as NMEA writes it.
LATITUDE, LONGITUDE = "0318.0720,N", "11735.3400,E"


def photo() -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 48), "orange").save(file, "JPEG")
    return file.getvalue()


def walk_the_seven_steps(case_id: str, operator: Desk, officer: Desk, button: Button) -> None:
    operator.act(case_id, "open")
    button.await_light("opened")
    proposed = operator.get(f"/v1/cases/{case_id}/units")["units"]
    assert proposed[0]["unit"] == "PMI-1"
    operator.act(case_id, "dispatch", unit="PMI-1")
    button.await_light("dispatched")
    officer.act(case_id, "accept")
    button.await_light("accepted")
    officer.act(case_id, "arrive")
    button.await_light("arrived")
    officer.act(case_id, "clear")
    officer.attach_photo(case_id, photo())
    officer.act(
        case_id,
        "report",
        actions_taken="Pasien dibawa ke RSUD",
        outcome="Ditangani",
        casualties={"dead": 0, "injured": 1, "evacuated": 0},
    )
    button.await_light("handled")
    operator.act(case_id, "update")
    operator.act(case_id, "register")

    def registered() -> bool:
        return operator.case(case_id)["marks"]["registered"] is not None

    until(registered, "the data centre's acknowledgement")
    operator.act(case_id, "close")
    button.await_light("closed")


def test_a_press_goes_all_the_way_and_the_button_shows_every_rung(
    city: Deployment, archive: DataCentre, shared_data: Path
) -> None:
    city.command("area", "import", str(shared_data / "tarakan-kelurahan.geojson"))
    city.add_staff()
    credentials = city.add_device(
        "TRK-000123",
        *("--kind", "handheld", "--address", "Jl. Yos Sudarso 12", "--category", "ambulance"),
    )
    recording = (shared_data / "nmea/mt3339.log").read_bytes()
    with (
        city.broker(),
        city.console(),
        city.gateway(),
        receiver(moved_to(recording, LATITUDE, LONGITUDE)) as gnss,
        city.button(credentials, "--gnss", gnss) as button,
        Desk(city, "rini") as operator,
        Desk(city, "sari") as officer,
    ):
        button.await_light("idle")
        button.press()
        button.await_light("stored")

        case_id = operator.await_case(state="received")["id"]

        def located() -> Json | None:
            case = operator.case(case_id)
            return case if case["position"] else None

        case = until(located, "the position")
        assert case["category"] == "ambulance"
        assert case["address"] == "Jl. Yos Sudarso 12"
        assert abs(case["position"]["lat"] - 3.3012) < 1e-6
        assert abs(case["position"]["lon"] - 117.589) < 1e-6
        assert case["area"]["kelurahan"] == "Selumit"

        walk_the_seven_steps(case_id, operator, officer, button)

        done = operator.case(case_id)
        assert done["state"] == "closed"
        assert done["data_centre"] == "sent"
        assert all(done["marks"][mark] for mark in MARKS)
        assert {clock["state"] for clock in done["clocks"]} == {"met"}
        rows = operator.get("/v1/register", month=done["marks"]["pressed"][:7])["rows"]
        assert [row["register_number"] for row in rows] == [done["register_number"]]
        shown = button.rungs[button.rungs.index("pending") :]
        assert shown[:8] == [
            *("pending", "stored", "opened", "dispatched"),
            *("accepted", "arrived", "handled", "closed"),
        ]
    report = json.loads(city.command("verify", "--json"))
    assert report["anchors"] == 2, "the console's own, and the one that went with the row"
    assert report["photos"] == 1
    (record,) = archive.records()
    assert record.case == case_id
