"""The example of a merge: two testers, a refused run, and waivers of which only some hold.

What becomes of cells and waivers is worked out by the verdict's own rules, so that no sentence here can be stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.release.page import Approver
from pytest_ovirt_release.verdict import rules, waiving
from pytest_ovirt_release.verdict.fold import worst
from pytest_ovirt_release.verdict.model import (
    CellVerdict,
    Reason,
    RefusedRun,
    RequirementVerdict,
    RunVerdict,
    Verdict,
)
from pytest_ovirt_release.verdict.standing import combine
from pytest_ovirt_release.verdict.states import CLASSES, EXIT_CODES
from tests.unit.report.example_beside import gap, sha
from tests.unit.report.example_parts import build, counts, reasons_of
from tests.unit.report.example_rows import COMPONENTS, DISTRIBUTIONS
from tests.unit.report.example_waivers import CANDIDATE
from tests.unit.report.example_waivers import waivers as given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.verdict.model import Attempt, GapVerdict, WaiverVerdict
    from pytest_ovirt_release.verdict.states import State

PAGES = Path(__file__).parents[3] / "acceptance" / "releases"


@dataclass(frozen=True)
class Told:
    """What one run recorded: whose it is, and every cell that did not pass (no state: it was not collected)."""

    run: str
    tester: str
    began: str
    ended: str
    trouble: dict[str, tuple[State | None, str]]


KIM = Told(
    "20261122T090012Z-1c4e",
    "Kim Example",
    "2026-11-22T09:00:12+00:00",
    "2026-11-22T09:01:37+00:00",
    {
        "database-creation": ("errored", "the embedded PostgreSQL did not answer within 60 s"),
        "node-runs-vm[node-2]": (None, ""),
        "binary-tarball[ovirt-node]": (
            "failed",
            "ovirt-node-2.2.2-bin.tar.gz: not found (404); wanted the binary tarball that the candidate names",
        ),
        "easy-installation": ("skipped", "the target names no SSH access to the engine machine"),
    },
)
ROBIN = Told(
    "20261122T143055Z-b07d",
    "Robin Example",
    "2026-11-22T14:30:55+00:00",
    "2026-11-22T14:31:40+00:00",
    {
        "vm-on-nfs": (
            "failed",
            "The guest was up for 20 s, but its disk is unchanged: sector 2 still holds zeros, so it never ran",
        ),
        "database-creation": ("skipped", "no PostgreSQL on this machine"),
        "node-runs-vm[node-1]": ("blocked", "blocked on vm-on-nfs: the guest never ran on this storage"),
        "node-runs-vm[node-2]": ("blocked", "blocked on vm-on-nfs: the guest never ran on this storage"),
        "easy-installation": ("skipped", "the target names no SSH access to the engine machine"),
        **{f"binary-tarball[{name}]": (None, "") for name in COMPONENTS},
        **{f"distro-builds[{name}]": (None, "") for name in DISTRIBUTIONS},
        **{f"release-notes[{name}]": (None, "") for name in COMPONENTS},
    },
)


def conditional() -> Verdict:
    """Return a merge of two rehearsals that may ship on conditions."""
    page = load_page(PAGES / "ovirt-3.0.toml").model_copy(
        update={"approvers": (Approver(name="Alex Example", role="Release manager"),)}
    )
    base = build({}, "GO")
    merged = tuple(_merged(requirement) for requirement in base.requirements)
    as_of = datetime.fromisoformat(base.as_of)
    judged, waivers = waiving.apply(tuple(given()), page, CANDIDATE, merged, as_of)
    gaps, refused = (gap(closable=False),), _refused()
    return Verdict.model_validate(
        {
            **base.model_dump(by_alias=True),
            "verdict": "GO-CONDITIONAL",
            "exit_code": EXIT_CODES["GO-CONDITIONAL"],
            "reasons": tuple(rules.conditional(page, judged, waivers, gaps)),
            "remarks": tuple(_remarks(judged, gaps, waivers, refused)),
            "must": counts(judged, "must"),
            "should": counts(judged, "should"),
            "requirements": judged,
            "gaps": gaps,
            "waivers": waivers,
            "waivers_sha256": sha("waivers"),
            "runs": tuple(_run(base.runs[0], told) for told in (KIM, ROBIN)),
            "refused": refused,
        }
    )


def _merged(requirement: RequirementVerdict) -> RequirementVerdict:
    """Return a requirement as both runs together leave it."""
    cells = tuple(_cell(cell) for cell in requirement.cells)
    state = worst(cell.state for cell in cells)
    return requirement.model_copy(
        update={"cells": cells, "state": state, "requirement_class": CLASSES[state], "controlled": True}
    )


def _cell(cell: CellVerdict) -> CellVerdict:
    """Return a cell that was passed once as both runs together leave it."""
    attempts = tuple(a for told in (KIM, ROBIN) for a in _attempts(told, cell))
    state = combine(attempts)
    messages = [a.message for a in attempts if a.message and state in {a.state, "conflict"}]
    passed = next((a.run for a in attempts if a.state == "passed"), "")
    return CellVerdict.model_validate(
        {
            **cell.model_dump(by_alias=True),
            "state": state,
            "class": CLASSES[state],
            "disposition": "satisfied" if state == "passed" else "unsatisfied",
            "detail": messages[-1] if messages else "",
            "attempts": attempts,
            "evidence": tuple(e.model_copy(update={"run": passed}) for e in cell.evidence if passed),
        }
    )


def _attempts(told: Told, cell: CellVerdict) -> Iterator[Attempt]:
    """Yield what one run recorded of a cell, made from the example's clean pass."""
    state, message = told.trouble.get(cell.id, ("passed", ""))
    if state is None:
        return
    yield cell.attempts[0].model_copy(
        update={
            "run": told.run,
            "tester": told.tester,
            "started": told.began,
            "state": state,
            "message": message,
            "code": None,
        }
    )


def _run(template: RunVerdict, told: Told) -> RunVerdict:
    return template.model_copy(
        update={
            "id": told.run,
            "digest": sha(told.run),
            "tester": told.tester,
            "started": told.began,
            "ended": told.ended,
            "arguments": ("-m", "must or should" if told is KIM else "must", "--release-target", "lab"),
            "pytest_exit": 1,
        }
    )


def _refused() -> tuple[RefusedRun, ...]:
    return (
        RefusedRun(
            name="20261120T080901Z-55aa.bundle.tar.gz",
            run="20261120T080901Z-55aa",
            digest=sha("refused"),
            code="other-candidate",
            detail=f"it is of another candidate: SHA-256 {sha('alpha')}",
        ),
    )


def _remarks(
    judged: tuple[RequirementVerdict, ...],
    gaps: tuple[GapVerdict, ...],
    waivers: tuple[WaiverVerdict, ...],
    refused: tuple[RefusedRun, ...],
) -> Iterator[Reason]:
    """Yield what the verdict remarks beside its reasons."""
    yield from reasons_of(judged, "should")
    text = f"run {ROBIN.run}: the last line of gw1.jsonl was cut off"
    yield Reason(code="torn-journal", detail=text)
    for known in gaps:
        text = f"{known.title} (owner {known.owner}, ETA {known.eta}): {known.detail}"
        yield Reason(code=f"gap-{known.status}", detail=text)
    for waiver in waivers:
        if waiver.status != "used":
            yield Reason(code=f"waiver-{waiver.status}", detail=f"waiver {waiver.id}: {waiver.detail}")
        if waiver.expires_soon:
            text = f"waiver {waiver.id} expires on {waiver.expires}"
            yield Reason(code="waiver-expires-soon", detail=text)
    for run in refused:
        yield Reason(code=f"refused-{run.code}", detail=f"{run.name}: {run.detail}")
