"""A waiver file beside the project is read by every run, and a mistake in it stops the run before it starts."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.plugin.conftest import GOOD

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

WAIVERS = """
schema = "ovirt-release-waivers/1"
page = "page-1"
[[waivers]]
id = "w1"
candidate = "{sha}"
cells = ["alpha"]
accepts = "unproven"
reason = "known"
approver = "Ann"
approved = 2020-01-01
expires = 2100-01-01
"""
APPROVER = '\n[[approvers]]\nname = "Ann"\nrole = "release manager"\n'


def waive(project: Project, name: str = "waivers.toml", **changes: str) -> None:
    sha = hashlib.sha256((project.root / "candidate.toml").read_bytes()).hexdigest()
    text = WAIVERS.format(sha=sha)
    for old, new in changes.items():
        text = text.replace(old, new)
    (project.root / name).write_text(text)
    page = project.root / "pages" / "page-1.toml"
    page.write_text(page.read_text() + APPROVER)
    project.suite(GOOD.replace('"""Alpha holds."""', "pytest.skip('no')"))


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_waived_must_makes_go_conditional(project: Project, workers: str) -> None:
    waive(project)
    result = project.run(workers)
    assert (result.ret, project.verdict()["verdict"]) == (11, "GO-CONDITIONAL")
    assert project.states()["alpha"] == "skipped"
    assert (project.folder() / "waivers.toml").read_text() == (project.root / "waivers.toml").read_text()
    assert result.outlines[-1].startswith("oVirt 9.9: GO-CONDITIONAL · must 1/2 proven, 1 waived")


def test_an_option_names_another_file(project: Project) -> None:
    waive(project, "others.toml")
    assert project.run().ret == 10
    assert project.run("--release-waivers", "others.toml").ret == 11


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("alpha", "alfa", "has no requirement 'alfa'; did you mean 'alpha'?"),
        ("cells", "sells", "unknown key"),
        ("[[waivers]]", "[[waivers", "not TOML"),
    ],
)
def test_a_mistake_in_it_stops_the_run_before_it_starts(
    project: Project, old: str, new: str, said: str
) -> None:
    waive(project, **{old: new})
    result = project.run()
    assert (result.ret, project.verdict()["verdict"]) == (4, "INVALID")
    result.stderr.fnmatch_lines([f"*{said}*"])


def test_a_file_for_another_page_is_for_other_runs(project: Project) -> None:
    waive(project, **{'page = "page-1"': 'page = "page-2"'})
    assert project.run().ret == 10
    result = project.run("--release-waivers", "waivers.toml")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*is for page page-2, not page-1*"])
