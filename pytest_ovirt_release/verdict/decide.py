"""The one decision: page, candidate, waivers and runs in, verdict out. Pure: no pytest, no clock, no disk."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields, replace
from datetime import UTC
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pytest_ovirt_release import __version__
from pytest_ovirt_release.verdict import cells, context, rules, waiving
from pytest_ovirt_release.verdict.fold import worst
from pytest_ovirt_release.verdict.model import (
    CandidateFacts,
    Counts,
    FileFacts,
    PageFacts,
    Reason,
    RequirementVerdict,
    Verdict,
)
from pytest_ovirt_release.verdict.rules import Findings, Inputs
from pytest_ovirt_release.verdict.states import CLASSES, EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pytest_ovirt_release.release.page import Page, Requirement
    from pytest_ovirt_release.verdict.journals import Record, Run
    from pytest_ovirt_release.verdict.model import (
        CellVerdict,
        GapVerdict,
        MilestoneVerdict,
        QuestionVerdict,
        RunVerdict,
        SignerVerdict,
        WaiverVerdict,
    )

__all__ = ["Inputs", "decide", "process_exit"]


def decide(inputs: Inputs, runs: Sequence[Run], as_of: datetime) -> Verdict:
    """Return the verdict; the same inputs, runs (in any order, named any number of times) and `as_of` give the same."""
    united, as_of = _union(runs), as_of.astimezone(UTC)
    found, parts = _judge(inputs, united, as_of)
    try:
        return _verdict(inputs, found, parts, as_of)
    except ValidationError as error:  # the gate's self-check: what we decided is not what the cells say
        said = "; ".join(str(e["msg"]) for e in error.errors(include_url=False))
        broken = Findings(
            (Reason(code="self-check", detail=f"the gate contradicts itself: {said}"),), (), (), ()
        )
        return _verdict(inputs, broken, replace(parts, requirements=()), as_of)


def process_exit(verdict: Verdict, pytest_exit: int) -> int:
    """Return the process's exit code: the verdict's, unless pytest itself did not come to its end."""
    return verdict.exit_code if pytest_exit in rules.JUDGED else pytest_exit


def _union(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Return each run once, in an order that does not depend on how they were named."""
    by_key = {run.key: run for run in runs}
    return tuple(by_key[key] for key in sorted(by_key))


@dataclass(frozen=True)
class _Parts:
    """What of a verdict does not depend on its word."""

    runs: tuple[RunVerdict, ...]
    requirements: tuple[RequirementVerdict, ...] = ()
    timeline: tuple[MilestoneVerdict, ...] = ()
    gaps: tuple[GapVerdict, ...] = ()
    open_questions: tuple[QuestionVerdict, ...] = ()
    signers: tuple[SignerVerdict, ...] = ()
    waivers: tuple[WaiverVerdict, ...] = ()
    remarks: tuple[Reason, ...] = ()


def _judge(inputs: Inputs, runs: Sequence[Run], as_of: datetime) -> tuple[Findings, _Parts]:
    """Return the reasons by their rules, and every other part of the verdict."""
    facts = tuple(context.run_facts(run) for run in runs)
    invalid = tuple(rules.invalid(inputs, runs, facts, as_of))
    page = inputs.page
    if page is None:
        return Findings(invalid, (), (), ()), _Parts(facts)
    troubles = {run.id: tuple(rules.unfinished(run, fact)) for run, fact in zip(runs, facts, strict=True)}
    troubled = tuple(reason for reasons in troubles.values() for reason in reasons)
    # Beside a run that ended well, what passed in one that did not neither proves nor takes a failure away.
    counts = troubled and all(troubles.values())
    unsound = frozenset() if counts else frozenset(run_id for run_id, reasons in troubles.items() if reasons)
    given = inputs.waivers.waivers if inputs.waivers else ()
    requirements = _requirements(page, runs, unsound)
    judged, waivers = waiving.apply(given, page, inputs.candidate_sha256, requirements, as_of)
    timeline, gaps = context.judge_timeline(page, runs), context.judge_gaps(page, runs, as_of)
    found = Findings(
        invalid,
        tuple(rules.no_go(page, judged, runs)),
        (*rules.incomplete(judged, runs), *(troubled if counts else ())),
        (*rules.conditional(page, judged, waivers, gaps), *rules.mirrored(runs)),
    )
    remarks = [*_shoulds(judged), *(() if counts else troubled), *_beside(timeline, gaps, waivers, inputs)]
    remarks += rules.told(runs)
    if found.word() == "INCOMPLETE":
        remarks.append(Reason(code="finish", detail=_finish(runs)))
    questions, signers = context.judge_questions(page), context.judge_signers(page)
    return found, _Parts(facts, judged, timeline, gaps, questions, signers, waivers, tuple(remarks))


def _verdict(inputs: Inputs, found: Findings, parts: _Parts, as_of: datetime) -> Verdict:
    word = found.word()
    return Verdict.model_validate(
        {
            "generated_by": f"pytest-ovirt-release {__version__}",
            "verdict": word,
            "exit_code": EXIT_CODES[word],
            "rehearsal": any(f.rehearsal for f in parts.runs),
            "as_of": as_of.isoformat(),
            "page": _page_facts(inputs),
            "candidate": _candidate_facts(inputs),
            "waivers_sha256": inputs.waivers_sha256,
            "refused": inputs.refused,
            "reasons": found.reasons(),
            "must": _count(parts.requirements, "must"),
            "should": _count(parts.requirements, "should"),
            **{field.name: getattr(parts, field.name) for field in fields(parts)},
        }
    )


def _requirements(page: Page, runs: Sequence[Run], unsound: frozenset[str]) -> tuple[RequirementVerdict, ...]:
    by_id = cells.judge_cells(page, runs, unsound)
    controls = [start["controls"] for run in runs for start in run.of("run")]
    return tuple(_requirement(r, by_id[r.id], [c.get(r.id) for c in controls]) for r in page.requirements)


def _requirement(
    requirement: Requirement, judged: tuple[CellVerdict, ...], controls: Sequence[Record | None]
) -> RequirementVerdict:
    """Return one requirement with its cells; it is controlled if it was in every run."""
    state = worst((c.state for c in judged), "missing")
    faults = sorted({fault for c in controls if c for fault in c["faults"]})
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
            "class": CLASSES[state],
            "controlled": bool(controls) and all(c is not None and c["controlled"] for c in controls),
            "faults": tuple(faults),
            "cells": judged,
        }
    )


def _shoulds(judged: Sequence[RequirementVerdict]) -> Iterator[Reason]:
    for _, cell in rules.open_cells(judged, "should"):
        yield Reason(code=f"should-{cell.state}", cell=cell.id, detail=cell.detail)


def _beside(
    timeline: Sequence[MilestoneVerdict],
    gaps: Sequence[GapVerdict],
    waivers: Sequence[WaiverVerdict],
    inputs: Inputs,
) -> Iterator[Reason]:
    """Yield what is worth knowing of dates, gaps, waivers and refused runs, and changes nothing."""
    for m in timeline:
        if m.status == "missed":
            yield Reason(
                code="milestone-missed", detail=f"{m.title}: due {m.due}, was {m.actual} ({m.source})"
            )
    for g in gaps:
        yield Reason(
            code=f"gap-{g.status}", detail=f"{g.title}: {g.status} (owner {g.owner}, ETA {g.eta}); {g.detail}"
        )
    for w in waivers:
        if w.status != "used":
            yield Reason(code=f"waiver-{w.status}", detail=f"waiver {w.id}: {w.detail}")
        if w.expires_soon:
            yield Reason(code="waiver-expires-soon", detail=f"waiver {w.id} expires on {w.expires}")
    for r in inputs.refused:
        yield Reason(code=f"refused-{r.code}", detail=f"{r.name}: {r.detail}")


def _count(judged: Sequence[RequirementVerdict], level: str) -> Counts:
    """Return how many cells of a level are in which class; a waived cell is counted as waived only."""
    found = [
        "waived" if c.disposition == "waived" else c.cell_class
        for r in judged
        if r.level == level
        for c in r.cells
    ]
    return Counts(**{name: found.count(name) for name in Counts.model_fields})


def _finish(runs: Sequence[Run]) -> str:
    """Return the command that would finish the job, as far as the runs tell."""
    starts = [start for run in runs for start in run.of("run")]
    last = max(starts, key=lambda start: start["at"], default=None)
    return shlex.join(["pytest", "-m", "must", *((last or {}).get("finish") or ())])


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
        files=tuple(
            FileFacts(component=c.name, name=f.name, sha256=f.sha256)
            for c in candidate.components
            for f in c.files
        ),
    )
