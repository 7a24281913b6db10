"""What a run says on terminals of every kind: with and without colour, Unicode, words, and in a GitHub job."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.plugin.conftest import GOOD, Project

LAST = re.compile(
    r"oVirt 9\.9: (GO|NO-GO|INCOMPLETE|GO-CONDITIONAL|INVALID) (·|-) must \d+/\d+ proven.* (·|-) should .* exit \d+"
)
BAD = GOOD.replace('"""Alpha holds."""', 'assert False, "no · alpha"')


@pytest.fixture(autouse=True)
def a_plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 80 columns; nothing that the machine of these tests says about colours, encodings or CI."""
    for name in (
        "NO_COLOR",
        "FORCE_COLOR",
        "PY_COLORS",
        "LC_ALL",
        "PYTHONIOENCODING",
        "GITHUB_ACTIONS",
        "GITHUB_STEP_SUMMARY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def said(project: Project, *arguments: str) -> list[str]:
    return project.run(*arguments).stdout.lines


def test_the_header_is_two_lines_and_the_last_line_is_for_machines(project: Project) -> None:
    lines = said(project)
    header = [line for line in lines if line.startswith("ovirt-release:")]
    assert len(header) == 2
    assert header[0] == "ovirt-release: oVirt 9.9 on target staging"
    assert header[1].startswith("ovirt-release: recorded in ")
    assert LAST.fullmatch(lines[-1])


@pytest.mark.parametrize("arguments", [("--no-header",), ("-q",), ("-q", "-n2")])
def test_no_header_and_q_leave_the_header_out(project: Project, arguments: tuple[str, ...]) -> None:
    lines = said(project, *arguments)
    assert not [line for line in lines if line.startswith("ovirt-release:")]
    assert LAST.fullmatch(lines[-1])


def test_q_leaves_out_what_is_well_and_qq_all_but_the_last_line(project: Project) -> None:
    project.suite(BAD)
    whole, quiet, quietest = (said(project, *words) for words in ((), ("-q",), ("-qq",)))
    assert any(line.startswith("✓ gamma") for line in whole)
    assert not any(line.startswith("✓ ") for line in quiet)
    assert any(line.startswith("✗ alpha") for line in quiet)
    assert not any(line.startswith(("✗ alpha", "Why", "Reports")) for line in quietest)
    assert whole[-1] == quiet[-1] == quietest[-1]
    assert LAST.fullmatch(whole[-1])


def test_colour_is_pytests_own_and_never_in_no_color(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PY_COLORS")  # pytester sets it, and it beats the two below
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = said(project)
    assert "\x1b[32m" in coloured[-1]
    monkeypatch.setenv("NO_COLOR", "1")
    plain = said(project)
    assert not [line for line in plain if "\x1b" in line]
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured[-1]) == plain[-1]


WITHOUT_UNICODE = {
    "strict": {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("terminal", WITHOUT_UNICODE.values(), ids=WITHOUT_UNICODE)
def test_a_terminal_without_unicode_gets_ascii(
    project: Project, monkeypatch: pytest.MonkeyPatch, terminal: dict[str, str]
) -> None:
    project.suite(BAD)
    for name, value in terminal.items():
        monkeypatch.setenv(name, value)
    lines = said(project, "-p", "no:html")
    assert LAST.fullmatch(lines[-1])
    assert any(line.startswith("X alpha") for line in lines)
    assert "".join(lines).isascii()
    program = Path(sys.executable).with_name("ovirt-release")
    again = project.pytester.run(program, "verdict", project.folder())
    assert again.outlines[-1] == lines[-1]
    assert "".join(again.outlines).isascii()


def test_a_bare_locale_changes_nothing_but_symbols(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers and CI jobs often have no locale at all; Python speaks UTF-8 there, and so do we."""
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("PYTHONUTF8", raising=False)
    lines = said(project)
    assert LAST.fullmatch(lines[-1])
    assert any(line.startswith(("✓ gamma", "+ gamma")) for line in lines)


def test_the_table_fits_80_columns(project: Project) -> None:
    project.suite(BAD)
    lines = said(project)
    start = next(n for n, line in enumerate(lines) if line.startswith("  requirement "))
    assert [line for line in lines[start:-1] if len(line) > 80 and len(line.split()) > 1] == []
    assert lines[start].index("level") == lines[start + 1].index("must"), "a header stands above its column"


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_github_job_gets_annotations_a_summary_and_the_same_last_line(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workers: str
) -> None:
    project.suite(BAD)
    plain = said(project, workers)
    assert not [line for line in plain if line.startswith("::")]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    lines = said(project, workers)
    errors = [line for line in lines if line.startswith("::error title=")]
    assert any("alpha" in line and "no · alpha" in line for line in errors)
    assert lines[-1] == plain[-1]
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert summary == (project.folder() / "announcement.md").read_text(encoding="utf-8")


def test_a_summary_that_cannot_be_written_changes_no_exit_code(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    result = project.run()
    assert result.ret == 0
    assert (
        "::warning title=Summary::the job's summary cannot be written: Is a directory" in result.stdout.lines
    )
