"""GitHub shows the verdict's own words, and no text from outside becomes a command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release.report import github, github_job
from pytest_ovirt_release.verdict.model import Reason

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.verdict.model import Verdict

COMMAND = re.compile(r"::(error|warning|notice) title=[^:,\n\r]*::[^\n\r]*")


def kinds(verdict: Verdict) -> list[str]:
    return [line.split()[0].removeprefix("::") for line in github.workflow_commands(verdict)]


def test_a_no_go_has_an_error_for_each_reason_and_a_go_has_none(go: Verdict, no_go: Verdict) -> None:
    assert kinds(go) == ["notice"]
    assert "error" in kinds(no_go)
    errors = [line for line in github.workflow_commands(no_go) if line.startswith("::error")]
    assert any("vm-on-nfs" in line for line in errors)
    assert github.workflow_commands(no_go)[-1].endswith(no_go.last_line())


def test_conditions_are_warnings(conditional: Verdict) -> None:
    assert "error" not in kinds(conditional)
    assert "warning" in kinds(conditional)


def test_no_more_than_github_keeps(no_go: Verdict) -> None:
    many = tuple(Reason(code="x", cell=f"c{n}", detail=f"{n}") for n in range(40))
    found = kinds(no_go.model_copy(update={"reasons": many}))
    assert found.count("error") == github.MOST
    assert found.count("warning") <= github.MOST


def test_hostile_texts_are_one_command_each(hostile: Verdict) -> None:
    for line in github.workflow_commands(hostile):
        assert COMMAND.fullmatch(line), line
        assert "\u202e" not in line


@given(st.text(), st.text())
def test_whatever_is_said_is_one_line_and_one_command(title: str, message: str) -> None:
    line = github.command("error", title, message)
    assert COMMAND.fullmatch(line)
    assert len(line.splitlines()) == 1


def test_a_summary_too_large_for_github_still_says_the_verdict(no_go: Verdict) -> None:
    whole = github.summary(no_go)
    short = github.summary(no_go, github.LARGEST_SUMMARY - 1000)
    assert "vm-on-nfs" in whole
    assert len(short) < 1000
    assert no_go.last_line() in short


def test_outside_of_github_nothing_is_said_or_written(no_go: Verdict, tmp_path: Path) -> None:
    said: list[str] = []
    github_job.tell(no_go, {"GITHUB_STEP_SUMMARY": str(tmp_path / "s")}, said.append)
    assert said == []
    assert not (tmp_path / "s").exists()


def test_a_job_gets_annotations_and_a_summary_after_what_others_wrote(no_go: Verdict, tmp_path: Path) -> None:
    place = tmp_path / "s"
    place.write_text("of an earlier command\n")
    said: list[str] = []
    github_job.tell(no_go, {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(place)}, said.append)
    assert tuple(said) == github.workflow_commands(no_go)
    assert place.read_text() == "of an earlier command\n" + github.summary(no_go)


@pytest.mark.parametrize("place", [None, "gone/s"])
def test_a_summary_that_cannot_be_written_is_one_warning(
    no_go: Verdict, tmp_path: Path, place: str | None
) -> None:
    said: list[str] = []
    environment = {"GITHUB_ACTIONS": "true"} | (
        {"GITHUB_STEP_SUMMARY": str(tmp_path / place)} if place else {}
    )
    github_job.tell(no_go, environment, said.append)
    more = said[len(github.workflow_commands(no_go)) :]
    assert more == (
        ["::warning title=Summary::the job's summary cannot be written: No such file or directory"]
        if place
        else []
    )
