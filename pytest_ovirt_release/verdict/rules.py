"""The rules of the verdict: each yields its reasons, and the first rule with a reason decides. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.release.page import end_of
from pytest_ovirt_release.verdict.fold import left_behind
from pytest_ovirt_release.verdict.model import Reason
from pytest_ovirt_release.verdict.waiving import unknown_cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pytest_ovirt_release.release.candidate import Candidate
    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.release.waivers import Waivers
    from pytest_ovirt_release.verdict.journals import Record, Run
    from pytest_ovirt_release.verdict.model import (
        CellVerdict,
        GapVerdict,
        RefusedRun,
        RequirementVerdict,
        RunVerdict,
        WaiverVerdict,
    )
    from pytest_ovirt_release.verdict.states import Word

FAILED = 1
"""pytest's exit code for "some tests failed"."""

JUDGED = frozenset({0, FAILED, 5})
"""Exit codes of pytest that mean "it ran to its end"; the verdict speaks instead."""

ALTERED = "altered"
"""Code of a run that was refused because it is not as it was written; such a merge judges nothing."""

MIRRORED = "mirrored"
"""The fact that a target gives a place of the page another address, and the condition that follows."""

ONE_AFTER_THE_OTHER = "one-after-the-other"
"""The fact that one node served both kinds of storage, and the remark that says so."""


@dataclass(frozen=True)
class Inputs:
    """Everything but the runs: page (overlay applied), candidate, waivers, their files' digests, mistakes in them."""

    page: Page | None
    page_sha256: str = ""
    candidate: Candidate | None = None
    candidate_sha256: str = ""
    overlay_sha256: str = ""
    waivers: Waivers | None = None
    waivers_sha256: str = ""
    mistakes: tuple[str, ...] = ()
    refused: tuple[RefusedRun, ...] = ()


@dataclass(frozen=True)
class Findings:
    """Reasons by the rule they belong to; the first rule with a reason is the verdict."""

    invalid: tuple[Reason, ...]
    no_go: tuple[Reason, ...]
    incomplete: tuple[Reason, ...]
    conditional: tuple[Reason, ...]

    def word(self) -> Word:
        """Return the verdict."""
        if self.invalid:
            return "INVALID"
        if self.no_go:
            return "NO-GO"
        if self.incomplete:
            return "INCOMPLETE"
        return "GO-CONDITIONAL" if self.conditional else "GO"

    def reasons(self) -> tuple[Reason, ...]:
        """Return all reasons, those of the deciding rule first."""
        return (*self.invalid, *self.no_go, *self.incomplete, *self.conditional)


def open_cells(
    judged: Sequence[RequirementVerdict], level: str
) -> Iterator[tuple[RequirementVerdict, CellVerdict]]:
    """Yield the cells of a level that are neither proven nor waived."""
    for requirement in judged:
        if requirement.level == level:
            yield from ((requirement, c) for c in requirement.cells if c.disposition == "unsatisfied")


def invalid(
    inputs: Inputs, runs: Sequence[Run], facts: Sequence[RunVerdict], as_of: datetime
) -> Iterator[Reason]:
    """Yield what makes the gate itself broken. No waiver helps against it."""
    for refused in inputs.refused:
        if refused.code == ALTERED:
            yield Reason(code="altered-run", detail=f"{refused.name}: {refused.detail}")
    for mistake in inputs.mistakes:
        yield Reason(code="bad-input", detail=mistake)
    page, candidate = inputs.page, inputs.candidate
    if page is None or candidate is None:
        if not inputs.mistakes:
            yield Reason(code="bad-input", detail="there is no release page or no candidate")
        return
    if not any(r.level == "must" for r in page.requirements):
        yield Reason(code="no-must", detail=f"page {page.id} has no must: nothing could be proven")
    if candidate.page != page.id:
        yield Reason(code="other-page", detail=f"the candidate is for page {candidate.page}, not {page.id}")
    if inputs.waivers is not None:
        yield from (Reason(code="bad-waiver", detail=text) for text in unknown_cells(page, inputs.waivers))
    yield from _unlike(runs, facts)
    for run, fact in zip(runs, facts, strict=True):
        yield from _invalid_run(inputs, page, run, fact, as_of)


def _unlike(runs: Sequence[Run], facts: Sequence[RunVerdict]) -> Iterator[Reason]:
    """Yield why these runs cannot be judged together."""
    ids = [run.id for run in runs]
    for run_id in sorted({i for i in ids if ids.count(i) > 1}):
        text = f"run {run_id} is here more than once, with different contents; leave all but the true one out"
        yield Reason(code="duplicate-run", detail=text)
    rehearsals = [fact.id for fact in facts if fact.rehearsal]
    if rehearsals and len(rehearsals) < len(facts):
        text = f"rehearsals ({', '.join(rehearsals)}) and live runs are never judged together"
        yield Reason(code="mixed-rehearsal", detail=text)


def _invalid_run(inputs: Inputs, page: Page, run: Run, fact: RunVerdict, as_of: datetime) -> Iterator[Reason]:
    for line in run.damaged:
        yield Reason(code="damaged-journal", detail=f"run {run.id}: {line}")
    start = run.first("run")
    if start is None:
        yield Reason(code="no-run-record", detail=f"run {run.id} does not say what it ran")
        return
    digests = {
        "page": inputs.page_sha256,
        "candidate": inputs.candidate_sha256,
        "overlay": inputs.overlay_sha256,
    }
    for name, wanted in digests.items():
        if start[f"{name}_sha256"] != wanted:
            yield Reason(code=f"other-{name}", detail=f"run {run.id} was made with another {name} file")
    last = max(r["at"] for r in run.records)
    if last > as_of.isoformat(timespec="milliseconds"):
        text = f"run {run.id} has a record of {last}, after the moment that is judged, {as_of.isoformat()}"
        yield Reason(code="run-after-as-of", detail=text)
    yield from _misfits(page, run)
    if not fact.rehearsal:
        yield from _invalid_live(page, run, start)


def _misfits(page: Page, run: Run) -> Iterator[Reason]:
    """Yield what does not fit the page: the suite's marks, its requirements, the engine."""
    for text in sorted({r["text"] for r in run.of("mistake")}):
        yield Reason(code="bad-suite", detail=text)
    known = {r.id for r in page.requirements}
    for name in sorted({r["requirement"] for r in run.of("collected") if r.get("requirement")} - known):
        text = f"run {run.id} has tests for {name!r}, which page {page.id} does not ask for"
        yield Reason(code="bad-suite", detail=text)
    for record in run.of("fact"):
        if record["key"] == "engine-not-judged":
            yield Reason(code="engine-not-judged", detail=f"run {run.id}: {record['value']}")


def _invalid_live(page: Page, run: Run, start: Record) -> Iterator[Reason]:
    """Yield what only a rehearsal may do."""
    if start["overlay_sha256"]:
        text = f"run {run.id} replaced the page's signers or places, and met no lab"
        yield Reason(code="override-in-live-run", detail=text)
    if page.historical:
        text = f"page {page.id} is historical: it judges rehearsals only"
        yield Reason(code="historical-page", detail=text)


def no_go(page: Page, judged: Sequence[RequirementVerdict], runs: Sequence[Run]) -> Iterator[Reason]:
    """Yield what has been disproven."""
    for requirement, cell in open_cells(judged, "must"):
        if cell.cell_class == "disproven":
            yield Reason(code=f"must-{cell.state}", cell=cell.id, detail=cell.detail or requirement.title)
    musts = {r.id for r in page.requirements if r.level == "must"}
    for gap in page.gaps:
        # Without an ETA the must itself decides: it is proven or it is not.
        if gap.eta and musts & set(gap.requirements) and end_of(gap.eta) > end_of(page.release_date):
            text = f"{gap.title}: ETA {gap.eta} is after the release on {page.release_date}"
            yield Reason(code="gap-after-release", detail=text)
    for run in runs:
        mapped = {r["nodeid"] for r in run.of("collected") if r.get("requirement")}
        for nodeid, outcome in run.outcomes.items():
            if nodeid not in mapped and outcome.state in {"failed", "errored", "blocked"}:
                text = f"{nodeid} failed and belongs to no requirement: {outcome.message}"
                yield Reason(code="unmapped-failure", detail=text)


def incomplete(judged: Sequence[RequirementVerdict], runs: Sequence[Run]) -> Iterator[Reason]:
    """Yield what is not proven, but for what a run that did not end well leaves open (see `unfinished`)."""
    if not runs:
        yield Reason(code="no-run", detail="nothing has been run")
    for requirement, cell in open_cells(judged, "must"):
        if cell.cell_class == "unproven":
            yield Reason(code=f"must-{cell.state}", cell=cell.id, detail=cell.detail or requirement.title)
    for requirement in judged:
        if requirement.level == "must" and not requirement.cells:
            text = "the axis of this requirement has no value"
            yield Reason(code="no-cells", cell=requirement.id, detail=text)
    musts = [cell for r in judged if r.level == "must" for cell in r.cells]
    if runs and not any(cell.cell_class == "proven" for cell in musts):
        yield Reason(code="nothing-proven", detail="not one must is proven; waivers alone prove nothing")


def unfinished(run: Run, fact: RunVerdict) -> Iterator[Reason]:
    """Yield why a run cannot be believed to have recorded everything: it then proves nothing by itself."""
    cells = {r["cell"] for r in run.of("collected") if r.get("cell")}
    for cell, objects in left_behind(run).items():
        if cell not in cells:  # of a cell that was tested, the cell itself tells it
            yield from (_left(run, name) for name in objects)
    for kind in ("internalerror", "interrupted", "trouble"):
        for text in dict.fromkeys(r["text"] for r in run.of(kind)):
            yield Reason(code=kind, detail=f"run {run.id}: {text}")
    if fact.ended is None:
        yield Reason(code="run-not-finished", detail=f"run {run.id} never reached its end")
    elif not fact.complete or fact.pytest_exit not in JUDGED:
        text = f"run {run.id} ended early, pytest's code {fact.pytest_exit}"
        yield Reason(code="run-not-finished", detail=text)
    elif fact.pytest_exit == FAILED and not _failures(run):
        text = f"run {run.id}: pytest says that something failed, but no record says what"
        yield Reason(code="unrecorded-failure", detail=text)
    for name in run.torn:
        yield Reason(code="torn-journal", detail=f"run {run.id}: the last line of {name} was cut off")


def _left(run: Run, name: str) -> Reason:
    return Reason(code="left-behind", detail=f"run {run.id} left {name}: ovirt-release reap {run.id}")


def _failures(run: Run) -> bool:
    """Return whether anything recorded explains that pytest says "failed"."""
    return bool(run.first("crash") or run.first("trouble")) or any(
        r["outcome"] == "failed" for r in run.of("report")
    )


def conditional(
    page: Page,
    judged: Sequence[RequirementVerdict],
    waivers: Sequence[WaiverVerdict],
    gaps: Sequence[GapVerdict],
) -> Iterator[Reason]:
    """Yield what a GO would have to say aloud."""
    for waiver in waivers:
        for cell in waiver.used_for:
            text = f"{waiver.approver} ({waiver.role}) accepts it until {waiver.expires}: {waiver.reason}"
            yield Reason(code="waived", cell=cell, detail=text)
    for requirement in judged:
        if requirement.level == "must" and not requirement.controlled:
            text = f"nobody has seen the check for '{requirement.title}' fail: run nox -s controls"
            yield Reason(code="uncontrolled", cell=requirement.id, detail=text)
    if page.should == "explain":
        explained = {name for gap in gaps if gap.status == "open" for name in gap.requirements}
        for requirement, should in open_cells(judged, "should"):
            if requirement.id not in explained:
                yield Reason(code="should-unexplained", cell=should.id, detail=should.detail)


def told(runs: Sequence[Run]) -> Iterator[Reason]:
    """Yield what a run did otherwise than its reader may expect, and that changes nothing."""
    for run in runs:
        said = (record["value"] for record in run.of("fact") if record["key"] == ONE_AFTER_THE_OTHER)
        for text in dict.fromkeys(said):
            yield Reason(code=ONE_AFTER_THE_OTHER, detail=f"run {run.id}: {text}")


def mirrored(runs: Sequence[Run]) -> Iterator[Reason]:
    """Yield what a run read elsewhere than where the page says: a GO has to say that aloud too."""
    for run in runs:
        for record in run.of("fact"):
            if record["key"] == MIRRORED:
                text = (
                    f"run {run.id} read {record['value']}: what the page's own place holds was not looked at"
                )
                yield Reason(code=MIRRORED, detail=text)
