"""The example page in a real browser: from disk, without scripts, on a phone and on a desk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]
# Everything folded is unfolded, and laid out wherever it is.
UNFOLD = """() => {
  document.querySelectorAll('details').forEach(d => d.open = true);
  document.querySelectorAll('article').forEach(a => a.style.contentVisibility = 'visible');
}"""
# WCAG 2.1 contrast of every element that holds text of its own, against the nearest painted ground.
CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)} ${e.textContent.slice(0, 40)}`);
  }
  return bad;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for this file; a machine without one skips these tests and says so."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed: the page is not looked at in a browser")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS, timeout=60_000)
        yield chromium
        chromium.close()


@pytest.fixture
def requests() -> list[str]:
    """Everything the page asked for."""
    return []


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader without scripts."""
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, requests: list[str]) -> Page:
    """The page of the rehearsal that is a NO-GO, which shows everything there is."""
    page = context.new_page()
    page.on("request", lambda request: requests.append(request.url))
    page.goto((EXAMPLE / "no-go" / "acceptance.html").as_uri())
    return page


def test_the_first_screen_answers(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    seen = page.locator("body").inner_text()
    assert "NO-GO (REHEARSAL)" in seen
    banner = page.get_by_role("note")
    assert "evidence about this suite, never about an oVirt release" in banner.inner_text()
    for text in ("NO-GO (REHEARSAL)", "Candidate 3.0.0 rc1 · target lab", "no processor ever ran the guest"):
        box = page.get_by_text(text).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900, f"{text!r} is below the first screen"


def test_nothing_is_asked_for_but_the_page_itself(page: Page, requests: list[str]) -> None:
    assert requests == [page.url]


def test_landmarks_and_headers_are_there(page: Page) -> None:
    for role in ("banner", "main", "navigation", "contentinfo"):
        assert page.locator(f"role={role}").count() == 1, role
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("rowheader").count() > 30
    assert page.get_by_role("columnheader").count() > 10


def test_evidence_opens_without_scripts(page: Page) -> None:
    article = page.locator("#r-source-tag")
    detail = article.get_by_text("refs/tags/vdsm-4.9.3")
    assert not detail.is_visible()
    article.get_by_text("Evidence: 3").nth(1).click()
    assert detail.is_visible()


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1920])
@pytest.mark.parametrize("name", ["acceptance.html", "no-go/acceptance.html", "conditional/acceptance.html"])
def test_nothing_scrolls_sideways(browser: Browser, name: str, width: int) -> None:
    size: ViewportSize = {"width": width, "height": 800}
    with browser.new_context(viewport=size) as context:
        page = context.new_page()
        page.goto((EXAMPLE / name).as_uri())
        page.evaluate(UNFOLD)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["no-go", "conditional"])
def test_contrast_is_enough(browser: Browser, name: str, scheme: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto((EXAMPLE / name / "acceptance.html").as_uri())
        assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_verdict_is_never_broken_in_two(browser: Browser, width: int) -> None:
    size: ViewportSize = {"width": width, "height": 800}
    with browser.new_context(viewport=size) as context:
        page = context.new_page()
        page.goto((EXAMPLE / "conditional" / "acceptance.html").as_uri())
        word = page.locator(".verdict .whole")
        assert word.inner_text() == "! GO-CONDITIONAL"
        assert word.evaluate("e => e.getClientRects().length") == 1, (
            "a line that says GO alone would be a lie"
        )
        box = word.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width - 16


@pytest.mark.parametrize("width", [320, 390])
def test_headers_of_tables_hide_nothing_on_a_phone(browser: Browser, width: int) -> None:
    size: ViewportSize = {"width": width, "height": 800}
    with browser.new_context(viewport=size) as context:
        page = context.new_page()
        page.goto((EXAMPLE / "conditional" / "acceptance.html").as_uri())
        heads = page.locator("table.wide thead, table.cells thead")
        assert heads.count() > 10
        sizes = heads.evaluate_all("all => all.map(e => Math.max(e.offsetWidth, e.offsetHeight))")
        assert max(sizes) <= 1


def test_a_waived_cell_leads_to_its_waiver(browser: Browser) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((EXAMPLE / "conditional" / "acceptance.html").as_uri())
        page.locator("#r-vm-on-nfs").get_by_role("link", name="waiver nfs-on-robins-machine").click()
        row = page.locator("tr:target")
        assert "name not authenticated" in row.inner_text()
        assert "Alex Example" in row.inner_text()


def test_testers_side_by_side_scroll_in_their_own_box(browser: Browser) -> None:
    with browser.new_context(viewport={"width": 320, "height": 800}) as context:
        page = context.new_page()
        page.goto((EXAMPLE / "conditional" / "acceptance.html").as_uri())
        box = page.get_by_role("region", name="Who found what").and_(page.locator(".scroll"))
        assert box.evaluate("e => e.scrollWidth > e.clientWidth")
        box.focus()
        page.keyboard.press("ArrowRight")
        for _ in range(100):  # it scrolls smoothly; the page's policy forbids waiting by a script of ours
            if box.evaluate("e => e.scrollLeft") > 0:
                break
            page.wait_for_timeout(50)
        assert box.evaluate("e => e.scrollLeft") > 0


def test_it_prints_to_a4_in_dark_mode_too(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    assert page.pdf(format="A4").startswith(b"%PDF-")
