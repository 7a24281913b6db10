"""From runs to cells: which cells the page asks for, and what all runs together say of each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.verdict.fold import MISSING, Outcome, left_behind, worst
from pytest_ovirt_release.verdict.model import Attempt, CellVerdict, Evidence
from pytest_ovirt_release.verdict.standing import combine, too_few, variants
from pytest_ovirt_release.verdict.states import CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ovirt_release.release.page import Page, Requirement
    from pytest_ovirt_release.verdict.journals import Run
    from pytest_ovirt_release.verdict.states import Disposition, State

NOWHERE = "(no node)"
"""Stands for the node axis while no run has named its nodes."""


@dataclass
class _Gathered:
    """What all runs recorded for one cell: attempts by test, evidence, and what was left behind."""

    attempts: dict[str, list[Attempt]] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Asked:
    """What is asked of every cell of a requirement: the tests that the suites hold for it, and a signer."""

    requirement: Requirement
    tests: frozenset[str]
    lacks_signer: bool


def axis_values(page: Page, runs: Sequence[Run], requirement: Requirement) -> tuple[str | None, ...]:
    """Return the values of a requirement's axis: components and distributions by page, nodes by the runs."""
    if requirement.axis == "component":
        return tuple(c.name for c in page.components)
    if requirement.axis == "distribution":
        return tuple(d.name for d in page.distributions)
    if requirement.axis == "node":
        named = {
            str(n): None for run in runs for start in run.of("run") for n in start["axes"].get("node", [])
        }
        return tuple(named) or (NOWHERE,)
    return (None,)


def judge_cells(
    page: Page, runs: Sequence[Run], unsound: frozenset[str] = frozenset()
) -> dict[str, tuple[CellVerdict, ...]]:
    """Return the cells of every requirement of the page; passes of the runs in `unsound` prove nothing."""
    gathered: dict[str, _Gathered] = {}
    needs = all_needs(page)
    for run in runs:
        _gather(needs, run, gathered, proves=run.id not in unsound)
    unassigned = frozenset(s.role for s in page.signers if not s.fingerprints)
    suites = [start["suite"] for run in runs for start in run.of("run")]
    judged: dict[str, tuple[CellVerdict, ...]] = {}
    for r in page.requirements:
        asked = _Asked(
            r, frozenset(t for suite in suites for t in suite.get(r.id, ())), r.signed_by in unassigned
        )
        judged[r.id] = tuple(_judge(asked, value, gathered) for value in axis_values(page, runs, r))
    return judged


def _gather(
    needs: dict[str, frozenset[str]], run: Run, gathered: dict[str, _Gathered], *, proves: bool
) -> None:
    """Add one run's outcomes, evidence and leftovers to what is known of each cell."""
    start = run.first("run") or {}
    left = left_behind(run)
    # Every process records every test, and more than once: the last time with its sentence.
    collected = {(str(r["cell"]), str(r["nodeid"])): r for r in run.of("collected") if r.get("cell")}
    for (name, nodeid), item in collected.items():
        cell = gathered.setdefault(name, _Gathered())
        own = str(item["requirement"])
        # On itself: what is under test must not be touched, such as a node that somebody uses already.
        outcome = _lawful(run.outcomes.get(nodeid, MISSING), needs.get(own, frozenset()) | {own})
        if outcome.state == "passed" and not proves:
            text = f"passed, but run {run.id} did not end well"
            outcome = replace(outcome, state="missing", message=text, code="unsound-run")
        if outcome.state == "passed" and name in left:
            text = f"objects left behind: {', '.join(left[name])} (run {run.id})"
            outcome = replace(outcome, state="errored", message=text, code="left-behind")
        attempt = _attempt(nodeid, run.id, start, outcome, str(item.get("sentence") or ""))
        cell.attempts.setdefault(nodeid.split("[", maxsplit=1)[0], []).append(attempt)
    for record in run.of("evidence"):
        gathered.setdefault(str(record.get("cell")), _Gathered()).evidence.append(_evidence(run.id, record))
    for name, objects in left.items():
        gathered.setdefault(name, _Gathered()).left.extend(f"{o} (run {run.id})" for o in objects)


def _lawful(outcome: Outcome, needs: frozenset[str]) -> Outcome:
    """Return a block as an error when the page does not let this requirement need the blocking one."""
    if outcome.state == "blocked" and outcome.on not in needs:
        text = f"blocked on {outcome.on}, which the page does not list among its needs: {outcome.message}"
        return replace(outcome, state="errored", message=text, code="unlawful-block")
    return outcome


def all_needs(page: Page) -> dict[str, frozenset[str]]:
    """Return everything each requirement needs, directly or through another."""
    direct = {r.id: frozenset(r.needs) for r in page.requirements}
    closed: dict[str, frozenset[str]] = {}
    for name, first in direct.items():
        seen: set[str] = set()
        open_ends = list(first)
        while open_ends:
            need = open_ends.pop()
            if need not in seen:
                seen.add(need)
                open_ends += direct.get(need, ())
        closed[name] = frozenset(seen)
    return closed


def _attempt(nodeid: str, run: str, start: dict[str, object], outcome: Outcome, sentence: str) -> Attempt:
    return Attempt(
        nodeid=nodeid,
        run=run,
        tester=str(start.get("tester") or "unknown"),
        environment=str(start.get("target") or "unknown"),
        state=outcome.state,
        started=outcome.started,
        ended=outcome.ended,
        seconds=round(outcome.seconds, 3),
        sentence=sentence,
        message=outcome.message,
        code=outcome.code,
    )


def _evidence(run: str, record: dict[str, object]) -> Evidence:
    known = {k: record.get(k) for k in ("name", "value", "file", "sha256", "size")}
    return Evidence.model_validate({"run": run, "nodeid": str(record.get("nodeid")), **known})


def _judge(asked: _Asked, value: str | None, gathered: dict[str, _Gathered]) -> CellVerdict:
    """Return one cell: every test of the suite for it must have passed, in somebody's run, unspoilt."""
    requirement = asked.requirement
    name = requirement.id if value is None else f"{requirement.id}[{value}]"
    reason = requirement.not_applicable.get(value or "*") or requirement.not_applicable.get("*")
    found = gathered.get(name, _Gathered())
    if reason is not None:
        return _cell(name, value, ("not_applicable", reason), found)
    tests = asked.tests | set(found.attempts)
    states = {test: worst(map(combine, variants(found.attempts.get(test, ())))) for test in tests}
    state, detail = worst(states.values()), _detail(states, found)
    if state == "passed":
        state, detail = _spoilt(asked, found)
    return _cell(name, value, (state, detail), found)


def _spoilt(asked: _Asked, found: _Gathered) -> tuple[State, str]:
    """Return what becomes of a cell whose tests have all passed."""
    if found.left:
        return "errored", f"objects left behind: {', '.join(found.left)}"
    if asked.lacks_signer:
        role = asked.requirement.signed_by
        return "errored", f"nobody holds the role {role}, so nothing can have been signed by it"
    for test in sorted(found.attempts):
        for attempts in variants(found.attempts[test]):
            if short := too_few(asked.requirement, attempts):
                return "missing", f"{attempts[0].nodeid}: {short}"
    return "passed", ""


def _detail(states: dict[str, State], found: _Gathered) -> str:
    """Return the sentence of the worst test."""
    if not states:
        return "no test for it was collected"
    state = worst(states.values())
    if state == "passed":
        return ""
    test = min(t for t, s in states.items() if s == state)
    told = [a.message for a in found.attempts.get(test, []) if a.message and state in {a.state, "conflict"}]
    return told[-1] if told else f"{test} was not run"


def _cell(name: str, value: str | None, judged: tuple[State, str], found: _Gathered) -> CellVerdict:
    state, detail = judged
    kind = CLASSES[state]
    satisfied: dict[str, Disposition] = {"proven": "satisfied", "not_applicable": "not_applicable"}
    return CellVerdict.model_validate(
        {
            "id": name,
            "value": value,
            "state": state,
            "class": kind,
            "disposition": satisfied.get(kind, "unsatisfied"),
            "detail": detail,
            "attempts": tuple(a for test in sorted(found.attempts) for a in found.attempts[test]),
            "evidence": tuple(found.evidence),
        }
    )
