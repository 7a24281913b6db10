"""Every way a run can go wrong, as data: what happens, and what has to become of the must that it happens to.

`test_no_false_go.py` runs each of them, and `docs/states.md` shows them as tables (see `states.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_ovirt_release.verdict.states import State, Word

BOTH = ("-n0", "-n2")
NO_RUN = None
"""Stands for the verdict and the state where pytest left no run folder."""


@dataclass(frozen=True)
class Case:
    """One way: `says` in plain words what happens, `state` what the must's cell is then.

    The state is what `ovirt-release verdict` reads off what the run left, even where pytest gave no verdict.
    In `source`, and in `more` for a second file, MUST stands for the mark of the must, NAME for its name in a
    function's. `with_workers`: state and exit code where pytest ends differently with workers (-n2) than without
    (-n0); `or_code` where a race among workers decides.
    """

    name: str
    says: str
    state: State | None
    source: str = ""
    word: Word | None = "INCOMPLETE"
    code: int = 10
    with_workers: tuple[State | None, int] | None = None
    or_code: int | None = None
    conftest: str = ""
    more: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    modes: tuple[str, ...] = BOTH

    def expected(self, mode: str) -> tuple[State | None, int]:
        """Return the cell's state and the process's exit code in one mode."""
        return self.with_workers if mode != "-n0" and self.with_workers else (self.state, self.code)

    def text(self) -> str:
        """Return the test's source, marked and named by a must of its own."""
        return marked(self.source, self.name)


def marked(source: str, must: str) -> str:
    """Return a source for a must."""
    return source.replace("MUST", f'@pytest.mark.must("{must}")').replace("NAME", must.replace("-", "_"))


def failed(name: str, says: str, source: str) -> Case:
    """Return a case that disproves its must."""
    return Case(name, says, "failed", source, "NO-GO", 1)


FAILED = (
    failed("assertion", "an assertion of the test fails", "MUST\ndef test_NAME():\n    assert 1 == 2"),
    failed("check-failed", "a check finds that the requirement does not hold (`CheckFailed`)", "MUST\ndef test_NAME():\n    raise CheckFailed('some-code', 'no')"),
    failed("pytest-fail", "the test calls `pytest.fail()`", "MUST\ndef test_NAME():\n    pytest.fail('no')"),
    failed("subtest-fails", "a subtest fails in a test that passes", "MUST\ndef test_NAME(subtests):\n    with subtests.test('one'):\n        assert 0"),
    failed("subtest-xfails", "a subtest calls `pytest.xfail()` in a test that passes", "MUST\ndef test_NAME(subtests):\n    with subtests.test('one'):\n        pytest.xfail('known')"),
    failed("unittest-fails", "a unittest test fails", "class TestFails(unittest.TestCase):\n    MUST\n    def test_NAME(self):\n        self.fail('no')"),
    failed("unittest-subtest", "a unittest `subTest` fails", "class TestSub(unittest.TestCase):\n    MUST\n    def test_NAME(self):\n        with self.subTest(1):\n            self.fail('no')"),
    failed("xfail", "the test is marked xfail, and fails", "MUST\n@pytest.mark.xfail(strict=False, reason='known')\ndef test_NAME():\n    assert 0"),
    failed("xfail-strict", "the same, strict", "MUST\n@pytest.mark.xfail(strict=True, reason='known')\ndef test_NAME():\n    assert 0"),
    failed("xfail-not-run", "the test is marked `xfail(run=False)`", "MUST\n@pytest.mark.xfail(run=False, reason='known')\ndef test_NAME():\n    pass"),
    failed("xfail-in-body", "the test calls `pytest.xfail()`", "MUST\ndef test_NAME():\n    pytest.xfail('known')"),
    failed("expected-failure", "a unittest test fails, and is marked `expectedFailure`", "class TestExpected(unittest.TestCase):\n    MUST\n    @unittest.expectedFailure\n    def test_NAME(self):\n        self.fail('no')"),
    failed("rerun-fails", "the test is run again after its failure, and fails again", "MUST\n@pytest.mark.flaky(reruns=2)\ndef test_NAME():\n    assert 0"),
)  # fmt: skip
"""What one test can do to disprove its must; they run together in one project."""

UNPROVEN = (
    Case("attribute-error", "the test itself is broken: AttributeError", "errored", "MUST\ndef test_NAME():\n    None.nothing"),
    Case("import-error", "the test itself is broken: ImportError", "errored", "MUST\ndef test_NAME():\n    import there_is_no_such_module"),
    Case("type-error", "the test itself is broken: TypeError", "errored", "MUST\ndef test_NAME():\n    len(1)"),
    Case("unreachable", "what is tested does not answer (`Unreachable`)", "errored", "MUST\ndef test_NAME():\n    raise Unreachable('gone')"),
    Case("mistake", "a file of the tester's has a mistake (`ReleaseError`)", "errored", "MUST\ndef test_NAME():\n    raise ReleaseError('mend it')"),
    Case("returns", "the test returns something, such as `return False`, where it should assert", "errored", "MUST\ndef test_NAME():\n    return False"),
    Case("unittest-returns", "a unittest test returns something", "errored", "class TestReturns(unittest.TestCase):\n    MUST\n    def test_NAME(self):\n        return False"),
    Case("thread-fails", "an exception ends a thread of the test", "errored", "MUST\ndef test_NAME():\n    thread = threading.Thread(target=len)\n    thread.start()\n    thread.join()"),
    Case("async", "the test is `async` and no plugin runs it", "errored", "MUST\nasync def test_NAME():\n    assert 0"),
    Case("system-exit", "the test calls `sys.exit(0)`", "errored", "MUST\ndef test_NAME():\n    sys.exit(0)"),
    Case("base-exception", "the test raises a BaseException of its own", "errored", "MUST\ndef test_NAME():\n    raise GeneratorExit"),
    Case("memory-error", "the test runs out of memory", "errored", "MUST\ndef test_NAME():\n    raise MemoryError"),
    Case("set-up-error", "a fixture fails in its set-up", "errored", "@pytest.fixture\ndef breaks():\n    raise OSError('no')\n\nMUST\ndef test_NAME(breaks):\n    pass"),
    Case("set-up-assertion", "an assertion of a fixture fails in its set-up", "errored", "@pytest.fixture\ndef denies():\n    assert 0\n\nMUST\ndef test_NAME(denies):\n    pass"),
    Case("set-up-exit", "a fixture calls `sys.exit(0)`", "errored", "@pytest.fixture\ndef leaves():\n    sys.exit(0)\n\nMUST\ndef test_NAME(leaves):\n    pass"),
    Case("teardown-error", "the test passes, and a fixture fails in its teardown", "errored", "@pytest.fixture\ndef breaks_later():\n    yield\n    raise OSError('no')\n\nMUST\ndef test_NAME(breaks_later):\n    pass"),
    Case("class-teardown", "the same with a fixture of a class", "errored", "class TestTeardown:\n    @pytest.fixture(scope='class')\n    def breaks_last(self):\n        yield\n        assert 0\n\n    MUST\n    def test_NAME(self, breaks_last):\n        pass"),
    Case("lawless-block", "the test is blocked on what the page does not name among its needs", "errored", "MUST\ndef test_NAME():\n    raise Blocked('elsewhere', 'no')"),
    Case("forged-write", "the test replaces `os.write`, so that its own records are lost", "errored", "MUST\ndef test_NAME(monkeypatch):\n    monkeypatch.setattr(os, 'write', lambda fd, data: len(data))\n    assert 0"),
    Case("own-block", "the test is blocked on its own requirement", "blocked", "MUST\ndef test_NAME():\n    raise Blocked('own-block', 'in use')"),
    Case("xpass", "the test is marked xfail, yet passes", "flaky", "MUST\n@pytest.mark.xfail(strict=False, reason='known')\ndef test_NAME():\n    pass"),
    Case("xpass-strict", "the same, strict", "flaky", "MUST\n@pytest.mark.xfail(strict=True, reason='known')\ndef test_NAME():\n    pass"),
    Case("unexpected-success", "a unittest test passes, and is marked `expectedFailure`", "flaky", "class TestUnexpected(unittest.TestCase):\n    MUST\n    @unittest.expectedFailure\n    def test_NAME(self):\n        pass"),
    Case("rerun-passes", "the test is run again after its failure, and passes", "flaky", "TRIED = []\n\nMUST\n@pytest.mark.flaky(reruns=2)\ndef test_NAME():\n    TRIED.append(1)\n    assert len(TRIED) == 2"),
    Case("skip-mark", "the test is marked skip", "skipped", "MUST\n@pytest.mark.skip(reason='no')\ndef test_NAME():\n    pass"),
    Case("skipif", "the test is marked skipif, and the condition holds", "skipped", "MUST\n@pytest.mark.skipif(True, reason='no')\ndef test_NAME():\n    pass"),
    Case("skip-in-body", "the test calls `pytest.skip()`", "skipped", "MUST\ndef test_NAME():\n    pytest.skip('no')"),
    Case("skip-in-fixture", "a fixture calls `pytest.skip()`", "skipped", "@pytest.fixture\ndef absent():\n    pytest.skip('no')\n\nMUST\ndef test_NAME(absent):\n    pass"),
    Case("skip-in-subtest", "a subtest is skipped in a test that passes", "skipped", "MUST\ndef test_NAME(subtests):\n    with subtests.test('one'):\n        pytest.skip('no')"),
    Case("skip-in-parameter", "one parameter of a test is skipped, the others pass", "skipped", "MUST\n@pytest.mark.parametrize('x', [1, pytest.param(2, marks=pytest.mark.skip(reason='no'))])\ndef test_NAME(x):\n    pass"),
    Case("unittest-skip", "the test is skipped by `unittest.skip`", "skipped", "MUST\n@unittest.skip('no')\ndef test_NAME():\n    pass"),
    Case("importorskip", "the test calls `pytest.importorskip()`, and the module is missing", "skipped", "MUST\ndef test_NAME():\n    pytest.importorskip('there_is_no_such_module')"),
    Case("no-parameters", "the test is parametrized with an empty list", "skipped", "MUST\n@pytest.mark.parametrize('x', [])\ndef test_NAME(x):\n    pass"),
)  # fmt: skip
"""What one test can do to leave its must unproven; they run together in one project."""

PROVEN = (
    Case("passes", "the test passes, and so do set-up and teardown", "passed", "MUST\ndef test_NAME(tmp_path):\n    pass", "GO", 0),
    Case("subtests-pass", "the test passes, and so does every subtest", "passed", "MUST\ndef test_NAME(subtests):\n    with subtests.test('one'):\n        pass", "GO", 0),
    Case("parameters-pass", "the test passes with every parameter", "passed", "MUST\n@pytest.mark.parametrize('x', [1, 2])\ndef test_NAME(x):\n    pass", "GO", 0),
    Case("fork", "the test forks, and the child comes back through pytest: only the parent counts", "passed", "MUST\ndef test_NAME():\n    child = os.fork()\n    assert not child or os.waitpid(child, 0)[1] == 3 << 8", "GO", 0),
    Case("fork-exit", "the same, and the child calls `pytest.exit()`", "passed", "MUST\ndef test_NAME():\n    child = os.fork()\n    if not child:\n        pytest.exit('bye', returncode=0)\n    assert os.waitpid(child, 0)[1] == 3 << 8", "GO", 0),
)  # fmt: skip
"""What one test can do and still prove its must; they run together in one project."""

PREFIX = """
import os
import signal
import sys
import threading
import unittest

import pytest

from pytest_ovirt_release.errors import Blocked, CheckFailed, ReleaseError, Unreachable
"""
"""What the tests of a case may use."""

UNCOLLECTED = (
    Case("module-skip", "the module calls `pytest.skip(allow_module_level=True)`", "missing", "pytest.skip('no', allow_module_level=True)\n\nMUST\ndef test_NAME():\n    pass"),
    Case("module-importorskip", "the module calls `pytest.importorskip()`, and the module is missing", "missing", "pytest.importorskip('there_is_no_such_module')\n\nMUST\ndef test_NAME():\n    pass"),
    Case("collect-ignore", "the file stands in `collect_ignore`", "missing", "MUST\ndef test_NAME():\n    pass"),
    Case("not-a-test", "the module says `__test__ = False`", "missing", "__test__ = False\n\nMUST\ndef test_NAME():\n    pass"),
    Case("class-with-init", "the class has an `__init__`, and pytest does not collect it", "missing", "class TestInit:\n    def __init__(self):\n        pass\n\n    MUST\n    def test_NAME(self):\n        pass"),
    Case("dropped", "a hook drops the test without calling it deselected", "missing", "MUST\ndef test_NAME():\n    pass"),
    Case("own-protocol", "a hook takes over the test, and runs nothing", "missing", "MUST\ndef test_NAME():\n    pass"),
    Case("skipped-by-hook", "a hook marks the test skip", "skipped", "MUST\ndef test_NAME():\n    pass"),
)  # fmt: skip
"""Tests that pytest does not come to; each stands in a file of its own, in one project."""

UNCOLLECTED_CONFTEST = """
import pytest

collect_ignore = ["test_collect_ignore.py"]


def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if "dropped" not in item.name]
    for item in items:
        if "skipped_by_hook" in item.name:
            item.add_marker(pytest.mark.skip(reason="no"))


def pytest_runtest_protocol(item):
    return "own_protocol" in item.name or None
"""

LEAVES = (
    Case("killed", "the process is killed in the test (SIGKILL)", "errored", "MUST\ndef test_NAME():\n    os.kill(os.getpid(), signal.SIGKILL)", code=-9, with_workers=("errored", 10)),
    Case("aborted", "the process crashes in the test (`os.abort()`)", "errored", "MUST\ndef test_NAME():\n    os.abort()", code=-6, with_workers=("errored", 10)),
    Case("exit-zero", "the test calls `os._exit(0)`", "errored", "MUST\ndef test_NAME():\n    os._exit(0)", code=2, with_workers=("errored", 10)),
    Case("exit-eleven", "the test calls `os._exit(11)`, the code of GO-CONDITIONAL", "errored", "MUST\ndef test_NAME():\n    os._exit(11)", code=2, with_workers=("errored", 10)),
    Case("dies-in-set-up", "the process dies in the set-up of a fixture", "missing", "@pytest.fixture\ndef dies():\n    os._exit(9)\n\nMUST\ndef test_NAME(dies):\n    pass", code=2, with_workers=("errored", 10)),
    Case("dies-in-teardown", "the process dies in the teardown of a fixture", "errored", "@pytest.fixture\ndef dies_later():\n    yield\n    os._exit(0)\n\nMUST\ndef test_NAME(dies_later):\n    pass", code=2, with_workers=("errored", 10)),
)  # fmt: skip
"""A process that ends in the middle: alone without workers; with workers all in one project, where others go on."""
