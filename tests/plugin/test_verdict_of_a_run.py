"""pytest, run as a tester runs it, ends in the right verdict and exit code, with and without workers."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import GOOD, PASSWORD, Project

WORKERS = pytest.mark.parametrize("workers", ["-n0", "-n2"])


@WORKERS
def test_a_clean_run_is_go(project: Project, workers: str) -> None:
    result = project.run(workers)
    assert result.ret == 0, result.stdout.str()
    assert result.outlines[-1].startswith("oVirt 9.9: GO")
    assert project.verdict()["verdict"] == "GO"
    assert set(project.states().values()) == {"passed"}
    assert {p.name for p in project.folder().iterdir()} >= {
        "verdict.json",
        "acceptance.html",
        "announcement.md",
        "junit.xml",
        "journal",
        "evidence",
        "page.toml",
        "candidate.toml",
        "target.toml",
    }


@WORKERS
def test_the_musts_alone_are_a_complete_selection(project: Project, workers: str) -> None:
    result = project.run("-m", "must", workers)
    assert result.ret == 0, result.stdout.str()
    assert project.states()["gamma"] == "missing"


SPOILT = [
    ("must-fails", "def test_alpha():\n    assert False", 1, "failed"),
    ("must-skips", 'def test_alpha():\n    pytest.skip("no")', 10, "skipped"),
    ("xfail", '@pytest.mark.xfail(reason="known")\ndef test_alpha():\n    assert False', 1, "failed"),
    ("xpass", '@pytest.mark.xfail(reason="known", strict=False)\ndef test_alpha():\n    pass', 10, "flaky"),
    ("setup-error", '@pytest.fixture\ndef broken():\n    raise OSError("no")\n\ndef test_alpha(broken):\n    pass', 10, "errored"),
    ("crash", "import os\n\ndef test_alpha():\n    os._exit(9)", None, "errored"),
    ("blocked-unlawfully", 'from pytest_ovirt_release.errors import Blocked\n\ndef test_alpha():\n    raise Blocked("gamma", "no")', 10, "errored"),
    ("unreachable", 'from pytest_ovirt_release.errors import Unreachable\n\ndef test_alpha():\n    raise Unreachable("gone")', 10, "errored"),
    ("mistake", 'from pytest_ovirt_release.errors import ReleaseError\n\ndef test_alpha():\n    raise ReleaseError("mend it")', 10, "errored"),
    ("blocked-on-itself", 'from pytest_ovirt_release.errors import Blocked\n\ndef test_alpha():\n    raise Blocked("alpha", "in use")', 10, "blocked"),
    ("exit-zero", 'def test_alpha():\n    pytest.exit("bye", returncode=0)', None, None),
]  # fmt: skip


@WORKERS
@pytest.mark.parametrize(("name", "body", "code", "state"), SPOILT, ids=[s[0] for s in SPOILT])
def test_no_spoilt_must_is_go(
    project: Project, workers: str, name: str, body: str, code: int | None, state: str | None
) -> None:
    marked = body.replace("def test_alpha", '@pytest.mark.must("alpha")\ndef test_alpha')
    project.suite(
        GOOD.replace('@pytest.mark.must("alpha")\ndef test_alpha():\n    """Alpha holds."""', marked)
    )
    result = project.run(workers)
    assert result.ret != 0, result.stdout.str()
    assert project.verdict()["verdict"] not in {"GO", "GO-CONDITIONAL"}
    if name == "crash" and workers == "-n0":
        return  # the only process is gone: what it left must say INCOMPLETE, and does
    if code is not None:
        assert result.ret == code, result.stdout.str()
    if state is not None:
        assert project.states()["alpha"] == state


@WORKERS
@pytest.mark.parametrize(
    "narrowed",
    [["-k", "gamma"], ["--deselect", "acceptance/test_all.py::test_alpha"], ["-x", "-m", "should"]],
)
def test_a_narrowed_run_is_incomplete(project: Project, workers: str, narrowed: list[str]) -> None:
    result = project.run(workers, *narrowed)
    assert (result.ret, project.verdict()["verdict"]) == (10, "INCOMPLETE")
    result.stdout.fnmatch_lines(["*pytest -m must*"])


def test_a_single_test_by_its_id_leaves_the_rest_missing(project: Project) -> None:
    result = project.run("acceptance/test_all.py::test_alpha")
    assert result.ret == 10
    assert project.states() == {"alpha": "passed", "beta[vdsm]": "missing", "gamma": "missing"}


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


def test_listing_tests_computes_no_verdict(project: Project) -> None:
    result = project.bare("--co", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*no verdict was computed*"])
    assert not (project.root / "reports").exists()


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


def test_a_foreign_suite_is_left_alone(project: Project) -> None:
    (project.root / "other").mkdir()
    (project.root / "other" / "test_foreign.py").write_text("def test_x(): pass\n")
    result = project.bare("other")
    assert result.ret == 0
    assert "ovirt-release:" not in result.stdout.str()
    assert not (project.root / "reports").exists()
