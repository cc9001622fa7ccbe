import pytest

from firmware.button import gnss
from firmware.button.gnss import Gnss
from tests.firmware.gnss.sentences import LAT_E7, LON_E7, gga, line, rmc

NOW = 1_795_508_316  # 2026-11-24 08:18:36 UTC


def _time(second: int) -> str:
    return f"0818{second:02}.00"


def _feed(receiver: Gnss, *sentences: bytes, now_ms: int = 10_000) -> list[bool]:
    return [receiver.feed(sentence, now_ms) for sentence in sentences]


def test_a_fix_is_published_when_both_sentences_agree() -> None:
    receiver = Gnss()
    assert _feed(receiver, rmc(), gga()) == [False, True]
    assert receiver.fix is not None
    assert (receiver.fix.lat_e7, receiver.fix.lon_e7) == (LAT_E7, LON_E7)
    assert receiver.fix.details == {4: 92, 5: 12, 6: 147, 7: 556, 8: 27050}
    assert receiver.fix_ms == 10_000


def test_the_order_of_the_sentences_does_not_matter() -> None:
    assert _feed(Gnss(), gga(), rmc()) == [False, True]


def test_a_moment_is_published_once() -> None:
    assert _feed(Gnss(), gga(), rmc(), gga(talker="GL"), rmc()) == [False, True, False, False]


@pytest.mark.parametrize("quality", ["0", "6", "8"])
def test_rmc_is_never_believed_against_gga(quality: str) -> None:
    receiver = Gnss()
    for second in range(60):
        _feed(receiver, rmc(_time(second), tail=""), gga(_time(second), quality=quality))
    assert receiver.fix is None


@pytest.mark.parametrize("mode", ["N", "E", "S"])
def test_gga_is_never_believed_against_rmc(mode: str) -> None:
    receiver = Gnss()
    for second in range(60):
        _feed(receiver, gga(_time(second)), rmc(_time(second), tail=f",,,{mode}"))
    assert receiver.fix is None


def test_a_lost_fix_leaves_the_last_one_to_age() -> None:
    receiver = Gnss()
    _feed(receiver, rmc(), gga())
    elsewhere = "0400.00000,N,11800.00000,E"
    _feed(receiver, rmc(_time(37), elsewhere, tail=""), gga(_time(37), elsewhere, quality="6"))
    assert receiver.fix is not None
    assert receiver.fix.lat_e7 == LAT_E7


def test_a_fix_is_back_when_both_say_so() -> None:
    receiver = Gnss()
    _feed(receiver, rmc(status="V"), gga(quality="0"))
    assert _feed(receiver, rmc(_time(37)), gga(_time(37))) == [False, True]


def test_two_places_of_one_moment_are_neither_believed() -> None:
    assert not any(_feed(Gnss(), rmc(), gga(place="0318.08407,N,11735.34074,E")))


def test_fewer_digits_in_one_sentence_are_the_same_place() -> None:
    assert _feed(Gnss(), rmc(place="0318.0741,N,11735.3407,E"), gga()) == [False, True]


@pytest.mark.parametrize("sentence", [rmc, gga])
def test_a_receiver_with_one_sentence_is_believed_after_a_while(sentence: object) -> None:
    assert callable(sentence)
    receiver = Gnss()
    published = [receiver.feed(sentence(_time(s)), 1000 * s) for s in range(6)]
    assert published == [False, False, False, False, True, True]


def test_a_receiver_that_times_its_sentences_apart_is_believed_after_a_while() -> None:
    receiver = Gnss()
    published = [
        receiver.feed(rmc(_time(s)), 1000 * s) | receiver.feed(gga(f"0818{s:02}.50"), 1000 * s)
        for s in range(20)
    ]
    assert (published[0], published[-1]) == (False, True)


def test_the_other_constellations_no_fix_does_not_hide_the_fix() -> None:
    sentences = (gga(talker="GP"), gga(talker="GL", quality="0"), rmc())
    assert _feed(Gnss(), *sentences)[-1]


def test_the_constellation_with_more_satellites_counts() -> None:
    receiver = Gnss()
    _feed(receiver, gga(talker="GP"), gga(talker="GL", quantities="02,0.92,14.7,M"), rmc())
    assert receiver.fix is not None
    assert receiver.fix.details[5] == 12


def test_bytes_may_come_one_by_one() -> None:
    receiver = Gnss()
    published = [receiver.feed(bytes([byte]), 10_000) for byte in rmc() + gga()]
    assert sum(published) == 1


def test_sentences_may_come_in_one_chunk() -> None:
    assert Gnss().feed(rmc() + gga(), 10_000)


def test_a_cut_sentence_does_not_spoil_the_next() -> None:
    assert Gnss().feed(rmc()[:30] + rmc() + gga()[:-4] + gga(), 10_000)


def test_binary_between_sentences_is_passed_over() -> None:
    noise = bytes(range(256)) * 8
    assert Gnss().feed(noise + rmc() + noise + gga(), 10_000)


def test_a_line_without_end_is_passed_over() -> None:
    assert Gnss().feed(b"$GNRMC," + b"1" * 5000 + rmc() + gga(), 10_000)


def test_a_sentence_counts_only_with_its_line_end() -> None:
    receiver = Gnss()
    assert not receiver.feed(rmc() + gga().rstrip(), 10_000)
    assert receiver.feed(b"\n", 10_001)


def test_other_sentences_are_passed_over() -> None:
    assert _feed(Gnss(), rmc(), line("PGRMC,A,1"), line("GNVTG,,T,,M,,N,,K,A"), gga())[-1]


def test_time_is_known_from_a_fix_and_goes_on() -> None:
    receiver = Gnss()
    _feed(receiver, rmc(), gga())
    assert (receiver.unix(10_000), receiver.unix(71_999)) == (NOW, NOW + 61)


@pytest.mark.parametrize(
    "sentences",
    [
        (),
        (rmc(status="V"), gga(quality="0")),
        (rmc(date=""), gga()),
        (rmc(date="060419"), gga()),  # a rollover: 1,024 weeks ago
        (rmc(date="220899"), gga()),
    ],
)
def test_time_is_unknown_without_a_fix_and_a_sane_date(sentences: tuple[bytes, ...]) -> None:
    receiver = Gnss()
    _feed(receiver, *sentences)
    assert receiver.unix(10_000) is None


def test_the_state_follows_bytes_and_fixes() -> None:
    receiver = Gnss()
    states = [receiver.state(0)]
    _feed(receiver, rmc(status="V"))
    states.append(receiver.state(10_000))
    _feed(receiver, rmc(_time(37)), gga(_time(37)))
    states += [receiver.state(10_000), receiver.state(15_001)]
    _feed(receiver, rmc(status="V"), now_ms=20_001)
    states.append(receiver.state(20_001))
    assert states == [gnss.OFF, gnss.SEARCHING, gnss.FIX, gnss.OFF, gnss.SEARCHING]
