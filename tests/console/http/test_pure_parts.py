"""The small pure parts of the HTTP room."""

import contextlib
import csv
import io
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console_api.accounts.roles import Role
from console_api.accounts.sessions import Principal
from console_api.app import rules_of
from console_api.cycle.model import Category, Marks, State
from console_api.http.bodies import Credentials
from console_api.http.decode import decode_body
from console_api.http.problem import Problem
from console_api.http.register_csv import register_csv
from console_api.http.sse import Listener
from console_api.settings import ClockStandards, ConsoleSettings, EscalationRules
from console_api.store.views import Change, RegisterRow


def _row(remarks: str) -> RegisterRow:
    return RegisterRow(
        register_number="AK/2026/11/0001",
        case="K-000001",
        version=8,
        state=State.CLOSED,
        drill=False,
        silent=False,
        marks=Marks(pressed=datetime(2026, 11, 24, 2, tzinfo=UTC)),
        clocks=(),
        device="TRK-000123",
        device_label=None,
        category=Category.AMBULANCE,
        area=None,
        address=None,
        position=None,
        operator=None,
        unit=None,
        actions_taken=None,
        outcome=None,
        casualties=None,
        dismiss_reason=None,
        merged_from=(),
        photos=("a", "b"),
        remarks=remarks,
    )


def _read(remarks: str) -> dict[str, str]:
    text = register_csv([_row(remarks)]).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    return row


@pytest.mark.parametrize("remarks", ["=1+1", "+62811", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_of_the_register_is_a_formula(remarks: str) -> None:
    assert _read(remarks)["remarks"] == f"'{remarks}"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_remarks_survive_csv(remarks: str) -> None:
    assert _read(remarks)["remarks"].removeprefix("'") == remarks.removeprefix("'")


def test_a_row_carries_times_and_lists_as_text() -> None:
    row = _read("")
    assert (row["pressed_at"], row["photos"], row["drill"]) == (
        "2026-11-24T02:00:00Z",
        "a b",
        "false",
    )


@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoder(content: bytes) -> None:
    with contextlib.suppress(Problem):
        decode_body(content, Credentials)


def test_a_pointer_escapes_what_json_pointers_escape() -> None:
    with pytest.raises(Problem) as caught:
        decode_body(b'{"a/b~c":1}', Credentials)
    assert caught.value.extensions["errors"] == [
        {"pointer": "/a~1b~0c", "detail": "Object contains unknown field `a/b~c`"}
    ]


KINDS = ("case", "unit", "device", "escalation")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(KINDS),
            st.sampled_from(["PMI-1", "PMI-2", "K-1", "K-2"]),
            st.sampled_from([None, "PMI-1", "PMI-2"]),
        )
    )
)
def test_an_officer_never_hears_of_another_unit(told: list[tuple[str, str, str | None]]) -> None:
    changes = [
        Change(n, kind, subject, unit, msgspec.Raw(b'{"n":%d}' % n))  # type: ignore[arg-type]
        for n, (kind, subject, unit) in enumerate(told, 1)
    ]
    listener = Listener(Principal("sari", Role.OFFICER, "PMI-1"), 0)
    heard = listener.tell(changes).decode()
    for change in changes:
        mine = change.subject if change.kind == "unit" else change.unit
        visible = change.kind != "device" and mine == "PMI-1"
        assert (f'data: {{"n":{change.id}}}\n' in heard) is visible
    assert listener.cursor == len(changes)


def test_settings_become_the_rules_of_the_cycle() -> None:
    settings = ConsoleSettings(
        database="sqlite://",
        photos_dir="photos",
        time_zone="Asia/Jakarta",
        clocks=ClockStandards(dispatched_to_arrived_s=600),
        escalation=EscalationRules(unopened_louder_s=5, yellow_share=0.5),
    )
    rules = rules_of(settings)
    assert rules.zone == "Asia/Jakarta"
    assert [clock.standard_s for clock in rules.clocks] == [120, 120, 600, 300, 300, 180, 120]
    assert [rule.after_s for rule in rules.escalations] == [5, 60, 60]
    assert rules.yellow_share == 0.5


def test_an_unknown_time_zone_is_named() -> None:
    with pytest.raises(ValueError, match="Asia/Tarakan"):
        ConsoleSettings(database="sqlite://", photos_dir="p", time_zone="Asia/Tarakan")
