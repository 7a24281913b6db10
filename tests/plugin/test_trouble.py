"""Bad input and trouble: one clear message, never GO, a verdict.json that says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.conftest import Project


def test_no_target_is_a_usage_error_that_names_the_choices(project: Project) -> None:
    (project.root / "target.toml").unlink()
    result = project.bare("-m", "must")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["*no target*--release-target lab*--release-target FILE*target new*docs/target-file.md*"]
    )
    assert project.verdict()["verdict"] == "INVALID"


@pytest.mark.parametrize(("typed", "meant"), [("lba", "lab"), ("targt.toml", "target.toml")])
def test_a_mistyped_target_gives_the_nearest(project: Project, typed: str, meant: str) -> None:
    result = project.bare(f"--release-target={typed}")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*{typed}: there is no such target file; did you mean '*{meant}'[?]*"])
    assert project.verdict()["verdict"] == "INVALID"


def test_a_live_run_says_who_and_that_it_may_change_things(project: Project) -> None:
    result = project.bare("--release-target", "target.toml")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--release-tester*", "*--release-allow-changes*"])
    assert project.verdict()["verdict"] == "INVALID"


BROKEN = [
    ("pages/page-1.toml", "id = ", "*page-1.toml*"),
    ("candidate.toml", 'page = "page-1"\nsurprise = 1\n', "*candidate.toml*"),
    ("target.toml", 'schema = "ovirt-release-target/1"\n', "*target.toml*"),
]


@pytest.mark.parametrize(("name", "content", "said"), BROKEN, ids=[b[0] for b in BROKEN])
def test_a_broken_input_is_named(project: Project, name: str, content: str, said: str) -> None:
    (project.root / name).write_text(content)
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines([said])
    verdict = project.verdict()
    assert verdict["verdict"] == "INVALID"
    assert Path(name).name in verdict["reasons"][0]["detail"]


@pytest.mark.parametrize("name", ["candidate.toml", "target.toml", "engine.password"])
def test_a_missing_input_is_named(project: Project, name: str) -> None:
    (project.root / name).unlink()
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*{name}*"])
    assert project.verdict()["verdict"] == "INVALID"


def test_a_fault_needs_the_lab(project: Project) -> None:
    result = project.run("--release-fault", "unsigned-tarball")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*breaks the lab*"])


def test_reports_that_cannot_be_written_end_the_run_at_once(project: Project) -> None:
    (project.root / "reports").write_text("a file where a folder should be")
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*cannot record this run in*reports*"])


USES_DATABASE = '''
import pytest

@pytest.mark.must("alpha")
def test_alpha(database):
    """Alpha holds."""
'''


@pytest.mark.parametrize("option", [(), ("--release-database", "postgresql://them@127.0.0.1:2/postgres")])
def test_the_target_s_database_is_used_unless_an_option_names_another(
    project: Project, option: tuple[str, ...]
) -> None:
    target = project.root / "target.toml"
    named = 'candidate = "candidate.toml"\ndatabase = "postgresql://us@127.0.0.1:1/postgres"'
    target.write_text(target.read_text().replace('candidate = "candidate.toml"', named))
    project.suite(USES_DATABASE)
    project.run(*option)
    details = [
        c["detail"] for r in project.verdict()["requirements"] for c in r["cells"] if c["id"] == "alpha"
    ]
    assert f"127.0.0.1:{2 if option else 1}" in details[0] or f"port {2 if option else 1} " in details[0]


def test_a_mirror_of_a_place_that_the_page_has_not_is_named(project: Project) -> None:
    target = project.root / "target.toml"
    target.write_text(target.read_text() + '[mirrors]\nnowhere = "https://mirror.example.org"\n')
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*mirrors: page page-1 has no place 'nowhere'*"])


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_run_that_read_a_place_elsewhere_says_so_and_is_no_go_without_condition(
    project: Project, workers: str
) -> None:
    page = project.root / "pages" / "page-1.toml"
    git = '[places]\ngit = "https://example.test"\n'
    page.write_text(f"{page.read_text()}{git}")
    assert (project.run(workers).ret, project.verdict()["verdict"]) == (0, "GO")
    target = project.root / "target.toml"
    target.write_text(target.read_text() + '[mirrors]\ngit = "https://staging.example.org"\n')
    assert (project.run(workers).ret, project.verdict()["verdict"]) == (11, "GO-CONDITIONAL")
    (reason,) = project.verdict()["reasons"]
    assert reason["code"] == "mirrored"
    assert "git" in reason["detail"]
    assert "https://staging.example.org" in reason["detail"]
