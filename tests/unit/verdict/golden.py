"""Verdicts with a bit of everything in them; run as a script to write the golden files anew.

python -m tests.unit.verdict.golden
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.release.waivers import Waivers
from pytest_ovirt_release.verdict.decide import decide
from pytest_ovirt_release.verdict.model import RefusedRun
from tests.unit.verdict.made import (
    CANDIDATE_SHA,
    NOW,
    OTHER_SHA,
    RunMaker,
    candidate,
    inputs,
    page,
    requirement,
)

if TYPE_CHECKING:
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.verdict.model import Verdict

FOLDER = Path(__file__).parent / "golden"
PEOPLE = [{"name": "Ann", "role": "release manager"}, {"name": "Bob", "role": "quality"}]
CANDIDATE = candidate(
    rc="rc1", components=[{"name": "vdsm", "version": "9.9", "tag": "vdsm-9.9", "commit": "1" * 40}]
)


def gap(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": name, "requirements": ["s"], "title": f"Hole {name}", "owner": "Carl", "eta": date(2026, 11, 30), **changes,
    }  # fmt: skip


def waiver(name: str, *cells: str, **changes: Any) -> dict[str, Any]:
    known = {
        "candidate": CANDIDATE_SHA,
        "accepts": "unproven",
        "reason": f"reason of {name}",
        "approver": "Ann",
    }
    dates = {"approved": date(2026, 11, 20), "expires": date(2026, 12, 20)}
    return {"id": name, "cells": cells, **known, **dates, **changes}


def waivers(*given: dict[str, Any]) -> Waivers:
    return Waivers.model_validate({"schema": "ovirt-release-waivers/1", "page": "page-1", "waivers": given})


def failing(run: RunMaker, name: str, **fields: Any) -> None:
    """Let the call of one test fail."""
    for record in run.records:
        if (
            record["kind"] == "report"
            and record["when"] == "call"
            and record["nodeid"] == f"t.py::test_{name}"
        ):
            record.update(
                {"outcome": "failed", "error": "CheckFailed", "message": f"{name} is wrong", **fields}
            )


def rich_page(**changes: Any) -> Page:
    timeline = [
        {"id": "tag", "title": "Tagged", "due": date(2026, 11, 1), "judged_by": "tag-date", "component": "vdsm"},
        {"id": "late", "title": "Branched", "due": date(2026, 11, 2), "judged_by": "branch-date"},
        {"id": "notes", "title": "Notes", "due": date(2026, 11, 2), "judged_by": "notes-before-branch"},
        {"id": "test-day", "title": "Test day", "due": date(2026, 11, 3), "actual": date(2026, 11, 9), "before": "meeting"},
        {"id": "meeting", "title": "Meeting", "due": date(2026, 11, 8), "actual": date(2026, 11, 8)},
        {"id": "unmet", "title": "Unknown", "due": date(2026, 11, 8), "judged_by": "tag-date", "component": "ovirt-engine"},
    ]  # fmt: skip
    return page(
        requirement("a"),
        requirement("b", axis="component", needs=("a",)),
        requirement("n", axis="node", needs=("b",)),
        requirement("s", level="should"),
        requirement("x", level="should", not_applicable={"*": "there is none"}),
        **{
            "approvers": PEOPLE,
            "timeline": timeline,
            "gaps": [
                gap("open"),
                gap("overdue", eta=date(2026, 11, 10)),
                gap("closable", requirements=["a"]),
                gap("half-closed", requirements=["b"]),
            ],
            "signers": [{"role": "signer", "title": "Signs"}, {"role": "other", "title": "Too", "fingerprints": ["A" * 40]}],
            "open_questions": [
                {"id": "q1", "title": "Who?", "answered_by_role": "signer"},
                {"id": "q2", "title": "Who else?", "answered_by_role": "other"},
            ],
            **changes,
        },
    )  # fmt: skip


def conditional() -> Verdict:
    """Two testers, waivers of every kind, dates and gaps of every kind, a torn run that is not needed."""
    given = rich_page()
    ann = RunMaker(
        given, "r1", tester="ann", finish=["--release-target", "my room.toml"], versions={"pytest": "9.2"}
    ).all_pass()
    failing(ann, "b[vdsm]", error="Error")
    failing(ann, "s", code="should-code")
    for key, value in {
        "tag-date:vdsm": "2026-11-01T12:00:00+00:00", "branch-date:vdsm": "2026-11-02", "notes-date:vdsm": "2026-11-01",
        "branch-date:ovirt-engine": "2026-11-05", "notes-date:ovirt-engine": "2026-11-05T00:00:00+00:00",
    }.items():  # fmt: skip
        ann.add("fact", key=key, value=value, source="git")
    ann.add("fact", key="gap-probe:closable", value="closed", source="probe", nodeid="t.py::test_a")
    ann.add("fact", key="gap-probe:half-closed", value="closed", source="probe", nodeid="t.py::test_b[vdsm]")
    ann.add("evidence", name="host", value={"id": 1}, nodeid="t.py::test_a", cell="a")
    ann.add(
        "evidence", name="log", file="evidence/x", sha256="e" * 64, size=3, nodeid="t.py::test_a", cell="a"
    )
    bob = RunMaker(given, "r2", tester="bob").all_pass()
    bob.records = [
        r for r in bob.records if r.get("nodeid") not in {"t.py::test_b[vdsm]", "t.py::test_n[node-1]"}
    ]
    carl = replace(RunMaker(given, "r3", tester="carl").cut(), torn=("journal/gw0.jsonl",))
    told = waivers(
        waiver("used", "b[vdsm]", expires=date(2026, 11, 25)),
        waiver("again", "b[vdsm]"),
        waiver("idle", "a"),
        waiver("expired", "a", expires=date(2026, 11, 21)),
        waiver("early", "a", approved=date(2026, 11, 23)),
        waiver("other", "a", candidate=OTHER_SHA),
        waiver("stranger", "a", approver="Mallory"),
        waiver("weak", "s"),
    )
    refused = (
        RefusedRun(
            name="x.tgz", run="r9", digest="d" * 64, code="other-candidate", detail="it is of another"
        ),
    )
    everything = inputs(given, candidate=CANDIDATE, waivers=told, waivers_sha256="b" * 64, refused=refused)
    return decide(everything, [ann.end(1), bob.end(), carl], NOW)


def no_go() -> Verdict:
    """Failures of every kind, an object left behind, and a gap that is due too late."""
    given = rich_page(gaps=[gap("late", requirements=["a"], eta=date(2027, 1, 1))])
    ann = RunMaker(given, "r1", tester="ann").all_pass()
    failing(ann, "a", code="wrong")
    failing(ann, "n[node-1]", error="Blocked", on="s", message="no s")
    ann.collect("t.py::test_more", None)
    ann.ran("t.py::test_more", "failed", message="no")
    ann.add("crash", nodeid="t.py::test_b[ovirt-engine]")
    bob = RunMaker(given, "r2", tester="bob").all_pass()
    failing(bob, "b[vdsm]")
    bob.add("intent", entry="e1", what="vm", name="rel-x", cells=["s"])
    bob.add("intent", entry="e2", what="disk", name="rel-y")
    told = waivers(waiver("weak", "a", "b[vdsm]"))
    return decide(inputs(given, candidate=CANDIDATE, waivers=told), [bob.end(1), ann.end(1)], NOW)


def incomplete() -> Verdict:
    """Trouble of every kind, too few testers, too few runs, a role that nobody holds, a test that never ran."""
    given = page(
        requirement("a", min_testers=2),
        requirement("c", clean_runs=2),
        requirement("d", signed_by="signer"),
        requirement("e", axis="distribution"),
        requirement("f"),
        requirement("g"),
        requirement("n", axis="node"),
        signers=[{"role": "signer", "title": "Signs"}],
    )
    suite = {r.id: [f"t.py::test_{r.id}"] for r in given.requirements} | {
        "f": ["t.py::test_f", "t.py::test_f_too"]
    }
    run = RunMaker(
        given, "r1", suite=suite, controls={"a": {"controlled": True, "faults": ["x"]}}, finish=["-n", "2"]
    )
    run.all_pass()
    run.records = [r for r in run.records if "test_g" not in str(r.get("nodeid"))]
    run.collect("t.py::test_g", "g")
    run.records[-1]["sentence"] = "The sentence of g."
    for kind in ("internalerror", "interrupted", "trouble", "trouble"):
        run.add(kind, text=f"some {kind}")
    run.add("brand", where="ca", text="the lab", lab=True)
    return decide(inputs(given, candidate=CANDIDATE), [run.end(2, complete=False)], NOW)


def unrecorded() -> Verdict:
    """A run that says less than pytest's exit code."""
    given = page(requirement("a"))
    return decide(inputs(given), [RunMaker(given).all_pass().end(1)], NOW)


def invalid() -> Verdict:
    """Everything that makes the gate itself broken, at once."""
    given = rich_page(historical=True)
    one = RunMaker(given, "r1", page_sha256=OTHER_SHA, candidate_sha256=OTHER_SHA, overlay_sha256=OTHER_SHA)
    one.add("mistake", text="marks do not fit").add("fact", key="engine-not-judged", value="4.4", source="x")
    lab = RunMaker(given, "r2", lab=True).all_pass().end()
    late = RunMaker(given, "r3")
    late.records[0]["at"] = "2026-11-22T12:00:00.001+00:00"
    refused = (RefusedRun(name="y.tgz", digest="", code="altered", detail="is no bundle"),)
    everything = inputs(
        given, candidate=candidate(page="page-2"), mistakes=("waivers.toml is broken",), refused=refused,
        waivers=waivers(waiver("wrong", "zz", "a[b]")),
    )  # fmt: skip
    runs = [
        one.end(),
        RunMaker(given, "r4", lab=True).cut(),
        replace(lab, damaged=("journal/x: bad",)),
        late.cut(),
        replace(late.cut(), records=(), digest="2"),
    ]
    return decide(everything, runs, NOW)


CASES = {f.__name__: f for f in (conditional, no_go, incomplete, unrecorded, invalid)}

if __name__ == "__main__":
    from pytest_ovirt_release.verdict.serial import verdict_json

    FOLDER.mkdir(exist_ok=True)
    for name, make in CASES.items():
        (FOLDER / f"{name}.json").write_text(verdict_json(make()), encoding="utf-8")
