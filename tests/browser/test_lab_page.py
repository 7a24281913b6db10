"""The lab's page in a real browser: it follows what the lab does, and a hostile name does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.test_acceptance_page import ARGUMENTS, CHROMIUM
from tests.lab.engine.fakes import Bench, FakePki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, FakePki.make(tmp_path))
    yield bench
    bench.close()


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def page(request: pytest.FixtureRequest, bench: Bench) -> Iterator[Page]:
    """The page as a browser with or without scripts sees it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed: the page is not looked at in a browser")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS, timeout=60_000)
        page = chromium.new_page(java_script_enabled=request.param)
        page.set_default_timeout(15_000)
        page.goto(bench.engine.plain_base)
        yield page
        chromium.close()


def test_the_page_follows_the_lab(page: Page, bench: Bench) -> None:
    assert page.url == f"{bench.engine.plain_base}/ovirt-engine/"
    assert "This is no oVirt engine" in page.get_by_role("banner").inner_text()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    hostile = "<img src=x onerror=alert(1)>"
    next(iter(bench.engine.core.state.hosts.values())).name = hostile
    bench.engine.core.event(828, "Host late registered.", user="nobody")
    page.get_by_role("cell", name="Host late registered.").wait_for()
    assert page.get_by_role("cell", name=hostile, exact=True).is_visible()
    assert page.locator("img").count() == 0
    assert dialogs == []
