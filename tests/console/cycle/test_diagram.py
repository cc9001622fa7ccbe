"""The documentation's picture is the machine's table."""

from pathlib import Path

import pytest

from console_api.cycle.diagram import draw, rewrite
from console_api.cycle.table import TABLE

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/dispatch-cycle.md"


def test_the_document_shows_the_table_as_it_is() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert rewrite(text, draw()) == text, "run: python -m console_api.cycle.diagram <the file>"


def test_every_action_is_in_the_picture() -> None:
    picture = draw().split("```")[1]
    assert all(f": {row.action}" in picture for row in TABLE.values() if row.target)


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="no lines"):
        rewrite("# nothing", draw())
