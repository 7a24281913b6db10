"""Every state x level x what becomes of it: the whole table of the verdict rules, written out."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.release.waivers import Waivers
from pytest_ovirt_release.verdict.decide import decide
from pytest_ovirt_release.verdict.states import CLASSES, EXIT_CODES, WORST_FIRST
from tests.unit.verdict.made import CANDIDATE_SHA, NOW, RunMaker, inputs, page, requirement

if TYPE_CHECKING:
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.verdict.journals import Run
    from pytest_ovirt_release.verdict.model import Verdict

X = "t.py::test_x"
ANN = {"name": "Ann", "role": "release manager"}


def waivers(*cells: str, **changes: Any) -> Waivers:
    waiver = {
        "id": "w1",
        "candidate": CANDIDATE_SHA,
        "cells": cells,
        "accepts": "unproven",
        "reason": "known",
        "approver": "Ann",
        "approved": date(2026, 11, 20),
        "expires": date(2026, 12, 31),
        **changes,
    }
    return Waivers.model_validate(
        {"schema": "ovirt-release-waivers/1", "page": "page-1", "waivers": [waiver]}
    )


def runs_in(state: str, given: Page, level: str) -> list[Run]:
    """Return runs after which requirement `x` is in a state, and the must `a` passed."""
    run = RunMaker(given, "r1", tester="ann")
    run.collect("t.py::test_a", "a")
    run.ran("t.py::test_a")
    if state == "missing":
        return [run.end()]
    run.collect(X, "x", level)
    if state in {"passed", "conflict", "not_applicable"}:
        run.ran(X)
    elif state == "errored":
        run.phase(X, "setup", "failed", error="Error")
        run.phase(X, "teardown")
    elif state == "blocked":
        run.ran(X, "failed", error="Blocked", on="a")
    elif state == "flaky":
        run.phase(X, "call", "rerun", rerun=True)
        run.ran(X)
    else:
        run.ran(X, state)
    if state != "conflict":
        return [run.end(1 if state in {"failed", "errored", "blocked"} else 0)]
    other = RunMaker(given, "r2", tester="bob")
    other.collect(X, "x", level)
    other.ran(X, "failed")
    return [run.end(), other.end(1)]


def judged(state: str, level: str, should: str, accepts: str | None) -> Verdict:
    exempt = {"not_applicable": {"*": "no such thing"}} if state == "not_applicable" else {}
    given = page(
        requirement("a"),
        requirement("x", level=level, needs=("a",), **exempt),
        should=should,
        approvers=[ANN],
    )
    extra = {"waivers": waivers("x", accepts=accepts)} if accepts else {}
    return decide(inputs(given, **extra), runs_in(state, given, level), NOW)


# state: verdict of a must without waiver, with one that accepts unproven, with one that accepts disproven
MUSTS = {
    "failed": ("NO-GO", "NO-GO", "GO-CONDITIONAL"),
    "conflict": ("NO-GO", "NO-GO", "GO-CONDITIONAL"),
    "errored": ("INCOMPLETE", "GO-CONDITIONAL", "GO-CONDITIONAL"),
    "blocked": ("INCOMPLETE", "GO-CONDITIONAL", "GO-CONDITIONAL"),
    "flaky": ("INCOMPLETE", "GO-CONDITIONAL", "GO-CONDITIONAL"),
    "missing": ("INCOMPLETE", "GO-CONDITIONAL", "GO-CONDITIONAL"),
    "skipped": ("INCOMPLETE", "GO-CONDITIONAL", "GO-CONDITIONAL"),
    "passed": ("GO", "GO", "GO"),
    "not_applicable": ("GO", "GO", "GO"),
}
# the same of a should, which never blocks, so that no waiver is of use
REMARKS = dict.fromkeys(MUSTS, ("GO", "GO", "GO"))
# the same of a should on a page that wants every should explained
EXPLAINED = {
    **dict.fromkeys(MUSTS, ("GO-CONDITIONAL", "GO-CONDITIONAL", "GO-CONDITIONAL")),
    "passed": ("GO", "GO", "GO"),
    "not_applicable": ("GO", "GO", "GO"),
}
TABLE = [
    (state, level, should, accepts, word)
    for level, should, rows in (
        ("must", "remark", MUSTS),
        ("must", "explain", MUSTS),
        ("should", "remark", REMARKS),
        ("should", "explain", EXPLAINED),
    )
    for state, words in rows.items()
    for accepts, word in zip((None, "unproven", "disproven"), words, strict=True)
]


@pytest.mark.parametrize(("state", "level", "should", "accepts", "word"), TABLE)
def test_the_verdict_of_every_state_level_and_disposition(
    state: str, level: str, should: str, accepts: str | None, word: str
) -> None:
    verdict = judged(state, level, should, accepts)
    cell = verdict.requirements[1].cells[0]
    assert (cell.state, verdict.verdict, verdict.exit_code) == (state, word, EXIT_CODES[verdict.verdict])
    open_class = CLASSES[cell.state] in {"unproven", "disproven"}
    covers = accepts == "disproven" or (accepts == "unproven" and CLASSES[cell.state] == "unproven")
    expected = {"proven": "satisfied", "not_applicable": "not_applicable"}.get(cell.cell_class, "unsatisfied")
    can_block = level == "must" or should == "explain"
    assert cell.disposition == ("waived" if open_class and covers and can_block else expected)
    counted = verdict.must if level == "must" else verdict.should
    assert counted.waived == (1 if cell.disposition == "waived" else 0)
    assert all(reason.code and reason.detail for reason in verdict.reasons)
    if level == "must" and word in {"NO-GO", "INCOMPLETE"}:
        assert verdict.reasons[0].cell == "x"
        assert verdict.reasons[0].code == f"must-{state}"


def test_the_table_names_every_state() -> None:
    assert set(MUSTS) == set(REMARKS) == set(EXPLAINED) == set(WORST_FIRST)
