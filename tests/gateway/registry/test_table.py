"""Devices out of spreadsheets and back."""

import csv
import io
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.registry.devices import profile_of
from gateway.registry.errors import TableError
from gateway.registry.fields import Profile, check_profile
from gateway.registry.migrate import migrate
from gateway.registry.model import DeviceKind, DeviceStatus, Owner, Point
from gateway.registry.registry import Registry
from gateway.registry.table import read_table
from tests.gateway.registry.helpers import DEPLOYMENT_KEY, device_ids, profiles, texts


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate once; a migration takes longer than all that an example does."""
    file = tmp_path_factory.mktemp("empty") / "registry.db"
    migrate(f"sqlite:///{file}")
    return file


def _exported(registry: Registry) -> str:
    out = io.StringIO(newline="")
    registry.export_csv(out)
    return out.getvalue()


@given(
    devices=st.dictionaries(
        device_ids, st.tuples(profiles, st.sampled_from(DeviceStatus)), max_size=5
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_exported_comes_in_again_the_same(
    devices: dict[str, tuple[Profile, DeviceStatus]],
    empty: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("registries")
    first, second = (_copy(empty, folder / name) for name in ("first.db", "second.db"))
    for device_id, (profile, status) in devices.items():
        first.add(device_id, profile, by="test", status=status)
    text = _exported(first)
    report = second.import_csv(text.encode(), by="test")
    assert report.refused == ()
    assert {given.device_id for given in report.added} == set(devices)
    assert _exported(second) == text
    for device_id, (profile, status) in devices.items():
        device = second.show(device_id)
        assert profile_of(device) == check_profile(profile)
        assert device.status is status
    first.close()
    second.close()


@given(profiles)
def test_a_checked_profile_stays_as_it_is(profile: Profile) -> None:
    checked = check_profile(profile)
    assert check_profile(checked) == checked


@given(st.binary(max_size=300) | texts.map(str.encode))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        table = read_table(b"id,label,lat,lon\n" + data)
    except TableError:
        return
    assert len({row.device_id for row in table.rows}) == len(table.rows)


@given(texts)
def test_no_cell_is_a_formula_for_a_spreadsheet(label: str) -> None:
    table = read_table("id,label\nTRK-1," + _cell(f"={label}") + "\n")
    assert table.rows[0].fields["label"].startswith("=")


def test_a_label_like_a_formula_is_exported_behind_an_apostrophe(registry: Registry) -> None:
    registry.add("TRK-1", Profile(label="=1+1", owner=Owner("x", "+62811")), by="test")
    assert "'=1+1" in _exported(registry)
    assert "'+62811" in _exported(registry)


def test_no_secret_is_exported(registry: Registry) -> None:
    given = registry.add("TRK-1", by="test")
    text = _exported(registry)
    assert given.password is not None
    assert given.password not in text
    assert "$7$" not in text


def test_good_rows_come_in_and_bad_ones_are_named_by_line_and_column(registry: Registry) -> None:
    registry.add("TRK-OLD", by="test")
    text = (
        "id,kind,label,lat,lon,owner_phone,supervision_interval_s,status\n"
        'TRK-1,street,"two\nlines",3.3,117.6,,,\n'
        "TRK-2,street,ok,3.3,117.6,,,\n"
        "trk-3,,,,,,,\n"
        "TRK-4,boat,,,,,,\n"
        "TRK-5,,,north,117.6,,,\n"
        "TRK-6,,,3.3,,,,\n"
        "TRK-7,,,91,0,,,\n"
        "TRK-8,,,,,call me,,\n"
        "TRK-9,,,,,,soon,\n"
        "TRK-10,,,,,,5,\n"
        "TRK-11,,,,,,,lost\n"
        "TRK-2,,,,,,,\n"
        "TRK-OLD,,,,,,,\n"
        "\n"
        "TRK-12,,,,,,,,surplus\n"
        "TRK-13\n"
    )
    report = registry.import_csv(text, by="test")
    assert [given.device_id for given in report.added] == ["TRK-2", "TRK-13"]
    assert [(problem.line, problem.column) for problem in report.refused] == [
        (2, "label"),
        (5, "id"),
        (6, "kind"),
        (7, "lat"),
        (8, "lon"),
        (9, "lat"),
        (10, "owner_phone"),
        (11, "supervision_interval_s"),
        (12, "supervision_interval_s"),
        (13, "status"),
        (14, "id"),
        (15, "id"),
        (17, "status"),
    ]
    assert "TRK-2 is on line 4 too" in report.refused[10].message


def test_indonesian_excel_is_understood(registry: Registry) -> None:
    text = "\ufeffid;lat;lon\r\nTRK-1;3,3274;117,5913\r\n".encode()
    assert registry.import_csv(text, by="test").refused == ()
    assert registry.show("TRK-1").installed == Point(3.3274, 117.5913)


def test_left_out_columns_leave_a_device_as_it_was(registry: Registry) -> None:
    profile = Profile(kind=DeviceKind.STREET, label="old", address="here", installed=Point(1, 2))
    registry.add("TRK-1", profile, by="test")
    report = registry.import_csv("id,label\nTRK-1,new\n", by="test", update_existing=True)
    assert (report.added, report.updated) == ((), ("TRK-1",))
    device = registry.show("TRK-1")
    assert (device.label, device.address, device.installed) == ("new", "here", Point(1, 2))


def test_an_update_sets_the_status(registry: Registry) -> None:
    registry.add("TRK-1", by="test")
    registry.import_csv("id,status\nTRK-1,suspended\n", by="test", update_existing=True)
    assert registry.show("TRK-1").status is DeviceStatus.SUSPENDED


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "first line must name the columns"),
        ("label\nx\n", "first line must name the columns"),
        ("id,lable\n", "unknown column 'lable': did you mean 'label'"),
        ("id,key\n", "unknown column 'key'"),
        ("id,id\n", "stands there twice"),
        (b"id\nTRK-1\n\xff\n", "line 3 is not UTF-8"),
        ("id,label\nTRK-1," + "x" * 140_000, "line 2: field larger"),
    ],
)
def test_an_unusable_file_is_named(registry: Registry, text: str | bytes, why: str) -> None:
    with pytest.raises(TableError, match=why):
        registry.import_csv(text, by="test")
    assert registry.revision() == 0


def _cell(text: str) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerow([text])
    return out.getvalue().rstrip("\r\n")


def _copy(empty: Path, to: Path) -> Registry:
    shutil.copyfile(empty, to)
    return Registry.open(f"sqlite:///{to}", DEPLOYMENT_KEY)
