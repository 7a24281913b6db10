"""Printed, the page is A4, light, whole, and says on each sheet that it is a rehearsal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.test_acceptance_page import EXAMPLE, browser  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser

A4 = (595, 842)
"""Width and height in points."""


@pytest.fixture(scope="module", params=["light", "dark"])
def sheets(request: pytest.FixtureRequest, browser: Browser) -> Sequence[Any]:  # noqa: F811 - the fixture
    """The sheets of the NO-GO, printed by readers who like it light or dark."""
    pypdf = pytest.importorskip("pypdf")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.emulate_media(color_scheme=request.param)
        page.goto((EXAMPLE / "no-go" / "acceptance.html").as_uri())
        printed = page.pdf(prefer_css_page_size=True, print_background=True)
    pages: Sequence[Any] = pypdf.PdfReader(io.BytesIO(printed)).pages
    return pages


def test_every_sheet_is_a4(sheets: Sequence[Any]) -> None:
    assert 5 < len(sheets) < 40
    for sheet in sheets:
        assert (float(sheet.mediabox.width), float(sheet.mediabox.height)) == pytest.approx(A4, abs=2)


def test_the_first_sheet_answers(sheets: Sequence[Any]) -> None:
    said = " ".join(sheets[0].extract_text().split())
    for answer in (
        "NO-GO (REHEARSAL)",
        "3.0.0 rc1",
        "target lab",
        "2026-11-22 18:14:52 UTC",
        "ever ran the guest",
    ):
        assert answer in said


def test_every_sheet_says_rehearsal(sheets: Sequence[Any]) -> None:
    assert [n for n, sheet in enumerate(sheets, 1) if "REHEARSAL" not in sheet.extract_text()] == []


def test_evidence_that_is_folded_on_the_screen_is_on_paper(sheets: Sequence[Any]) -> None:
    said = "".join("".join(sheet.extract_text().split()) for sheet in sheets)
    assert "refs/tags/vdsm-4.9.3" in said
    assert "wait_for_launch0.0s" in said
    assert "Skiptotheverdict" not in said


def test_paper_is_white_whatever_the_reader_likes(sheets: Sequence[Any]) -> None:
    content = sheets[0].get_contents().get_data().decode("latin-1")
    dark_ground = "0.078431 0.090196 0.105882 rg"
    assert dark_ground not in content
