"""Makes NMEA sentences for tests."""

PLACE = "0318.07407,N,11735.34074,E"
LAT_E7, LON_E7 = 33_012_345, 1_175_890_123


def line(body: str) -> bytes:
    """Add `$`, checksum and line end."""
    total = 0
    for byte in body.encode():
        total ^= byte
    return b"$%s*%02X\r\n" % (body.encode(), total)


def rmc(
    time: str = "081836.00",
    place: str = PLACE,
    *,
    status: str = "A",
    date: str = "241126",
    tail: str = ",,,A",
    motion: str = "10.8,270.5",
) -> bytes:
    return line(f"GNRMC,{time},{status},{place},{motion},{date}{tail}")


def gga(
    time: str = "081836.00",
    place: str = PLACE,
    *,
    quality: str = "1",
    quantities: str = "12,0.92,14.7,M",
    talker: str = "GN",
) -> bytes:
    return line(f"{talker}GGA,{time},{place},{quality},{quantities},51.6,M,,")
