"""The page has no fault that axe-core knows, by the rules of WCAG 2.2 AA and of good practice, in every look."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Literal

import pytest

from tests.browser.test_acceptance_page import EXAMPLE, UNFOLD, browser  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = ("acceptance.html", "no-go/acceptance.html", "conditional/acceptance.html")
OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


LOOKS = tuple(product(PAGES, (320, 1280), ("light", "dark")))
QUICK = (("no-go/acceptance.html", 320, "dark"), ("no-go/acceptance.html", 1280, "light"))
"""What is looked at for every change: the page that says most."""


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [pytest.param(*look, marks=() if look in QUICK else pytest.mark.long) for look in LOOKS],
)
def test_axe_finds_nothing(browser: Browser, name: str, width: int, scheme: str) -> None:  # noqa: F811 - the fixture
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    look: Literal["dark", "light"] = "dark" if scheme == "dark" else "light"
    with browser.new_context(viewport={"width": width, "height": 800}, color_scheme=look) as context:
        page = context.new_page()
        page.goto((EXAMPLE / name).as_uri())
        page.evaluate(UNFOLD)
        found = axe.run(page, options=OPTIONS).response
        assert found["url"] == page.url
        told = [
            f"{v['id']}: {v['help']}: {[n['target'] for n in v['nodes'][:3]]}" for v in found["violations"]
        ]
        assert told == []


def test_axe_would_find_something(browser: Browser) -> None:  # noqa: F811 - the fixture
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((EXAMPLE / PAGES[0]).as_uri())
        page.evaluate("document.documentElement.removeAttribute('lang')")
        page.evaluate("document.querySelector('dt').style.color = '#ccc'")
        found = {violation["id"] for violation in axe.run(page, options=OPTIONS).response["violations"]}
        assert {"html-has-lang", "color-contrast"} <= found


def test_every_link_can_be_reached_and_is_seen_by_keyboard(browser: Browser) -> None:  # noqa: F811 - the fixture
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((EXAMPLE / PAGES[1]).as_uri())
        page.keyboard.press("Tab")
        first = page.locator(":focus")
        assert first.inner_text() == "Skip to the verdict"
        assert first.is_visible()
        page.keyboard.press("Enter")
        assert page.url.endswith("#content")
        stops = page.locator("a[href], summary").count()
        reached = set()
        for _ in range(stops + 20):
            page.keyboard.press("Tab")
            found = page.evaluate(
                "() => { const e = document.activeElement; if (e === document.body) return null;"
                " const s = getComputedStyle(e); const all = [...document.querySelectorAll('a[href], summary')];"
                " return [all.indexOf(e), s.outlineStyle, parseFloat(s.outlineWidth)]; }"
            )
            if found is None:
                break
            reached.add(found[0])
            assert found[1:] == ["solid", 3], "where the focus is can be seen"
        # Evidence that is folded away is reached once it is unfolded.
        shown = page.locator("a[href]:visible, summary:visible").count()
        assert len(reached - {-1}) >= shown - 1
