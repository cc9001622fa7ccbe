"""The description is valid, and the page stands alone."""

import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from console_api.http.call import Call
from console_api.http.calls import CALLS
from tests.console.http.helpers import DESCRIPTION, Api


def test_the_description_is_valid_openapi(api: Api) -> None:
    served = api.client.get("/openapi.json").json()
    assert served["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(served).iter_errors()) == []
    assert served == DESCRIPTION


def test_the_bodies_of_actions_do_not_ask_for_the_action_again() -> None:
    assert "action" not in DESCRIPTION["components"]["schemas"]["DispatchTo"]["properties"]
    assert DESCRIPTION["components"]["schemas"]["DispatchTo"]["required"] == ["unit"]


@pytest.mark.parametrize("call", list(CALLS.values()), ids=lambda call: call.name)
def test_every_call_describes_its_good_answer_and_a_fault(call: Call) -> None:
    responses = DESCRIPTION["paths"][call.path][call.method.lower()]["responses"]
    assert {str(call.answer.status), "500", "503"} <= set(responses)


def test_the_page_asks_nothing_of_the_internet(api: Api) -> None:
    page = api.client.get("/docs")
    assert re.findall(r"""(?:src|href)=["'](?!/)""", page.text) == []
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_page_speaks_indonesian_and_english(api: Api) -> None:
    page = api.client.get("/docs").text
    assert 'lang="id">Kirim unit' in page
    assert 'lang="en">Send a unit' in page
