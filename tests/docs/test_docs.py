"""The documentation is true: what it shows is run, compared with the code, or read by the code that reads it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pytest_ovirt_release import cli
from pytest_ovirt_release.errors import CheckFailed
from pytest_ovirt_release.lab.faults import Fault
from pytest_ovirt_release.release.loading import parse_page
from tests.docs import reference
from tests.plugin.conftest import GOOD, REQUIREMENTS, Project, project
from tests.unit.test_readme import PAGES, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["project"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROGRAMS = {"./run", ".", "pytest", "ovirt-release"}
CHECKED = {
    ("README.md", "text"): "tests/unit/test_readme.py",
    ("README.md", "python"): "tests/unit/test_readme.py",
    ("target-file.md", "toml"): "tests/unit/test_readme.py",
    ("target-file.md", "text"): "tests/unit/test_readme.py",
    ("judging.md", "toml"): "tests/unit/test_readme.py",
    ("lab.md", "bash"): "tests/lab/test_other_clients.py",
    ("lab.md", "python"): "tests/lab/test_other_clients.py",
    ("tutorial.md", "text"): "here",
    ("new-requirement.md", "toml"): "here",
    ("new-requirement.md", "python"): "here",
    ("ci.md", "yaml"): "here",
    ("reference.md", "text"): "here",
    ("index.md", "{toctree}"): "here",
}
"""Which test looks at the fenced blocks of a language on a page; `sh` is looked at on every page."""


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def fenced() -> Iterator[tuple[str, str]]:
    for path in PAGES:
        inside = False
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("```"):
                inside = not inside
                if inside:
                    yield path.name, line.removeprefix("```").strip()


def test_no_snippet_is_looked_at_by_nobody() -> None:
    found = {(name, language) for name, language in fenced() if language != "sh"}
    assert found == set(CHECKED)


@pytest.mark.parametrize("path", [p for p in PAGES if p.name != "README.md"], ids=lambda p: p.name)
def test_every_command_is_of_a_program_we_check(path: Path) -> None:
    lines = [line for block in blocks("sh", path.read_text(encoding="utf-8")) for line in block.splitlines()]
    assert {line.split()[0] for line in lines} <= PROGRAMS


def test_the_reference_is_what_the_code_says() -> None:
    assert page("reference.md") == reference.text(), "stale: run python -m tests.docs.reference"


def test_every_page_is_in_the_contents() -> None:
    listed = {name for block in blocks("{toctree}", page("index.md")) for name in block.split()}
    written = {path.stem for path in DOCS.glob("*.md")} - {"index"}
    assert written <= listed


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_lead_to_headings_that_are_there() -> None:
    seen = 0
    for path in PAGES:
        for file, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", path.read_text(encoding="utf-8")):
            target = path.parent / file if file else path
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{path.name}: {file}#{anchor}"
            seen += 1
    assert seen


def test_the_workflow_calls_a_command_of_the_readme() -> None:
    (workflow,) = blocks("yaml", page("ci.md"))
    commands = re.findall(r"run: (.+)", workflow)
    readme = {line for block in blocks("sh") for line in block.splitlines()}
    assert commands
    assert set(commands) <= readme
    assert "permissions: {}" in workflow
    assert not [line for line in workflow.splitlines() if (len(line) - len(line.lstrip())) % 2]


def test_the_page_of_the_guide_can_be_read() -> None:
    (text,) = blocks("toml", page("new-requirement.md"))
    known = (ROOT / "acceptance" / "releases" / "ovirt-3.0.toml").read_text(encoding="utf-8")
    judged = parse_page(f"{known}\n{text}".encode(), Path("page.toml"))
    added = judged.requirements[-1]
    assert (added.id, added.level, added.axis) == ("release-announced", "should", "component")


def test_the_check_of_the_guide_accepts_and_refuses() -> None:
    check, _, fault = blocks("python", page("new-requirement.md"))
    names: dict[str, object] = {}
    exec(check, names)  # noqa: S102 - our own page
    announcement_in = names["announcement_in"]
    assert callable(announcement_in)
    assert announcement_in("3.0\n\nAnnouncement: https://example.org/1\n") == "https://example.org/1"
    with pytest.raises(CheckFailed) as raised:
        announcement_in("3.0\n")
    made = eval(fault.split("\n\n", 1)[1], {"Fault": Fault})  # noqa: S307 - our own page
    assert made.says in str(raised.value)


def test_the_test_of_the_guide_proves_its_requirement(project: Project) -> None:
    _, test, _ = blocks("python", page("new-requirement.md"))
    more = {"release-announced": ("should", "The release is announced", ', axis = "component"')}
    project.page(REQUIREMENTS | more)
    project.suite(f"{GOOD}\n{test}", requirements=[*REQUIREMENTS, *more])
    assert project.run().ret == 0
    assert project.states()["release-announced[vdsm]"] == "passed"


def test_the_tutorial_shows_what_happens(tmp_path: Path) -> None:
    text = page("tutorial.md")
    of_example, shown = blocks("text", text)
    example = (ROOT / "reports" / "example" / "console.txt").read_text(encoding="utf-8").splitlines()
    # The example's candidate is an rc1; the lab's has no rc.
    assert [example[-1].replace("oVirt 3.0 rc1:", "oVirt 3.0:")] == of_example.splitlines()
    commands = [line for block in blocks("sh", text) for line in block.splitlines()]
    (words,) = [shlex.split(line)[1:] for line in commands if line.startswith("pytest ")]
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "RELEASE_", "GITHUB_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "-p", "no:cacheprovider", "-o", f"release_reports={tmp_path}"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    lines = iter(done.stdout.splitlines())
    for line in shown.splitlines():
        assert line in lines, f"{line!r} was not said, or not in this order:\n{done.stdout}"
    latest = str(tmp_path / "latest")
    for name, code in (("verdict", 1), ("announce", 0)):
        (typed,) = [shlex.split(line)[1:] for line in commands if line.startswith(f"ovirt-release {name}")]
        told = CliRunner().invoke(cli.main, [latest if word == "reports/latest" else word for word in typed])
        assert told.exit_code == code, told.output
        assert told.output.splitlines()[-1].startswith("oVirt 3.0: NO-GO (REHEARSAL)")
    assert "Do not send this" in " ".join(told.output.split())
