"""Printed, the page is A4, light, whole, and says on each sheet that it is a rehearsal."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.browser.test_acceptance_page import EXAMPLE, browser  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from playwright.sync_api import Browser

    Look = Literal["light", "dark"]

NO_GO = EXAMPLE / "no-go" / "acceptance.html"
A4 = (595, 842)
"""Width and height in points."""


def flat(text: str) -> str:
    """Return a text without blanks, which a sheet puts where its lines end."""
    return "".join(text.split())


def printed(browser: Browser, page_file: Path, likes: Look = "light") -> Sequence[Any]:  # noqa: F811 - the fixture
    """Return the sheets of a page, printed by a reader who likes it light or dark."""
    pypdf = pytest.importorskip("pypdf")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.emulate_media(color_scheme=likes)
        page.goto(page_file.as_uri())
        pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    sheets: Sequence[Any] = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return sheets


@pytest.fixture(scope="module")
def sheets(browser: Browser) -> Sequence[Any]:  # noqa: F811 - the fixture
    """The sheets of the NO-GO."""
    return printed(browser, NO_GO)


def test_every_sheet_is_a4(sheets: Sequence[Any]) -> None:
    assert 5 < len(sheets) < 20
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
    said = "".join(flat(sheet.extract_text()) for sheet in sheets)
    assert "refs/tags/vdsm-4.9.3" in said
    assert "wait_for_launch0.0s" in said
    assert "Skiptotheverdict" not in said


@pytest.mark.parametrize("name", ["acceptance.html", "no-go/acceptance.html", "conditional/acceptance.html"])
def test_no_sheet_ends_with_what_belongs_to_the_next(browser: Browser, name: str) -> None:  # noqa: F811 - the fixture
    page = (EXAMPLE / name).read_text(encoding="utf-8")
    heads = {
        flat(re.sub(r"<[^>]+>", "", unescape(found)))
        for found in re.findall(r"<(?:h2|h3|caption|thead)\b.*?</(?:h2|h3|caption|thead)>", page, re.DOTALL)
    }
    assert {"Timeline", "ForStateWhatwasfound"} <= heads
    for sheet in printed(browser, EXAMPLE / name):
        said = flat(sheet.extract_text().replace("REHEARSAL", ""))
        assert [head for head in heads if said.endswith(head)] == [], said[-80:]


def colours(sheets: Sequence[Any]) -> list[set[str]]:
    """Return what each sheet is painted with: the colours that its content sets."""
    streams = [sheet.get_contents().get_data().decode("latin-1") for sheet in sheets]
    return [set(re.findall(r"[\d.]+ [\d.]+ [\d.]+ rg\b", stream)) for stream in streams]


def test_paper_is_the_same_whatever_the_reader_likes(
    browser: Browser,  # noqa: F811 - the fixture
    sheets: Sequence[Any],
    tmp_path: Path,
) -> None:
    light = colours(sheets)
    assert all(light)
    assert colours(printed(browser, NO_GO, "dark")) == light
    # Without its rule for paper the page would be printed as dark as it is read, and this would be seen here.
    page, rule = NO_GO.read_text(encoding="utf-8"), "@media print and (prefers-color-scheme: dark)"
    assert rule in page
    bare = tmp_path / "bare.html"
    bare.write_text(page.replace(rule, "@media not all"), encoding="utf-8")
    assert colours(printed(browser, bare, "dark")) != light
