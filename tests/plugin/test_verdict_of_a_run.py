"""pytest, run as a tester runs it, ends in the right verdict and exit code, with and without workers."""

from __future__ import annotations

import re

import pytest

from tests.plugin.conftest import GOOD, PASSWORD, Project

WORKERS = pytest.mark.parametrize("workers", ["-n0", "-n2"])


@WORKERS
def test_the_musts_alone_are_a_complete_selection(project: Project, workers: str) -> None:
    result = project.run("-m", "must", workers)
    assert result.ret == 0, result.stdout.str()
    assert project.states()["gamma"] == "missing"


def test_an_uncontrolled_check_makes_go_conditional(project: Project) -> None:
    project.suite(GOOD, controlled=False)
    assert project.run().ret == 11
    assert project.verdict()["verdict"] == "GO-CONDITIONAL"


def test_a_secret_reaches_no_output(project: Project) -> None:
    project.suite(GOOD.replace('"""Alpha holds."""', f'print("{PASSWORD}"); assert "{PASSWORD}" == 1'))
    result = project.run("--html", "report.html", "--self-contained-html", "-o", "addopts=")
    everything = result.stdout.str() + result.stderr.str() + (project.root / "report.html").read_text()
    for path in project.folder().rglob("*"):
        if path.is_file():
            everything += path.read_text(errors="replace")
    assert PASSWORD not in everything
    assert "***" in everything


@WORKERS
@pytest.mark.parametrize("page", ["report.html", "elsewhere/report.html"])
def test_pytest_html_links_the_evidence_where_it_is(project: Project, workers: str, page: str) -> None:
    project.suite(GOOD.replace("def test_alpha(", "def test_alpha(evidence, ").replace(
        '"""Alpha holds."""', '"""Alpha holds."""\n    evidence.file("proof.txt", b"proof")'
    ))  # fmt: skip
    project.run("--html", page, "--self-contained-html", workers, "-o", "addopts=")
    written = project.root / page
    found = re.findall(r"href=\\?&#34;([^&]*proof[.]txt)", written.read_text(encoding="utf-8"))
    assert found
    assert {(written.parent / link).resolve().read_bytes() for link in found} == {b"proof"}


@WORKERS
def test_without_pytest_html_there_is_a_verdict_all_the_same(project: Project, workers: str) -> None:
    result = project.run("-m", "must", workers, "-p", "no:html")
    assert result.ret == 0, result.stdout.str()
    assert project.verdict()["verdict"] == "GO"


@WORKERS
def test_marks_that_do_not_fit_the_page_are_told_together(project: Project, workers: str) -> None:
    project.suite(
        GOOD
        + '\n@pytest.mark.must("delta")\ndef test_delta():\n    pass\n'
        + '\n@pytest.mark.must("gamma")\ndef test_level():\n    pass\n'
        + '\n@pytest.mark.must("beta")\ndef test_axis(node):\n    pass\n'
    )
    result = project.run(workers)
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["*test_delta*no such requirement*", "*test_level*page says should*", "*test_axis*per component*"]
    )
    assert project.verdict()["verdict"] == "INVALID"


UNMARKED = """
@pytest.fixture
def torn():
    yield
    assert not TORN

TORN = False

def test_without_mark(torn, subtests, evidence):
    print("said aloud")
    with subtests.test("within"):
        assert True
"""


@WORKERS
def test_what_passes_without_a_mark_is_neither_recorded_nor_in_the_way(
    project: Project, workers: str
) -> None:
    project.suite(GOOD + UNMARKED)
    result = project.run(workers)
    assert result.ret == 0, result.stdout.str()
    journals = list((project.folder() / "journal").glob("*.jsonl"))
    assert journals
    assert not any("without_mark" in path.read_text() for path in journals)


@WORKERS
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("assert True", "assert 1 == 2, 'in a subtest'"), "in a subtest"),
        (("TORN = False", "TORN = True"), "assert not True"),
        (('print("said aloud")', "assert 1 == 2, 'in the body'"), "in the body"),
        (('print("said aloud")', "evidence.fact('k', 1, 's')"), "marked neither must nor should"),
    ],
)
def test_what_fails_without_a_mark_is_no_go_and_named(
    project: Project, workers: str, change: tuple[str, str], said: str
) -> None:
    project.suite(GOOD + UNMARKED.replace(*change))
    assert project.run(workers).ret == 1
    (reason,) = project.verdict()["reasons"]
    assert reason["code"] == "unmapped-failure"
    assert "test_without_mark failed and belongs to no requirement" in reason["detail"]
    assert said in reason["detail"]


def test_a_foreign_suite_is_left_alone(project: Project) -> None:
    (project.root / "other").mkdir()
    (project.root / "other" / "test_foreign.py").write_text("def test_x(): pass\n")
    result = project.bare("other")
    assert result.ret == 0
    assert "ovirt-release:" not in result.stdout.str()
    assert not (project.root / "reports").exists()
