"""Fold what one run recorded of one test into one state: every path starts at *missing*, none at *passed*. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.verdict.states import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_ovirt_release.verdict.journals import Record, Run
    from pytest_ovirt_release.verdict.states import State


@dataclass(frozen=True)
class Outcome:
    """What one test came to in one run: state, one message, stable code, what it was blocked on, and when."""

    state: State
    message: str = ""
    code: str | None = None
    on: str | None = None
    started: str | None = None
    ended: str | None = None
    seconds: float = 0.0


PHASES = ["setup", "call", "teardown"]
"""A clean pass has exactly these reports."""

MISSING = Outcome("missing", "collected, never run")
CRASHED = Outcome("errored", "the worker process died during this test", "crashed")
XPASS = Outcome("flaky", "marked xfail, yet it passed: remove the mark", "xpass")


def worst(states: Iterable[State], default: State = "missing") -> State:
    """Return the worst of some states."""
    return min(states, key=WORST_FIRST.index, default=default)


def outcomes(records: Sequence[Record]) -> dict[str, Outcome]:
    """Return one outcome for every test that a run's records name, by node id."""
    reports: dict[str, list[Record]] = {r["nodeid"]: [] for r in records if r["kind"] == "collected"}
    for record in records:
        if record["kind"] == "report":
            reports.setdefault(record["nodeid"], []).append(record)
    folded = {nodeid: fold(found) for nodeid, found in reports.items()}
    for crash in (r for r in records if r["kind"] == "crash"):
        before = folded.get(crash["nodeid"], CRASHED)
        folded[crash["nodeid"]] = replace(CRASHED, started=before.started or crash["at"], ended=crash["at"])
    return folded


def fold(records: Sequence[Record]) -> Outcome:
    """Fold the reports of one test; *passed* needs one clean setup, call and teardown and nothing else."""
    if not records:
        return MISSING
    each = [_one(r) for r in records if not r.get("rerun")]
    if any(r.get("rerun") for r in records):
        each.append(Outcome("flaky", "passed only after a rerun", "rerun"))
    phases = [r["when"] for r in records if not r.get("rerun") and not r.get("subtest")]
    if any(phases.count(phase) > 1 for phase in phases):
        each.append(Outcome("flaky", "ran more than once", "rerun"))
    elif phases != PHASES and all(o.state == "passed" for o in each):
        text = f"the test did not finish: only {', '.join(phases)} was recorded"
        each.append(Outcome("errored", text, "unfinished"))
    chosen = min(each, key=lambda o: WORST_FIRST.index(o.state))
    seconds = sum(float(r.get("duration") or 0) for r in records)
    times = [r["at"] for r in records]
    return replace(chosen, started=min(times), ended=max(times), seconds=seconds)


def _one(record: Record) -> Outcome:
    """Return the state that one report alone stands for."""
    outcome, message = record.get("outcome"), str(record.get("message") or "")
    if record.get("wasxfail") is not None:
        if outcome == "passed":
            return XPASS
        return Outcome("failed", "marked xfail: a known failure is a failure", "xfail")
    if outcome == "failed":
        return _failed(record, message)
    if outcome == "skipped":
        return Outcome("skipped", message, "skipped")
    return Outcome("passed") if outcome == "passed" else Outcome("errored", f"unknown outcome {outcome!r}")


DISPROVES = frozenset({"CheckFailed", "Assertion"})
"""Kinds of exception by which a test's body says that its requirement does not hold; any other is its own bug."""


def _failed(record: Record, message: str) -> Outcome:
    """Return what a failed report means: only a failed assertion of the test's own body disproves its requirement."""
    error, code = record.get("error"), record.get("code")
    if error == "Blocked":
        return Outcome("blocked", message, code, record.get("on"))
    if error == "Xpass":
        return XPASS
    if error in DISPROVES and record.get("when") == "call":
        return Outcome("failed", message, code)
    return Outcome("errored", message, code or f"{record.get('when')}-error")


def left_behind(run: Run) -> dict[str, list[str]]:
    """Return the objects this run made and did not remove, by the cells they belong to ("": to none)."""
    removed = {r["entry"] for r in run.of("removed")}
    found: dict[str, list[str]] = {}
    for intent in run.of("intent"):
        if intent["entry"] not in removed:
            for cell in intent.get("cells") or ("",):
                found.setdefault(cell, []).append(f"{intent['what']} {intent['name']}")
    return found
