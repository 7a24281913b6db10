"""Texts from outside do nothing in a real browser, with scripts allowed, and tear no page apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.report import html
from pytest_ovirt_release.report.before import compared
from tests.browser.test_acceptance_page import UNFOLD, browser  # noqa: F401 - a fixture
from tests.unit.report import example
from tests.unit.report.example_extremes import hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Dialog, Page

ATTACK = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<a href=\"javascript:document.title='owned'\">go</a> javascript:alert(1) "
    "'\"><svg onload=alert(1)><style>body{display:none}</style></style></title></textarea> "
    "\u202egnihtemos\u202c \u2066x\u2069 \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 {{7*7}} &#60;b&#62; " + "W" * 10_000
)  # fmt: skip
WIDTHS = (320, 1280)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with the attack wherever a text from outside may stand, the verdict before among them."""
    verdict = hostile(example.no_go(), example.conditional(), ATTACK)
    path = tmp_path_factory.mktemp("page") / "acceptance.html"
    path.write_text(html.render(verdict, compared(verdict, example.no_go())), encoding="utf-8")
    whole = path.with_name("whole.html")
    whole.write_text(html.render(verdict, compared(example.no_go(), verdict)), encoding="utf-8")
    return whole


@pytest.fixture
def page(browser: Browser, attacked: Path) -> Iterator[Page]:  # noqa: F811 - the fixture
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        yield page


def test_nothing_runs_nothing_is_fetched_and_nothing_is_built(page: Page, attacked: Path) -> None:
    dialogs: list[str] = []
    requests: list[str] = []

    def closed(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", closed)
    page.on("request", lambda request: requests.append(request.url))
    page.goto(attacked.as_uri())
    page.evaluate(UNFOLD)
    assert page.title() != "owned"
    assert dialogs == []
    assert requests == [attacked.as_uri()]
    assert page.locator("script, img, iframe, object, embed, textarea, [onload], [onerror]").count() == 0
    assert page.locator("style").count() == 1
    assert page.locator("svg:not(.bar)").count() == 0
    schemes = page.locator("a").evaluate_all("all => [...new Set(all.map(a => a.protocol))].sort()")
    assert set(schemes) <= {"file:", "http:", "https:"}
    assert page.locator(".verdict").is_visible()
    assert "<script>document.title='owned'</script>" in page.locator("main").inner_text()


def test_no_text_can_reorder_what_stands_beside_it(page: Page, attacked: Path) -> None:
    page.goto(attacked.as_uri())
    shown = page.locator("main").inner_text()
    assert "\\u202egnihtemos\\u202c" in shown
    assert not {"\u202e", "\u2066", "\u202c"} & set(shown)
    odd = page.locator("td, th, dd").evaluate_all(
        "all => all.filter(e => getComputedStyle(e).unicodeBidi !== 'isolate').length"
    )
    assert odd == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_ten_thousand_characters_without_a_blank_stay_inside(page: Page, attacked: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(attacked.as_uri())
    page.evaluate(UNFOLD)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator(".verdict .word").bounding_box()
    assert box is not None
    assert box["y"] < 800, "however long the texts are, the verdict is on the first screen"
