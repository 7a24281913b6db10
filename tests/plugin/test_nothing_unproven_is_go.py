"""No road on which something stays unproven, unread or unsaid ends in GO, in exit code 0, or in a secret shown."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import GOOD, PASSWORD, Project

ALPHA = '@pytest.mark.must("alpha")\ndef test_alpha():\n    """Alpha holds."""'
WORKERS = pytest.mark.parametrize("workers", ["-n0", "-n2"])
TWICE = '@pytest.mark.parametrize("x", [1, 2])\n'


def alpha(body: str) -> str:
    """Return the good suite with another test for alpha."""
    assert ALPHA in GOOD
    return GOOD.replace(ALPHA, body)


@pytest.mark.parametrize("first", ["assert x == 2", "if x == 1:\n        pytest.skip('no')"])
def test_one_parameter_that_passes_says_nothing_of_another(project: Project, first: str) -> None:
    project.suite(alpha(f'{TWICE}@pytest.mark.must("alpha")\ndef test_alpha(x):\n    {first}'))
    assert project.run().ret != 0
    assert project.states()["alpha"] in {"failed", "skipped"}


def test_a_parameter_that_no_id_named_is_missing(project: Project) -> None:
    project.suite(alpha(f'{TWICE}@pytest.mark.must("alpha")\ndef test_alpha(x):\n    pass'))
    file = "acceptance/test_all.py"
    assert project.run(f"{file}::test_alpha[1]", f"{file}::test_beta").ret == 10
    assert project.states()["alpha"] == "missing"


UNREAD = {
    "module": 'pytestmark = pytest.mark.must("alpha")\ndef test_more():\n    assert 0',
    "class": '@pytest.mark.must("alpha")\nclass TestMore:\n    def test_more(self):\n        assert 0',
    "alias": 'must = pytest.mark.must\n@must("alpha")\ndef test_more():\n    assert 0',
    "no-id": "@pytest.mark.must\ndef test_more():\n    pass",
    "keyword": '@pytest.mark.must(id="alpha")\ndef test_more():\n    pass',
    "condition": 'if True:\n    @pytest.mark.must("alpha")\n    def test_more():\n        assert 0',
    "shadowed": '@pytest.mark.must("alpha")\ndef test_more():\n    assert 0\ndef test_more():\n    pass',
}


@pytest.mark.parametrize("source", UNREAD.values(), ids=UNREAD)
def test_a_mark_that_cannot_be_read_from_the_source_is_refused(project: Project, source: str) -> None:
    (project.root / "acceptance" / "test_more.py").write_text(f"import pytest\n{source}\n")
    result = project.run("acceptance/test_all.py")
    assert (result.ret, project.verdict()["verdict"]) == (4, "INVALID")
    result.stderr.fnmatch_lines(["*cannot be read*", "*test_more*"])


@WORKERS
def test_a_mark_that_only_pytest_sees_is_refused(project: Project, workers: str) -> None:
    source = (
        'import pytest\nhidden = getattr(pytest.mark, "must")\n@hidden("alpha")\ndef test_more():\n    pass\n'
    )
    (project.root / "acceptance" / "test_more.py").write_text(source)
    result = project.run(workers)
    assert (result.ret, project.verdict()["verdict"]) == ({"-n0": 4, "-n2": 12}[workers], "INVALID")
    result.stdout.fnmatch_lines(["*test_more.py::test_more*cannot be read*"])


EXPECTED = {
    "test_more.py": "class TestMore(unittest.IsolatedAsyncioTestCase):\n    @pytest.mark.must('alpha')\n"
    "    async def test_more(self):\n        assert 0",
    "more_test.py": "@pytest.mark.must('alpha')\ndef test_more():\n    assert 0",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_tests_of_every_form_that_pytest_collects_are_expected(project: Project, name: str) -> None:
    (project.root / "acceptance" / name).write_text(f"import pytest\nimport unittest\n{EXPECTED[name]}\n")
    assert project.run("acceptance/test_all.py").ret == 10
    assert project.states()["alpha"] == "missing"


@pytest.mark.parametrize("arguments", [["-n2"], ["-n0", "--continue-on-collection-errors"]])
def test_a_file_that_cannot_be_collected_spoils_the_run(project: Project, arguments: list[str]) -> None:
    (project.root / "acceptance" / "test_more.py").write_text("import there_is_no_such_module\n")
    result = project.run(*arguments)
    assert (result.ret, project.verdict()["verdict"]) == (10, "INCOMPLETE")
    (why,) = project.verdict()["reasons"]
    assert "test_more.py could not be collected: ModuleNotFoundError: No module" in why["detail"]


def test_a_test_of_no_requirement_that_is_blocked_is_a_failing_test(project: Project) -> None:
    error = "from pytest_ovirt_release.errors import Blocked"
    project.suite(f'{GOOD}\n{error}\ndef test_more():\n    raise Blocked("alpha", "no")\n')
    assert project.run().ret == 1


def test_a_suite_that_is_not_where_the_project_says_is_refused(project: Project) -> None:
    result = project.bare("--rootdir", "pages", "-c", "pyproject.toml", "acceptance")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*release_suite: *is no folder under rootdir*"])


@WORKERS
def test_tests_of_the_suite_do_not_run_unjudged(project: Project, workers: str) -> None:
    (project.root / "acceptance" / "__init__.py").touch()
    result = project.bare(workers, "--pyargs", "-o", "pythonpath=.", "acceptance.test_all")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*tests of the release suite are named by path*"])


@WORKERS
def test_a_secret_is_masked_wherever_pytest_prints(project: Project, workers: str) -> None:
    project.suite(f"""{GOOD}
SECRET = "{PASSWORD}"
def test_skip():
    pytest.skip(SECRET)
def test_xfail():
    pytest.xfail(SECRET)
def test_property(record_property):
    record_property("name", SECRET)
def test_subtest(subtests):
    with subtests.test("one"):
        print(SECRET)
        assert 0
def test_warning():
    import warnings
    warnings.warn(SECRET)
""")
    (project.root / "acceptance" / "test_more.py").write_text(f"raise ValueError('{PASSWORD}')\n")
    junit = ("--junitxml", "junit.xml", "--continue-on-collection-errors")
    result = project.run(workers, "-rA", *junit, "-W", "default")
    everything = result.stdout.str() + result.stderr.str() + (project.root / "junit.xml").read_text()
    assert PASSWORD not in everything
    assert "INTERNALERROR" not in everything
    assert "Traceback (most" not in everything


def test_what_cannot_cross_from_a_worker_is_made_to(project: Project) -> None:
    body = "import pathlib\n    record_property('path', pathlib.Path('/x'))\n    print('\\udcff')"
    project.suite(GOOD.replace("def test_alpha():", f"def test_alpha(record_property):\n    {body}"))
    result = project.run("-n2", "-rA")
    assert result.ret == 0, result.stdout.str()
