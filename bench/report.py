"""How long the page of a large release takes to write and to show, and how large it is.

Nothing fails here: a busy machine must not break a build. Chromium's first paint is told where playwright and
Chromium are installed. Run it by `nox -s bench`, or `python -m bench.report`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench import made
from bench.ratios import Line
from pytest_ovirt_release.report import html
from pytest_ovirt_release.verdict.recompute import recompute
from pytest_ovirt_release.verdict.serial import verdict_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.verdict.model import Verdict

SIZES = {2_000: made.Size(50, 40), 20_000: made.Size(100, 200)}
BUDGETS = {2_000: 3.0}
"""The most that a page may weigh, in millions of bytes."""

CHROMIUM = Path("/usr/bin/chromium")
MEGABYTE = 1e6
# When the first pixel of text was there, and when the whole page was read; both in milliseconds since it was asked for.
PAINTED = """() => new Promise(done => {
  const told = () => {
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    const whole = performance.getEntriesByType('navigation')[0];
    if (paint && whole.loadEventEnd) done([paint.startTime, whole.loadEventEnd]); else setTimeout(told, 20);
  };
  told();
})"""


def main() -> None:
    """Print one line for each figure as soon as it is measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2,000 cells only")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        for cells in [2_000] if quick else SIZES:
            for line in _one(cells, Path(name) / str(cells)):
                print(line, flush=True)


def _one(cells: int, root: Path) -> Iterator[Line]:
    """Yield the figures of one size."""
    verdict = recompute(made.run_folder(root / "run", SIZES[cells]), None, None)
    count = sum(len(r.cells) for r in verdict.requirements)
    page = root / "acceptance.html"
    took = [_rendered(verdict, page) for _ in range(3)]
    yield Line(f"page of {count} cells: render, best of {len(took)}", min(took), "s")
    started = time.perf_counter()
    record = verdict_json(verdict)
    beside = time.perf_counter() - started
    yield Line("  beside writing the same verdict as JSON", min(took) / beside, "x", None, f"{beside:.2f} s")
    size, of_record = page.stat().st_size, len(record.encode())
    more = f"{size / count:.0f} bytes a cell; verdict.json {of_record / MEGABYTE:.1f} MB"
    yield Line("  size", size / MEGABYTE, "MB", BUDGETS.get(cells), more)
    yield from _shown(page)


def _rendered(verdict: Verdict, page: Path) -> float:
    """Return how many seconds the page takes to render."""
    started = time.perf_counter()
    text = html.render(verdict)
    took = time.perf_counter() - started
    page.write_text(text, encoding="utf-8")
    return took


def _shown(page: Path) -> Iterator[Line]:
    """Yield how long Chromium takes until something is seen, and until all is read."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - optional
    except ImportError:
        print("  first paint: not measured, playwright is not installed")
        return
    if not CHROMIUM.exists():
        print(f"  first paint: not measured, {CHROMIUM} is not installed")
        return
    found: list[tuple[float, float]] = []
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"], timeout=60_000
        )
        for _ in range(3):
            with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
                shown = context.new_page()
                shown.set_default_timeout(120_000)
                shown.goto(page.as_uri())
                paint, whole = shown.evaluate(PAINTED)
                found.append((paint, whole))
        browser.close()
    yield Line("  first paint in Chromium, median of 3", statistics.median(p for p, _ in found), "ms")
    yield Line("  whole page read, median of 3", statistics.median(w for _, w in found), "ms")


if __name__ == "__main__":
    main()
