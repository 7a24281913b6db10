"""The one decision: page, candidate and runs in, verdict out. Pure: no pytest, no clock, no disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_ovirt_release import __version__
from pytest_ovirt_release.release.page import end_of
from pytest_ovirt_release.verdict import cells, context
from pytest_ovirt_release.verdict.fold import left_behind, outcomes, worst
from pytest_ovirt_release.verdict.model import (
    EXIT_CODES,
    CandidateFacts,
    Counts,
    PageFacts,
    Reason,
    RequirementVerdict,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pytest_ovirt_release.release.candidate import Candidate
    from pytest_ovirt_release.release.page import Page, Requirement
    from pytest_ovirt_release.verdict.journals import Run
    from pytest_ovirt_release.verdict.model import CellVerdict, RunVerdict, Word

FAILED = 1
PYTEST_JUDGED = frozenset({0, FAILED, 5})
"""Exit codes of pytest that mean "it ran to its end"; the verdict speaks instead."""


@dataclass(frozen=True)
class Inputs:
    """Everything but the runs: page (overlay applied), candidate, their files' digests, mistakes in them."""

    page: Page | None
    page_sha256: str = ""
    candidate: Candidate | None = None
    candidate_sha256: str = ""
    mistakes: tuple[str, ...] = field(default=())
    overlay_sha256: str = ""


def decide(inputs: Inputs, runs: Sequence[Run], as_of: datetime) -> Verdict:
    """Return the verdict; the same inputs, runs and `as_of` always give the same one."""
    page = inputs.page
    facts = tuple(context.run_facts(run) for run in runs)
    judged = _requirements(page, runs) if page else ()
    found = _Findings(
        invalid=tuple(_invalid(inputs, runs, facts)),
        no_go=tuple(_no_go(page, judged, runs)) if page else (),
        incomplete=tuple(_incomplete(judged, runs, facts)),
        conditional=tuple(_conditional(page, judged)) if page else (),
    )
    timeline = context.judge_timeline(page, runs) if page else ()
    gaps = context.judge_gaps(page, runs, as_of) if page else ()
    word = found.word()
    remarks = [*_shoulds(judged)]
    remarks += [
        Reason(code="milestone-missed", detail=f"{m.title}: due {m.due}, was {m.actual}")
        for m in timeline
        if m.status == "missed"
    ]
    remarks += [
        Reason(code=f"gap-{g.status}", detail=f"{g.title} (owner {g.owner}, ETA {g.eta}): {g.detail}")
        for g in gaps
    ]
    if word == "INCOMPLETE" and (command := _finish(facts)):
        remarks.append(Reason(code="finish", detail=command))
    return Verdict.model_validate(
        {
            "generated_by": f"pytest-ovirt-release {__version__}",
            "verdict": word,
            "exit_code": EXIT_CODES[word],
            "rehearsal": any(f.rehearsal for f in facts),
            "as_of": as_of.isoformat(timespec="seconds"),
            "page": _page_facts(inputs),
            "candidate": _candidate_facts(inputs),
            "reasons": found.reasons(),
            "remarks": tuple(remarks),
            "must": _count(judged, "must"),
            "should": _count(judged, "should"),
            "requirements": judged,
            "timeline": timeline,
            "gaps": gaps,
            "open_questions": context.judge_questions(page) if page else (),
            "signers": context.judge_signers(page) if page else (),
            "runs": facts,
        }
    )


@dataclass(frozen=True)
class _Findings:
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


def process_exit(verdict: Verdict, pytest_exit: int) -> int:
    """Return the process's exit code: the verdict's, unless pytest itself did not come to its end."""
    return verdict.exit_code if pytest_exit in PYTEST_JUDGED else pytest_exit


def _requirements(page: Page, runs: Sequence[Run]) -> tuple[RequirementVerdict, ...]:
    by_id = cells.judge_cells(page, runs)
    controls = [dict(start.get("controls") or {}) for run in runs for start in run.of("run")]
    return tuple(_requirement(r, by_id[r.id], [c.get(r.id) for c in controls]) for r in page.requirements)


def _requirement(
    requirement: Requirement, judged: tuple[CellVerdict, ...], controls: Sequence[dict[str, object] | None]
) -> RequirementVerdict:
    """Return one requirement with its cells; it is controlled if it was in every run."""
    state = worst((c.state for c in judged), "missing")
    faults = sorted({str(f) for c in controls if c for f in _list(c.get("faults"))})
    return RequirementVerdict.model_validate(
        {
            "id": requirement.id,
            "level": requirement.level,
            "title": requirement.title,
            "section": requirement.section,
            "line": requirement.line,
            "line_sha256": requirement.sha256,
            "proof": requirement.proof,
            "needs": requirement.needs,
            "state": state,
            "class": cells.CLASSES[state],
            "controlled": bool(controls)
            and all(c is not None and c.get("controlled") is True for c in controls),
            "faults": tuple(faults),
            "cells": judged,
        }
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _invalid(inputs: Inputs, runs: Sequence[Run], facts: Sequence[RunVerdict]) -> Iterator[Reason]:
    """Yield what makes the gate itself broken."""
    for mistake in inputs.mistakes:
        yield Reason(code="bad-input", detail=mistake)
    if inputs.page is None or inputs.candidate is None:
        if not inputs.mistakes:
            yield Reason(code="bad-input", detail="there is no release page or no candidate")
        return
    if not any(r.level == "must" for r in inputs.page.requirements):
        yield Reason(code="no-must", detail=f"page {inputs.page.id} has no must: nothing could be proven")
    if inputs.candidate.page != inputs.page.id:
        text = f"the candidate is for page {inputs.candidate.page}, not {inputs.page.id}"
        yield Reason(code="other-page", detail=text)
    for run, fact in zip(runs, facts, strict=True):
        yield from _invalid_run(inputs, inputs.page, run, fact)


def _invalid_run(inputs: Inputs, page: Page, run: Run, fact: RunVerdict) -> Iterator[Reason]:
    start = run.first("run")
    if start is None:
        yield Reason(code="no-run-record", detail=f"run {run.id} does not say what it ran")
        return
    for line in run.damaged:
        yield Reason(code="damaged-journal", detail=f"run {run.id}: {line}")
    digests = {
        "page": inputs.page_sha256,
        "candidate": inputs.candidate_sha256,
        "overlay": inputs.overlay_sha256,
    }
    for name, wanted in digests.items():
        if str(start.get(f"{name}_sha256") or "") != wanted:
            yield Reason(code=f"other-{name}", detail=f"run {run.id} was made with another {name} file")
    for text in sorted({str(r["text"]) for r in run.of("mistake")}):
        yield Reason(code="bad-suite", detail=text)
    if not fact.rehearsal and start.get("overlay"):
        text = f"run {run.id} replaced the page's signers or places, and met no lab"
        yield Reason(code="override-in-live-run", detail=text)
    if not fact.rehearsal and page.historical:
        yield Reason(
            code="historical-page", detail=f"page {page.id} is historical: it judges rehearsals only"
        )
    for record in run.of("fact"):
        if record["key"] == "engine-not-judged":
            yield Reason(code="engine-not-judged", detail=f"run {run.id}: {record['value']}")


def _no_go(page: Page, judged: Sequence[RequirementVerdict], runs: Sequence[Run]) -> Iterator[Reason]:
    """Yield what has been disproven."""
    for requirement in judged:
        if requirement.level == "must":
            for cell in requirement.cells:
                if cell.cell_class == "disproven":
                    yield Reason(
                        code=f"must-{cell.state}", cell=cell.id, detail=cell.detail or requirement.title
                    )
    musts = {r.id for r in page.requirements if r.level == "must"}
    for gap in page.gaps:
        if musts & set(gap.requirements) and end_of(gap.eta) > end_of(page.release_date):
            text = f"{gap.title}: ETA {gap.eta} is after the release on {page.release_date}"
            yield Reason(code="gap-after-release", detail=text)
    for run in runs:
        mapped = {r["nodeid"] for r in run.of("collected") if r.get("requirement")}
        for nodeid, outcome in outcomes(run).items():
            if nodeid not in mapped and outcome.state in {"failed", "errored", "blocked"}:
                text = f"{nodeid} failed and belongs to no requirement: {outcome.message}"
                yield Reason(code="unmapped-failure", detail=text)


def _incomplete(
    judged: Sequence[RequirementVerdict], runs: Sequence[Run], facts: Sequence[RunVerdict]
) -> Iterator[Reason]:
    """Yield what is not proven."""
    if not runs:
        yield Reason(code="no-run", detail="nothing has been run")
    for requirement in judged:
        if requirement.level == "must":
            for cell in requirement.cells:
                if cell.cell_class == "unproven":
                    yield Reason(
                        code=f"must-{cell.state}", cell=cell.id, detail=cell.detail or requirement.title
                    )
        if not requirement.cells:
            yield Reason(
                code="no-cells", cell=requirement.id, detail="the axis of this requirement has no value"
            )
    for run, fact in zip(runs, facts, strict=True):
        yield from _unfinished(run, fact)


def _unfinished(run: Run, fact: RunVerdict) -> Iterator[Reason]:
    for name in left_behind(run).get("", []):
        yield Reason(code="left-behind", detail=f"run {run.id} left {name}: ovirt-release reap {run.id}")
    for kind in ("internalerror", "interrupted", "trouble"):
        for text in dict.fromkeys(str(r.get("text")) for r in run.of(kind)):
            yield Reason(code=kind, detail=f"run {run.id}: {text}")
    if fact.ended is None:
        yield Reason(code="run-not-finished", detail=f"run {run.id} never reached its end")
    elif not fact.complete:
        yield Reason(
            code="run-not-finished", detail=f"run {run.id} ended early, pytest's code {fact.pytest_exit}"
        )
    elif fact.pytest_exit == FAILED and not _failures(run):
        text = f"run {run.id}: pytest says that something failed, but no record says what"
        yield Reason(code="unrecorded-failure", detail=text)


def _failures(run: Run) -> bool:
    """Return whether anything recorded explains that pytest says "failed"."""
    return bool(run.first("crash") or run.first("trouble")) or any(
        r.get("outcome") == "failed" for r in run.of("report")
    )


def _conditional(page: Page, judged: Sequence[RequirementVerdict]) -> Iterator[Reason]:
    """Yield what a GO would have to say aloud."""
    for requirement in judged:
        if requirement.level == "must" and not requirement.controlled:
            text = f"nobody has seen the check for '{requirement.title}' fail: run nox -s controls"
            yield Reason(code="uncontrolled", cell=requirement.id, detail=text)
        if requirement.level == "should" and page.should == "explain":
            for cell in requirement.cells:
                if cell.cell_class in {"disproven", "unproven"}:
                    yield Reason(code="should-unexplained", cell=cell.id, detail=cell.detail)


def _shoulds(judged: Sequence[RequirementVerdict]) -> Iterator[Reason]:
    for requirement in judged:
        if requirement.level == "should":
            for cell in requirement.cells:
                if cell.cell_class in {"disproven", "unproven"}:
                    yield Reason(code=f"should-{cell.state}", cell=cell.id, detail=cell.detail)


def _count(judged: Sequence[RequirementVerdict], level: str) -> Counts:
    classes = [c.cell_class for r in judged if r.level == level for c in r.cells]
    return Counts(
        proven=classes.count("proven"),
        disproven=classes.count("disproven"),
        unproven=classes.count("unproven"),
        not_applicable=classes.count("not_applicable"),
    )


def _finish(facts: Sequence[RunVerdict]) -> str:
    """Return the command that would finish the job, as far as the runs tell."""
    return f"pytest -m must --release-target {facts[-1].environment}" if facts else "pytest -m must"


def _page_facts(inputs: Inputs) -> PageFacts | None:
    page = inputs.page
    if page is None:
        return None
    return PageFacts(
        id=page.id,
        title=page.title,
        version=page.version,
        uri=page.source.uri,
        sha256=inputs.page_sha256,
        historical=page.historical,
    )


def _candidate_facts(inputs: Inputs) -> CandidateFacts | None:
    candidate = inputs.candidate
    if candidate is None:
        return None
    return CandidateFacts(
        version=candidate.version,
        rc=candidate.rc,
        created=candidate.created.isoformat(),
        sha256=inputs.candidate_sha256,
        components=tuple(
            {"name": c.name, "version": c.version, "tag": c.tag, "commit": c.commit}
            for c in candidate.components
        ),
    )
