"""What must hold for every page, every set of runs and every waiver: nothing but a pass makes a verdict better."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from pytest_ovirt_release.verdict.decide import decide
from pytest_ovirt_release.verdict.fold import fold
from pytest_ovirt_release.verdict.serial import verdict_json
from pytest_ovirt_release.verdict.states import MAY_SHIP
from tests.unit.verdict.made import NOW, RunMaker, inputs, of_records, page, requirement
from tests.unit.verdict.test_table import ANN, waivers

if TYPE_CHECKING:
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.verdict.decide import Inputs
    from pytest_ovirt_release.verdict.journals import Run
    from pytest_ovirt_release.verdict.model import Verdict

RANK = ("INVALID", "NO-GO", "INCOMPLETE", "GO-CONDITIONAL", "GO")
"""Worst first."""

BAD = (
    "failed",
    "bug",
    "blocked",
    "unlawful",
    "setup",
    "teardown",
    "skipped",
    "xfail",
    "xpass",
    "rerun",
    "subtest",
    "crash",
    "absent",
    "left",
)
ENDS = ("end", "end", "end", "cut", "trouble", "interrupted")


@dataclass(frozen=True)
class Case:
    """One thing to judge."""

    inputs: Inputs
    runs: tuple[Run, ...]

    def judge(self, *more: Run) -> Verdict:
        return decide(self.inputs, (*self.runs, *more), NOW)


def rank(verdict: Verdict) -> int:
    return RANK.index(verdict.verdict)


@st.composite
def pages(draw: st.DrawFn) -> Page:
    counts = st.integers(1, 2)
    made = [
        requirement(
            name,
            level="must" if name == "a" else draw(st.sampled_from(["must", "should"])),
            axis=draw(st.sampled_from([None, None, "component", "node"])),
            needs=() if name == "a" else ("a",),
            min_testers=draw(st.sampled_from([1, 1, 2])),
            clean_runs=draw(counts) if draw(st.booleans()) else 1,
            waivable=draw(st.booleans()),
            not_applicable={"*": "why"} if name == "c" and draw(st.booleans()) else {},
        )
        for name in ("a", "b", "c")
    ]
    return page(*made, should=draw(st.sampled_from(["remark", "explain"])), approvers=[ANN])


def cells_of(given_page: Page) -> list[tuple[str, str, str, str]]:
    """Return requirement, level, cell and test of every cell, on a target with one node."""
    found: list[tuple[str, str, str, str]] = []
    for r in given_page.requirements:
        values = {"component": [c.name for c in given_page.components], "node": ["node-1"]}.get(
            r.axis or "", [None]
        )
        for value in values:
            suffix = "" if value is None else f"[{value}]"
            found.append((r.id, r.level, f"{r.id}{suffix}", f"t.py::test_{r.id}{suffix}"))
    return found


def play(run: RunMaker, nodeid: str, cell: str, how: str) -> None:
    """Record one test as it may go."""
    fields: dict[str, Any] = {
        "failed": {"error": "CheckFailed"},
        "bug": {"error": "Error"},
        "blocked": {"error": "Blocked", "on": "a"},
        "unlawful": {"error": "Blocked", "on": "zzz"},
        "xfail": {"wasxfail": "known"},
        "xpass": {"wasxfail": "known"},
    }.get(how, {})
    outcome = {"xfail": "skipped", "skipped": "skipped"}.get(how, "passed")
    if how in {"failed", "bug", "blocked", "unlawful"}:
        outcome = "failed"
    if how == "crash":
        run.phase(nodeid, "setup")
        run.add("crash", nodeid=nodeid)
        return
    if how == "absent":
        return
    run.phase(nodeid, "setup", "failed" if how == "setup" else "passed")
    if how == "rerun":
        run.phase(nodeid, "call", "rerun", rerun=True)
    if how == "subtest":
        run.phase(nodeid, "call", "failed", subtest=True, error="Assertion")
    if how != "setup":
        run.phase(nodeid, "call", outcome, **fields)
    run.phase(nodeid, "teardown", "failed" if how == "teardown" else "passed")
    if how == "left":
        run.add("intent", entry=f"{run.run}-{nodeid}", what="vm", name="rel-x", cells=[cell])


@st.composite
def runs(draw: st.DrawFn, given_page: Page, run_id: str, outcomes: tuple[str, ...]) -> Run:
    tester = draw(st.sampled_from(["ann", "bob", " Ann"]))
    run = RunMaker(given_page, run_id, tester=tester, target=draw(st.sampled_from(["lab-1", "lab-2"])))
    for requirement_id, level, cell, nodeid in cells_of(given_page):
        if draw(st.integers(0, 9)) < 9:
            run.collect(nodeid, requirement_id, level, cell)
            play(run, nodeid, cell, draw(st.sampled_from(outcomes)))
    ended = draw(st.sampled_from(ENDS))
    if ended == "cut":
        return run.cut()
    if ended != "end":
        run.add(ended, text="oh")
    return run.end()


@st.composite
def cases(draw: st.DrawFn) -> Case:
    given_page = draw(pages())
    outcomes = ("passed",) * draw(st.sampled_from([3, 60])) + BAD
    made = tuple(draw(runs(given_page, f"r{n}", outcomes)) for n in range(1, draw(st.integers(2, 4))))
    extra: dict[str, Any] = {}
    if draw(st.booleans()):
        names = [cell for _, _, cell, _ in cells_of(given_page)]
        cells = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
        accepts = draw(st.sampled_from(["unproven", "disproven"]))
        extra["waivers"] = waivers(*cells, accepts=accepts)
    return Case(inputs(given_page, **extra), made)


def clean_passes(run: Run) -> list[str]:
    """Return the tests that passed cleanly in a run, found without `outcomes`."""
    by_test: dict[str, list[dict[str, Any]]] = {}
    for record in run.of("report"):
        by_test.setdefault(record["nodeid"], []).append(record)
    return [nodeid for nodeid, records in by_test.items() if fold(records).state == "passed"]


@given(cases())
@settings(max_examples=300, deadline=None)
def test_no_go_without_a_clean_pass_or_a_waiver_for_every_must_cell(case: Case) -> None:
    verdict = case.judge()
    event(verdict.verdict)
    if verdict.verdict not in MAY_SHIP:
        return
    passed = {nodeid for run in case.runs for nodeid in clean_passes(run)}
    waived = {cell for w in verdict.waivers if w.status == "used" for cell in w.used_for}
    exempt = {r.id for r in case.inputs.page.requirements if r.not_applicable} if case.inputs.page else set()
    assert case.inputs.page
    for requirement_id, level, cell, nodeid in cells_of(case.inputs.page):
        if level == "must" and requirement_id not in exempt:
            assert nodeid in passed or cell in waived
    assert verdict.verdict == "GO-CONDITIONAL" or not waived


@given(cases(), st.data())
@settings(max_examples=300, deadline=None)
def test_removing_or_worsening_a_pass_never_improves_a_verdict(case: Case, data: st.DataObject) -> None:
    passes = [(n, nodeid) for n, run in enumerate(case.runs) for nodeid in clean_passes(run)]
    if not passes:
        return
    number, nodeid = data.draw(st.sampled_from(passes))
    how = data.draw(st.sampled_from(BAD))
    run = case.runs[number]
    worse = RunMaker(case.inputs.page, run.id)
    spoilt = []
    for record in run.records:
        if record["kind"] != "report" or record["nodeid"] != nodeid:
            spoilt.append(copy.deepcopy(record))
        elif record["when"] == "call":
            worse.records = []
            play(worse, nodeid, nodeid.removeprefix("t.py::test_"), how)
            spoilt += [dict(r, at=record["at"]) for r in worse.records]
    changed = (*case.runs[:number], of_records(run.id, spoilt), *case.runs[number + 1 :])
    before, after = case.judge(), Case(case.inputs, changed).judge()
    event(f"{before.verdict} -> {after.verdict}")
    assert rank(after) <= rank(before)


@given(cases(), st.data())
@settings(max_examples=300, deadline=None)
def test_adding_a_run_without_passes_never_improves_a_verdict(case: Case, data: st.DataObject) -> None:
    assert case.inputs.page
    more = data.draw(runs(case.inputs.page, "r9", BAD))
    before, after = case.judge(), case.judge(more)
    event(f"{before.verdict} -> {after.verdict}")
    assert rank(after) <= rank(before)


@given(cases(), st.data())
@settings(max_examples=100, deadline=None)
def test_order_and_repetition_of_runs_change_nothing(case: Case, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations([*case.runs, *case.runs]))
    assert verdict_json(Case(case.inputs, tuple(shuffled)).judge()) == verdict_json(case.judge())


@given(cases(), st.data())
@settings(max_examples=300, deadline=None)
def test_a_run_that_did_not_end_well_never_improves_what_a_sound_one_says(
    case: Case, data: st.DataObject
) -> None:
    assert case.inputs.page
    sound = tuple(
        run
        for run in case.runs
        if run.first("end") and not any(run.of("trouble")) and not any(run.of("interrupted"))
    )
    if not sound or any(run.first("intent") for run in sound):
        return
    more = data.draw(runs(case.inputs.page, "r9", ("passed",) * 20 + BAD))
    unsound = of_records("r9", [r for r in more.records if r["kind"] != "end"])
    before, after = Case(case.inputs, sound).judge(), Case(case.inputs, (*sound, unsound)).judge()
    event(f"{before.verdict} -> {after.verdict}")
    assert rank(after) <= rank(before)
