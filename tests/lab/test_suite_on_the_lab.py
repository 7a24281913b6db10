"""The whole suite on the lab: every order, every test alone, any number of workers."""

from __future__ import annotations

import pytest

from pytest_ovirt_release.record.suite import scan
from tests.lab.conftest import ROOT, Suite

TESTS = scan(ROOT / "acceptance", ROOT)
ALONE = sorted({t.test for t in TESTS})
FIRST = {min(t for t in ALONE if t.startswith(f"{file}::")) for file in {t.split("::")[0] for t in ALONE}}
"""One of each file."""

REQUIREMENT = {t.test: t.requirement for t in TESTS}
SHARED = {r for r in REQUIREMENT.values() if list(REQUIREMENT.values()).count(r) > 1}


@pytest.mark.parametrize("workers", [pytest.param("-n0", marks=pytest.mark.long), "-n2"])
def test_a_shuffled_suite_proves_every_cell(suite: Suite, workers: str) -> None:
    finished = suite.run(
        "--release-target", "lab", workers, "-p", "tests.lab.shuffled", RELEASE_TEST_SEED="3"
    )
    assert set(finished.states().values()) == {"passed"}, finished.details() + finished.output[-3000:]
    assert finished.verdict["rehearsal"] is True


@pytest.mark.parametrize(
    ("test", "workers"),
    [
        *(pytest.param(test, "-n0", marks=() if test in FIRST else pytest.mark.long) for test in ALONE),
        pytest.param("acceptance/test_node.py::test_node_runs_vm", "-n2", marks=pytest.mark.long),
    ],
)
def test_each_test_alone_proves_its_cells(suite: Suite, test: str, workers: str) -> None:
    finished = suite.run("--release-target", "lab", workers, test)
    cells = {n: s for n, s in finished.states().items() if n.split("[")[0] == REQUIREMENT[test]}
    attempts = [
        a
        for r in finished.verdict["requirements"]
        if r["id"] == REQUIREMENT[test]
        for c in r["cells"]
        for a in c["attempts"]
        if a["nodeid"].split("[")[0] == test
    ]
    assert {a["state"] for a in attempts} == {"passed"}, finished.details() + finished.output[-3000:]
    # A requirement with two tests needs both; one alone must not prove it.
    assert set(cells.values()) == ({"missing"} if REQUIREMENT[test] in SHARED else {"passed"})
    assert finished.code == 10


def test_a_selection_by_name_is_incomplete(suite: Suite) -> None:
    finished = suite.run("--release-target", "lab", "-k", "nfs")
    assert (finished.code, finished.verdict["verdict"]) == (10, "INCOMPLETE")
    assert finished.states()["vm-on-nfs"] == "passed"
    assert finished.states()["vm-on-local"] == "missing"
