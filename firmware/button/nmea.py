"""NMEA 0183: one line to one sentence, RMC and GGA of any talker, in integers only.

A board's floats have 24 bits of mantissa, a metre or more at Indonesian longitudes.
"""

from .compat import const

RMC = const(1)
GGA = const(2)

_LAT_LIMIT = const(900000000)
_LON_LIMIT = const(1800000000)
_DAY_S = const(86400)

# Mode of RMC (NMEA 2.3): autonomous, differential, RTK float, precise, RTK fixed. Not
# estimated, manual, not valid, simulator: none of those is where the person is now.
_MEASURED_MODES = b"ADFPR"
# Quality of GGA: GPS, differential, PPS, RTK fixed, RTK float. Not 0 none, 6 estimated,
# 7 manual, 8 simulator.
_MEASURED_QUALITIES = b"12345"

_RMC_FIELDS = (10, 16)
_GGA_FIELDS = (11, 17)


class Sentence:
    """What one RMC or GGA says; `measured` False means that the receiver has no fix.

    `time_ms` is the UTC time of day, `unix` RMC's date and time in Unix seconds. Units as in
    the position of protocol.md §3.
    """

    __slots__ = (
        "altitude_dm",
        "course_cdeg",
        "hdop_x100",
        "kind",
        "lat_e7",
        "lon_e7",
        "measured",
        "satellites",
        "speed_cm_s",
        "talker",
        "time_ms",
        "unix",
    )

    def __init__(self, kind: int, talker: bytes) -> None:
        self.kind = kind
        self.talker = talker
        self.measured = False
        self.time_ms: int | None = None
        self.unix: int | None = None
        self.lat_e7 = 0
        self.lon_e7 = 0
        self.hdop_x100: int | None = None
        self.satellites: int | None = None
        self.altitude_dm: int | None = None
        self.speed_cm_s: int | None = None
        self.course_cdeg: int | None = None


def parse(line: bytes) -> "Sentence | None":
    """Parse what stands between `$` and the line end; None unless it is whole and understood.

    None also for a measured fix of which any field that we use is malformed or out of range.
    """
    body = _checked(line)
    if body is None:
        return None
    fields = body.split(b",")
    address = fields[0]
    # P is no talker: $PGRMC is a Garmin configuration, not a position.
    if len(address) != 5 or address[:1] == b"P":
        return None
    try:
        if address[2:] == b"RMC":
            return _rmc(fields)
        if address[2:] == b"GGA":
            return _gga(fields)
    except ValueError:
        return None
    return None


def _checked(line: bytes) -> "bytes | None":
    if len(line) < 3 or line[-3] != 0x2A:
        return None
    total = 0
    for byte in line[:-3]:
        total ^= byte
    return line[:-3] if line[-2:].upper() == b"%02X" % total else None


def _rmc(fields: "list[bytes]") -> Sentence:
    _count(fields, _RMC_FIELDS)
    sentence = Sentence(RMC, fields[0][:2])
    sentence.time_ms = _time_of_day(fields[1])
    if fields[2] not in (b"A", b"V"):
        raise ValueError
    # Before NMEA 2.3 there was no mode: status alone decides.
    mode = fields[12] if len(fields) > 12 else b""
    if fields[2] == b"V" or len(mode) > 1 or mode not in _MEASURED_MODES:
        return sentence
    time_ms = _place(sentence, fields[3:7])
    if fields[7]:
        # 1 knot is 1852 m an hour.
        sentence.speed_cm_s = (decimal(fields[7], 3) * 1852 + 18000) // 36000
    if fields[8]:
        sentence.course_cdeg = _within(decimal(fields[8], 2), 0, 36000)
    if fields[9]:
        sentence.unix = _days(fields[9]) * _DAY_S + time_ms // 1000
    sentence.measured = True
    return sentence


def _gga(fields: "list[bytes]") -> Sentence:
    _count(fields, _GGA_FIELDS)
    sentence = Sentence(GGA, fields[0][:2])
    sentence.time_ms = _time_of_day(fields[1])
    if len(fields[6]) != 1 or fields[6] not in _MEASURED_QUALITIES:
        return sentence
    _place(sentence, fields[2:6])
    if fields[7]:
        sentence.satellites = _whole(fields[7])
    if fields[8]:
        sentence.hdop_x100 = _within(decimal(fields[8], 2), 0, 10000)
    if fields[9] and fields[10] == b"M":
        sentence.altitude_dm = decimal(fields[9], 1)
    sentence.measured = True
    return sentence


def _count(fields: "list[bytes]", limits: "tuple[int, int]") -> None:
    if not limits[0] <= len(fields) <= limits[1]:
        raise ValueError


def _place(sentence: Sentence, fields: "list[bytes]") -> int:
    """Set the position and return the time: a measurement has both."""
    latitude = _angle(fields[0], 2, _LAT_LIMIT)
    longitude = _angle(fields[2], 3, _LON_LIMIT)
    if fields[1] not in (b"N", b"S") or fields[3] not in (b"E", b"W"):
        raise ValueError
    # Exactly 0, 0 is what a faulty receiver says, and no city of ours lies there.
    if latitude == 0 and longitude == 0:
        raise ValueError
    sentence.lat_e7 = -latitude if fields[1] == b"S" else latitude
    sentence.lon_e7 = -longitude if fields[3] == b"W" else longitude
    if sentence.time_ms is None:
        raise ValueError
    return sentence.time_ms


def _angle(field: bytes, degree_digits: int, limit: int) -> int:
    """Return (d)ddmm.mmmm in 1e-7 degree, rounded to the nearest."""
    point = field.find(b".")
    if (len(field) if point < 0 else point) != degree_digits + 2:
        raise ValueError
    degrees = _whole(field[:degree_digits])
    minutes_e7 = _within(decimal(field[degree_digits:], 7), 0, 599999999)
    return _within(degrees * 10000000 + (minutes_e7 + 30) // 60, 0, limit)


def _time_of_day(field: bytes) -> "int | None":
    if not field:
        return None
    if len(field) < 6 or (len(field) > 6 and field[6] != 0x2E):
        raise ValueError
    hours = _within(_whole(field[:2]), 0, 23)
    minutes = _within(_whole(field[2:4]), 0, 59)
    # 60 is a leap second.
    return (hours * 60 + minutes) * 60000 + _within(decimal(field[4:], 3), 0, 60999)


def _days(field: bytes) -> int:
    """Return the days from 1970-01-01 to ddmmyy, 2000 to 2099."""
    if len(field) != 6:
        raise ValueError
    day, month, year = _whole(field[:2]), _whole(field[2:4]), _whole(field[4:])
    leap = year % 4 == 0
    if not 1 <= month <= 12:
        raise ValueError
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    _within(day, 1, lengths[month - 1])
    # 10957 days from 1970-01-01 to 2000-01-01.
    return 10957 + year * 365 + (year + 3) // 4 + sum(lengths[: month - 1]) + day - 1


def decimal(field: bytes, places: int) -> int:
    """Return `[-]digits[.digits]` times 10**places, cut after that; ValueError for all else."""
    negative = field[:1] == b"-"
    if negative:
        field = field[1:]
    point = field.find(b".")
    fraction = field[point + 1 :] if point >= 0 else b""
    if fraction and not fraction.isdigit():
        raise ValueError
    value = _whole(field[:point] if point >= 0 else field)
    for index in range(places):
        value = value * 10 + (fraction[index] - 0x30 if index < len(fraction) else 0)
    return -value if negative else value


def _whole(field: bytes) -> int:
    # Six digits: more than any field has, and small integers on a board.
    if len(field) > 6 or not field.isdigit():
        raise ValueError
    return int(field)


def _within(value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError
    return value
