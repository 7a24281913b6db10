"""Inside pytest-html's page the verdict comes first, and no text of a test becomes HTML."""

from __future__ import annotations

import json
from html import unescape
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from pytest_ovirt_release.report import files, pytest_html

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict

pytest.importorskip("pytest_html", reason="pytest-html is not installed, and the plugin works without it")

PLUGIN = """
import pathlib
import pytest
from pytest_ovirt_release.report.pytest_html import PytestHtmlView
from pytest_ovirt_release.verdict.model import Verdict

found = []

def pytest_configure(config):
    config.pluginmanager.register(PytestHtmlView(lambda: found[0] if found else None), "release-html")

@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    found.append(Verdict.model_validate_json(pathlib.Path("verdict.json").read_bytes()))

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        item.user_properties += [("release.level", "must"), ("release.requirement", "vm-on-<b>nfs</b>")]
"""
TESTS = """
import pytest

@pytest.mark.parametrize("x", [1], ids=["<b id=inj>"])
def test_one(x):
    assert x
"""


def run(pytester: pytest.Pytester, verdict: Verdict, *arguments: str) -> str:
    files.write_verdict_json(verdict, pytester.path)
    pytester.makepyfile(release_view=PLUGIN, test_it=TESTS)
    pytester.syspathinsert()
    result = pytester.runpytest_subprocess("-p", "release_view", "--html=out.html", *arguments, timeout=60)
    result.assert_outcomes(passed=1)
    written: str = (pytester.path / "out.html").read_text(encoding="utf-8")
    return written


@pytest.mark.parametrize("arguments", [(), ("--self-contained-html",)])
def test_the_verdict_stands_in_the_summary(
    pytester: pytest.Pytester, no_go: Verdict, arguments: tuple[str, ...]
) -> None:
    page = run(pytester, no_go, *arguments)
    summary = page.split("<h2>Summary</h2>")[1].split("run-count")[0]
    assert "NO-GO (REHEARSAL)" in summary
    assert "never about an oVirt release" in summary
    assert "node-runs-vm[node-2]" in summary, "a cell for which no test ran is no row of pytest-html"
    assert '<th class="sortable" data-column-type="requirement">Requirement</th>' in page


def test_names_of_tests_and_requirements_are_no_html(pytester: pytest.Pytester, hostile: Verdict) -> None:
    page = run(pytester, hostile)
    assert "<script>alert(1)" not in page
    blob = json.loads(unescape(page.split('data-jsonblob="')[1].split('"')[0]))
    (rows,) = blob["tests"].values()
    cells = rows[0]["resultsTableRow"]
    assert [cell for cell in cells if "<b" in cell] == []
    assert any("&lt;b id=inj&gt;" in cell for cell in cells)
    assert '<td class="col-level">must</td>' in cells


def test_without_a_verdict_the_summary_says_so() -> None:
    prefix: list[str] = []
    view = pytest_html.PytestHtmlView(lambda: None)
    view.pytest_html_results_summary(prefix, [], [], cast("pytest.Session", None))
    assert "No verdict" in prefix[0]


def test_the_title_is_one_plain_line() -> None:
    report = SimpleNamespace(title="")
    pytest_html.PytestHtmlView(lambda: None, "oVirt\n3.0").pytest_html_report_title(report)
    assert report.title == "oVirt 3.0"


def test_waived_cells_and_refused_runs_are_named(conditional: Verdict) -> None:
    summary = "".join(pytest_html.summary_fragments(conditional))
    assert ">conflict, waived<" in summary
    assert ">waived by Alex Example until 2026-12-31: The guest" in summary
    refused = summary.split("Runs that were refused and do not count")[1].split("</ul>")[0]
    assert "20261120T080901Z-55aa.bundle.tar.gz: it is of another candidate" in refused


def test_hostile_waivers_and_refused_runs_are_no_html(hostile: Verdict) -> None:
    assert "<script" not in "".join(pytest_html.summary_fragments(hostile))
