"""The verdict inside pytest-html's page: a convenience view; acceptance.html is the record.

pytest-html inserts summary and cells as raw HTML, drops crashed tests, and never hears of tests that did not
run: so everything here is escaped, and the summary says what its table cannot show.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_ovirt_release.report import pytest_html_extras, said, text, view, words
from pytest_ovirt_release.report.waivers import Waivers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_ovirt_release.report.view import Unproven
    from pytest_ovirt_release.verdict.model import Counts, Reason, Verdict

SHOWN = 50
"""How many cells that are not proven are listed; acceptance.html lists all."""

_LONGEST = 500
_COLORS = {"good": "#126327", "bad": "#a3121f", "warn": "#7a4a00", "": "#464c54", "title": "#1a1d21"}
_STATE_LIST = "border-collapse:collapse;margin:.5em 0"
_CELL = "text-align:left;vertical-align:top;padding:.2em .6em;border:1px solid #999"


class HtmlReport(Protocol):
    """What we touch of pytest-html's report object."""

    title: str


class PytestHtmlView:
    """Hooks of pytest-html; register it only where that plugin is present and active.

    pytest-html asks for the summary in its own `pytest_sessionfinish` (trylast): the verdict has to be there
    by then, so `get_verdict` may compute it on demand.
    """

    def __init__(
        self,
        get_verdict: Callable[[], Verdict | None],
        title: str = "oVirt release acceptance",
        *,
        get_folder: Callable[[], Path | None] = lambda: None,
        page: str | None = None,
    ) -> None:
        """Take how to get the verdict and the run's folder (None: there is none), the page's title and its file."""
        self._get_verdict = get_verdict
        self._get_folder = get_folder
        self._title = title
        self._page = page

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Cap what tests attach and make it harmless, before pytest-html keeps it."""
        # pytest's reports take any attribute; pytest-html's plugin sets this one.
        kept = vars(report)
        if "extras" in kept:
            kept["extras"] = pytest_html_extras.tame(kept["extras"])

    def pytest_html_report_title(self, report: HtmlReport) -> None:
        """Name the page; pytest-html escapes the title itself."""
        report.title = text.one_line(self._title)

    def pytest_html_results_summary(
        self,
        prefix: list[str],
        summary: list[str],  # noqa: ARG002 - pytest-html's name
        postfix: list[str],  # noqa: ARG002 - pytest-html's name
        session: pytest.Session,  # noqa: ARG002 - pytest-html's name
    ) -> None:
        """Put the verdict before everything else."""
        verdict = self._get_verdict()
        if verdict is None:
            prefix.append("<p><strong>No verdict was reached in this run.</strong></p>")
            return
        prefix.extend(summary_fragments(verdict))

    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Add the columns Level and Requirement after the result."""
        cells.insert(1, '<th class="sortable" data-column-type="level">Level</th>')
        cells.insert(2, '<th class="sortable" data-column-type="requirement">Requirement</th>')

    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Fill the two columns, link the evidence, and make the test's name harmless, which pytest-html inserts as it is."""
        facts = _facts(getattr(report, "user_properties", ()))
        cells.insert(1, f'<td class="col-level">{_escaped(facts.get("release.level", ""))}</td>')
        cells.insert(2, f'<td class="col-requirement">{_escaped(facts.get("release.requirement", ""))}</td>')
        name = report.nodeid if report.when == "call" else f"{report.nodeid}::{report.when}"
        for index, cell in enumerate(cells):
            if 'class="col-testId"' in cell:
                cells[index] = f'<td class="col-testId">{_escaped(name)}</td>'
            if 'class="col-links"' in cell and report.when == "call":
                found = pytest_html_extras.links(report.user_properties, self._get_folder(), self._page)
                cells[index] = f"{cell.removesuffix('</td>')}{found}</td>"


def summary_fragments(verdict: Verdict) -> list[str]:
    """Return the summary as HTML fragments, every outside text escaped."""
    mark = words.VERDICTS[verdict.verdict]
    title = f"{mark.symbol} {_escaped(words.subject(verdict))}: {_escaped(words.heading(verdict))}"
    look = f"font-size:1.6em;font-weight:bold;color:{_COLORS[mark.style]};background:#fff"
    fragments = [f'<p style="{look}">{title}</p>', f"<p>{_escaped(mark.meaning)}</p>"]
    if verdict.rehearsal:
        fragments.append(f"<p><strong>{words.REHEARSAL}.</strong> {_escaped(words.REHEARSAL_SENTENCE)}</p>")
    fragments.append(f"<p>Musts: {_counts(verdict.must)}. Shoulds: {_counts(verdict.should)}.</p>")
    fragments += _reasons(said.reasons(verdict))
    fragments += _not_proven(verdict)
    fragments += _refused(verdict)
    fragments.append(
        "<p>The table below is pytest's own view and leaves out tests that crashed or never ran. "
        "The record is <code>acceptance.html</code> and <code>verdict.json</code> in the run's folder.</p>"
    )
    return fragments


def _counts(counts: Counts) -> str:
    total = counts.proven + counts.disproven + counts.unproven + counts.waived
    return (
        f"{counts.proven} of {total} proven, {counts.disproven} disproven, {counts.unproven} unproven, "
        f"{counts.waived} waived"
    )


def _reasons(reasons: Sequence[Reason]) -> list[str]:
    if not reasons:
        return []
    groups = said.grouped(reasons)
    sentences = [f"{g.whom}: {g.detail}" if g.about else g.detail for g in groups[:SHOWN]]
    return _list("Why", sentences, sum(group.count for group in groups[SHOWN:]))


def _refused(verdict: Verdict) -> list[str]:
    runs = verdict.refused
    if not runs:
        return []
    sentences = [f"{run.name}: {run.detail}" for run in runs[:SHOWN]]
    return _list("Runs that were refused and do not count", sentences, len(runs) - SHOWN)


def _list(title: str, sentences: Sequence[str], more: int) -> list[str]:
    entries = [*sentences, *([f"… and {more} more in verdict.json"] if more > 0 else [])]
    shown = "".join(f"<li>{_escaped(entry)}</li>" for entry in entries)
    return [f"<p><strong>{title}</strong></p><ul>{shown}</ul>"]


def _not_proven(verdict: Verdict) -> list[str]:
    found = view.not_proven(verdict)
    if not found:
        return []
    head = "".join(
        f'<th scope="col" style="{_CELL}">{name}</th>' for name in ("What", "Level", "State", "Why")
    )
    waivers = Waivers(verdict)
    rows = "".join(
        "<tr>"
        + "".join(f'<td style="{_CELL}">{_escaped(value)}</td>' for value in _row(unproven, waivers))
        + "</tr>"
        for unproven in found[:SHOWN]
    )
    more = f"<p>… and {len(found) - SHOWN} more in acceptance.html</p>" if len(found) > SHOWN else ""
    title = "Not proven, tests that crashed or never ran among them"
    return [f'<table style="{_STATE_LIST}"><caption>{title}</caption><tr>{head}</tr>{rows}</table>{more}']


def _row(unproven: Unproven, waivers: Waivers) -> tuple[str, str, str, str]:
    """Return what, level, state and why; of what is waived, who accepts it stands before all that may be cut."""
    state, why = words.STATES[unproven.cell.state].word, unproven.why
    accepted = waivers.of(unproven.cell)
    if accepted is not None:
        state, why = f"{state}, {words.WAIVED.word}", f"{accepted.waived_by}: {why}"
    return unproven.cell.id, unproven.requirement.level, state, why


def _facts(properties: Any) -> dict[str, str]:  # noqa: ANN401 - whatever a test put there
    return {
        str(entry[0]): str(entry[1])
        for entry in properties
        if isinstance(entry, list | tuple) and len(entry) == 2  # noqa: PLR2004 - a pair
    }


def _escaped(value: object) -> str:
    return escape(text.shorten(text.visible(value), _LONGEST))
