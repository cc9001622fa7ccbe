from simulators.book import ENDED_KEPT, CaseBook
from tests.simulators.cases import case


def test_an_older_version_never_replaces_a_newer_one() -> None:
    book = CaseBook()
    book.put(case(state="opened", version=2))
    book.put(case(state="received", version=1))
    assert book.cases["C-1"].state == "opened"


def test_the_same_version_again_brings_its_new_evidence() -> None:
    book = CaseBook()
    book.put(case(presses=1))
    book.put(case(presses=2))
    assert book.cases["C-1"].presses == 2


def test_what_a_new_list_lacks_is_over() -> None:
    book = CaseBook()
    book.put(case("A"))
    book.put(case("B"))
    book.replace([case("B")])
    assert set(book.cases) == {"B"}


def test_every_change_is_news() -> None:
    book = CaseBook()
    book.put(case())
    assert book.news.is_set()
    book.news.clear()
    book.drop("C-1")
    assert book.news.is_set()
    book.news.clear()
    book.replace([])
    assert book.news.is_set()


def test_ended_cases_do_not_pile_up() -> None:
    book = CaseBook()
    book.put(case("open"))
    for number in range(ENDED_KEPT + 50):
        book.put(case(f"{number}", "closed"))
    assert len(book.cases) == ENDED_KEPT + 1
    assert "open" in book.cases
