import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.button import nmea
from tests.firmware.gnss.sentences import LAT_E7, LON_E7, PLACE, gga, line, rmc


def _parse(sentence: bytes) -> nmea.Sentence | None:
    return nmea.parse(sentence.strip(b"$\r\n"))


def _measured(sentence: bytes) -> nmea.Sentence:
    parsed = _parse(sentence)
    assert parsed is not None
    assert parsed.measured
    return parsed


def test_rmc_gives_place_motion_and_time() -> None:
    parsed = _measured(rmc())
    assert (parsed.kind, parsed.lat_e7, parsed.lon_e7) == (nmea.RMC, LAT_E7, LON_E7)
    assert (parsed.speed_cm_s, parsed.course_cdeg) == (556, 27050)
    assert parsed.unix == dt.datetime(2026, 11, 24, 8, 18, 36, tzinfo=dt.UTC).timestamp()


def test_gga_gives_place_and_quality() -> None:
    parsed = _measured(gga())
    assert (parsed.kind, parsed.lat_e7, parsed.lon_e7) == (nmea.GGA, LAT_E7, LON_E7)
    assert (parsed.hdop_x100, parsed.satellites, parsed.altitude_dm) == (92, 12, 147)


@pytest.mark.parametrize("talker", ["GP", "GN", "GL", "GA", "GB", "BD", "QZ", "GI", "II"])
def test_any_talker_is_heard(talker: str) -> None:
    assert _measured(gga(talker=talker)).talker == talker.encode()


_MINUTES_E6 = st.integers(0, 59_999_999)


@given(st.integers(0, 89), _MINUTES_E6, st.sampled_from("NS"), st.integers(0, 6))
def test_a_latitude_is_right_to_half_a_unit(
    degrees: int, minutes_e6: int, side: str, digits: int
) -> None:
    minutes_e6 -= minutes_e6 % 10 ** (6 - digits)
    field = f"{degrees:02}{minutes_e6 // 10**6:02}.{minutes_e6 % 10**6:06}"[: 5 + digits]
    parsed = _measured(rmc(place=f"{field},{side},11735.34074,E"))
    # Compared in units of 1e-7 degree / 60, in which all of this is whole.
    exact = (degrees * 60 * 10**6 + minutes_e6) * 10
    assert abs(parsed.lat_e7 * 60 - (exact if side == "N" else -exact)) <= 30


@given(st.integers(0, 179), _MINUTES_E6, st.sampled_from("EW"), st.integers(0, 6))
def test_a_longitude_is_right_to_half_a_unit(
    degrees: int, minutes_e6: int, side: str, digits: int
) -> None:
    minutes_e6 -= minutes_e6 % 10 ** (6 - digits)
    field = f"{degrees:03}{minutes_e6 // 10**6:02}.{minutes_e6 % 10**6:06}"[: 6 + digits]
    parsed = _measured(rmc(place=f"0318.07407,N,{field},{side}"))
    exact = (degrees * 60 * 10**6 + minutes_e6) * 10
    assert abs(parsed.lon_e7 * 60 - (exact if side == "E" else -exact)) <= 30


@given(st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2099, 12, 31)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_any_date_of_the_century_is_read(moment: dt.datetime) -> None:
    parsed = _measured(rmc(time=f"{moment:%H%M%S}.00", date=f"{moment:%d%m%y}"))
    assert parsed.unix == int(moment.replace(microsecond=0, tzinfo=dt.UTC).timestamp())


@pytest.mark.parametrize(
    "sentence",
    [
        rmc(status="V"),
        rmc(status="V", place=",,,", motion=",", date=""),
        rmc(tail=",,,N"),
        rmc(tail=",,,E"),
        rmc(tail=",,,S"),
        rmc(tail=",,,M"),
        rmc(tail=",,,X"),
        rmc(tail=",,,AD"),
        rmc(tail=",,,E,V"),
        gga(quality="0"),
        gga(quality=""),
        gga(quality="6"),
        gga(quality="7"),
        gga(quality="8"),
        gga(quality="9"),
        gga(quality="12"),
    ],
)
def test_what_was_not_measured_is_no_fix(sentence: bytes) -> None:
    parsed = _parse(sentence)
    assert parsed is not None
    assert not parsed.measured


@pytest.mark.parametrize("mode", ["", ",,,", ",,,A", ",,,D", ",,,F", ",,,R", ",,,P", ",,,A,V"])
def test_what_was_measured_is_a_fix(mode: str) -> None:
    assert _measured(rmc(tail=mode)).lat_e7 == LAT_E7


@pytest.mark.parametrize("quality", ["1", "2", "3", "4", "5"])
def test_every_quality_that_was_measured_is_a_fix(quality: str) -> None:
    assert _measured(gga(quality=quality)).lat_e7 == LAT_E7


@pytest.mark.parametrize(
    "place",
    [
        ",,,",
        "0318.07407,,11735.34074,E",
        "0318.07407,N,11735.34074,",
        "0318.07407,X,11735.34074,E",
        "0318.07407,NN,11735.34074,E",
        "318.07407,N,11735.34074,E",
        "0318.07407,N,1735.34074,E",
        "00318.07407,N,11735.34074,E",
        "0360.00000,N,11735.34074,E",
        "0318.07407,N,11760.00000,E",
        "9000.00001,N,11735.34074,E",
        "9100.00000,N,11735.34074,E",
        "0318.07407,N,18000.00001,E",
        "0318.0x407,N,11735.34074,E",
        "-318.07407,N,11735.34074,E",
        "03-8.07407,N,11735.34074,E",
        "0318.-7407,N,11735.34074,E",
        "0318..7407,N,11735.34074,E",
        " 318.07407,N,11735.34074,E",
        "0318.07_07,N,11735.34074,E",
        "0000.00000,N,00000.00000,E",
    ],
)
def test_a_place_that_is_none_is_ignored(place: str) -> None:
    assert (_parse(rmc(place=place)), _parse(gga(place=place))) == (None, None)


@pytest.mark.parametrize(
    "time", ["", "24", "240000", "086000", "081861", "08183x", "0818360", "-81836"]
)
def test_a_time_that_is_none_is_ignored(time: str) -> None:
    assert (_parse(rmc(time=time)), _parse(gga(time=time))) == (None, None)


@pytest.mark.parametrize(
    "date", ["2411", "24112026", "001126", "321126", "310426", "290225", "241326", "2411x6"]
)
def test_a_date_that_is_none_is_ignored(date: str) -> None:
    assert _parse(rmc(date=date)) is None


def test_a_leap_second_is_a_time() -> None:
    assert _measured(rmc(time="235960.00")).time_ms == 86_400_000


@pytest.mark.parametrize("motion", ["x,1", "1,x", "1,360.01", "1,-1", "1234567,1"])
def test_a_malformed_motion_spoils_the_sentence(motion: str) -> None:
    assert _parse(rmc(motion=motion)) is None


@pytest.mark.parametrize(
    "quantities", ["x,0.9,1,M", "-1,0.9,1,M", "9,100.01,1,M", "9,x,1,M", "9,1,1x,M"]
)
def test_a_malformed_quantity_spoils_the_sentence(quantities: str) -> None:
    assert _parse(gga(quantities=quantities)) is None


def test_unknown_quantities_are_left_out() -> None:
    parsed = _measured(gga(quantities=",,,M"))
    assert (parsed.hdop_x100, parsed.satellites, parsed.altitude_dm) == (None, None, None)


def test_an_altitude_below_the_sea_is_negative() -> None:
    assert _measured(gga(quantities="9,1,-12.3,M")).altitude_dm == -123


@pytest.mark.parametrize(
    "sentence",
    [
        b"",
        b"*",
        b"*00",
        rmc()[1:-5],  # no checksum
        rmc()[1:-3],  # half a checksum
        rmc()[1:-2] + b"0",
        line(f"PGRMC,081836.00,A,{PLACE},10,270,241126,,,A"),
        line("PGRMC,A,12,00,,,,,,A,3,1,1,2,30"),
        line("GPRMCX,081836"),
        line("GPRMC"),
        line("GPRMC" + ",A" * 20),
        line("GPGGA,081836"),
        line("GPGSV,3,1,12"),
        line("RMC,081836,A"),
    ],
)
def test_what_is_no_sentence_of_ours_is_ignored(sentence: bytes) -> None:
    assert _parse(sentence) is None


def test_a_checksum_may_be_in_small_letters() -> None:
    sentences = [rmc(f"0818{seconds:02}") for seconds in range(60)]
    for sentence in sentences:
        small = sentence[:-4] + sentence[-4:].lower()
        assert _measured(small).lat_e7 == LAT_E7


@given(st.integers(0, 60), st.integers(1, 255))
def test_any_changed_byte_spoils_the_sentence(index: int, bits: int) -> None:
    sentence = bytearray(rmc())
    sentence[1 + index % (len(sentence) - 3)] ^= bits
    changed = nmea.parse(bytes(sentence[1:-2]))
    # A checksum may turn from capital to small letters and stay the same number.
    assert changed is None or bytes(sentence).upper() == rmc()


@given(st.binary(max_size=130))
def test_any_bytes_are_parsed_or_ignored(data: bytes) -> None:
    parsed = nmea.parse(data)
    assert parsed is None or parsed.kind in (nmea.RMC, nmea.GGA)


@given(
    st.lists(st.text("0123456789.-AVNSEW", max_size=12), max_size=18),
    st.sampled_from(["RMC", "GGA"]),
)
def test_any_fields_are_parsed_or_ignored(fields: list[str], kind: str) -> None:
    parsed = _parse(line(",".join([f"GP{kind}", *fields])))
    assert parsed is None or abs(parsed.lat_e7) <= 900_000_000
