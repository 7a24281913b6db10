"""What changed between two verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.verdict.decide import Inputs, decide
from pytest_ovirt_release.verdict.diff import diff
from tests.unit.verdict.golden import failing
from tests.unit.verdict.made import CANDIDATE_SHA, NOW, PAGE_SHA, RunMaker, inputs, page, requirement
from tests.unit.verdict.test_table import judged

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict

GIVEN = {
    "good": ("passed", None),
    "bad": ("failed", None),
    "open": ("skipped", None),
    "waived": ("failed", "disproven"),
    "exempt": ("not_applicable", None),
}
CHANGES = {
    ("good", "bad"): "regressed",
    ("open", "bad"): "regressed",
    ("waived", "bad"): "regressed",
    ("exempt", "bad"): "regressed",
    ("good", "open"): "newly_unproven",
    ("bad", "open"): "newly_unproven",
    ("waived", "open"): "newly_unproven",
    ("exempt", "open"): "newly_unproven",
    ("good", "waived"): "newly_waived",
    ("bad", "waived"): "newly_waived",
    ("open", "waived"): "newly_waived",
    ("exempt", "waived"): "newly_waived",
    ("bad", "good"): "fixed",
    ("open", "good"): "fixed",
    ("waived", "good"): "fixed",
    ("bad", "exempt"): "fixed",
    ("open", "exempt"): "fixed",
    ("waived", "exempt"): "fixed",
}


def verdict(name: str) -> Verdict:
    state, accepts = GIVEN[name]
    return judged(state, "must", "remark", accepts)


@pytest.mark.parametrize("old", GIVEN)
@pytest.mark.parametrize("new", GIVEN)
def test_every_change_of_a_cell_has_its_name(old: str, new: str) -> None:
    found = diff(verdict(old), verdict(new))
    wanted = CHANGES.get((old, new))
    kinds = ("fixed", "regressed", "newly_unproven", "newly_waived", "dropped")
    assert {k: [c.cell for c in getattr(found, k)] for k in kinds if getattr(found, k)} == (
        {wanted: ["x"]} if wanted else {}
    )
    assert found.is_worse == (wanted in {"regressed", "newly_unproven", "newly_waived"})


def test_cells_that_only_one_side_asks_for() -> None:
    small, large = page(requirement("a")), page(requirement("a"), requirement("b"))
    before = decide(inputs(small), [RunMaker(small).all_pass().end()], NOW)
    run = RunMaker(large)
    run.collect("t.py::test_a", "a")
    run.ran("t.py::test_a")
    after = decide(inputs(large), [run.end()], NOW)
    assert [c.cell for c in diff(before, after).newly_unproven] == ["b"]
    assert [c.cell for c in diff(after, before).dropped] == ["b"]
    assert diff(before, after).newly_unproven[0].old is None


def test_a_change_says_what_was_and_what_is() -> None:
    run = RunMaker(page(requirement("a"), requirement("x"))).all_pass()
    failing(run, "x", message="no")
    bad = decide(inputs(run.page), [run.end(1)], NOW)
    found = diff(verdict("good"), bad).model_dump(by_alias=True)
    (change,) = found["regressed"]
    assert change == {"cell": "x", "level": "must", "old": "passed", "new": "failed", "detail": "no"}
    side = {
        "rehearsal": False,
        "as_of": "2026-11-22T12:00:00+00:00",
        "candidate_sha256": CANDIDATE_SHA,
        "page_sha256": PAGE_SHA,
    }
    assert found["old"] == {"verdict": "GO", **side}
    assert found["new"] == {"verdict": "NO-GO", **side}
    assert found["schema"] == "ovirt-release-diff/1"


def test_a_verdict_without_inputs_can_be_compared() -> None:
    nothing = decide(Inputs(page=None), [], NOW)
    found = diff(verdict("good"), nothing)
    assert (found.new.candidate_sha256, found.new.page_sha256) == (None, None)
    assert [(c.cell, c.level, c.old, c.new) for c in found.dropped] == [
        ("a", "must", "passed", None),
        ("x", "must", "passed", None),
    ]
