"""The verdict as data: what `decide` returns, what `verdict.json` holds, what every report is rendered from."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pytest_ovirt_release.release.model import Slug, Strict
from pytest_ovirt_release.verdict.states import (
    CLASSES,
    DISPOSITIONS,
    EXIT_CODES,
    MAY_SHIP,
    CellClass,
    Disposition,
    State,
    Word,
)

VERDICT_SCHEMA = "ovirt-release-verdict/1"


class Reason(Strict):
    """Why the verdict is what it is: a stable code, the cell if any, one sentence."""

    code: str
    cell: str | None = None
    detail: str


class Attempt(Strict):
    """One test that ran for a cell, in one run. Times are seconds; `started` and `ended` are ISO 8601 UTC."""

    nodeid: str
    run: str
    tester: str
    environment: str
    state: State
    started: str | None = None
    ended: str | None = None
    seconds: float = 0.0
    sentence: str = ""
    message: str = ""
    code: str | None = None


class Evidence(Strict):
    """A value, or a file (relative to the run folder) with its SHA-256 and size in bytes."""

    run: str
    nodeid: str
    name: str
    value: Any = None
    file: str | None = None
    sha256: str | None = None
    size: int | None = None


class CellVerdict(Strict):
    """One cell: `id` is `requirement` or `requirement[value]`; `waiver` is the id of the one that accepts it.

    ValueError: class or disposition contradict the state, or *passed* stands there without a pass.
    """

    id: str
    value: str | None = None
    state: State
    cell_class: CellClass = Field(alias="class")
    disposition: Disposition
    detail: str = ""
    waiver: str | None = None
    attempts: tuple[Attempt, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.cell_class != CLASSES[self.state] or self.disposition not in DISPOSITIONS[self.cell_class]:
            raise ValueError(f"{self.id}: {self.state} is not {self.cell_class} and {self.disposition}")
        if self.state == "passed" and not any(a.state == "passed" for a in self.attempts):
            raise ValueError(f"{self.id}: passed, but nobody passed it")
        if (self.disposition == "waived") != (self.waiver is not None):
            raise ValueError(f"{self.id}: {self.disposition}, but its waiver is {self.waiver}")
        return self


class RequirementVerdict(Strict):
    """One requirement with its cells; its state is the worst of theirs. Its id is the anchor of links to it."""

    id: Slug
    level: Literal["must", "should"]
    title: str
    section: str
    line: int
    line_sha256: str
    proof: str
    needs: tuple[Slug, ...]
    state: State
    requirement_class: CellClass = Field(alias="class")
    controlled: bool
    faults: tuple[str, ...] = ()
    cells: tuple[CellVerdict, ...]


class MilestoneVerdict(Strict):
    """One milestone: due, actual, where the actual date comes from (`declared`: the page only says so)."""

    id: str
    title: str
    due: str
    actual: str | None
    source: str
    status: Literal["met", "missed", "declared", "unknown"]


class GapVerdict(Strict):
    """A known gap; `status` never satisfies anything."""

    id: str
    title: str
    owner: str
    eta: str
    requirements: tuple[Slug, ...]
    status: Literal["open", "overdue", "closable"]
    detail: str = ""


class WaiverVerdict(Strict):
    """One waiver: what became of it, for which cells it was used, and one sentence.

    `role` is the approver's on the page (none: not listed there). `authenticated` is whether the approver's name is
    more than text in a file; no form of waiver is, today.
    """

    id: str
    status: Literal["used", "unused", "expired", "not-yet", "other-candidate", "refused"]
    cells: tuple[str, ...]
    used_for: tuple[str, ...] = ()
    accepts: Literal["unproven", "disproven"]
    reason: str
    approver: str
    role: str | None
    authenticated: Literal[False] = False
    approved: str
    expires: str
    expires_soon: bool = False
    detail: str


class RefusedRun(Strict):
    """A run that was named and not counted: why, as a stable code and one sentence."""

    name: str
    run: str | None = None
    digest: str
    code: str
    detail: str


class QuestionVerdict(Strict):
    """An open question of the page and its answer, if a role answers it."""

    id: str
    title: str
    answer: str | None


class SignerVerdict(Strict):
    """A signer role and who holds it."""

    role: str
    title: str
    fingerprints: tuple[str, ...]


class RunVerdict(Strict):
    """One run that counted; `digest` is of its contents (see `verdict/contents.py`)."""

    id: str
    digest: str = ""
    tester: str
    environment: str
    started: str
    ended: str | None
    arguments: tuple[str, ...]
    pytest_exit: int | None
    complete: bool
    rehearsal: bool
    brands: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)


class PageFacts(Strict):
    """Which release page was judged."""

    id: str
    title: str
    version: str
    uri: str
    sha256: str
    historical: bool


class FileFacts(Strict):
    """One file of the candidate, as the candidate file names it."""

    component: str
    name: str
    sha256: str


class CandidateFacts(Strict):
    """Which candidate was judged; `sha256` is of its file."""

    version: str
    rc: str | None
    created: str
    sha256: str
    components: tuple[dict[str, str], ...]
    files: tuple[FileFacts, ...] = ()


class Counts(Strict):
    """How many cells of one level are in which class."""

    proven: int = 0
    disproven: int = 0
    unproven: int = 0
    not_applicable: int = 0
    waived: int = 0


class VerdictFacts(Strict):
    """What other files say of a verdict: word, kind, moment, and the SHA-256 of candidate and page."""

    verdict: Word
    rehearsal: bool
    as_of: str
    candidate_sha256: str | None
    page_sha256: str | None


class Verdict(Strict):
    """The whole verdict. `as_of` is the moment it was asked for, ISO 8601 UTC.

    ValueError: it says GO or GO-CONDITIONAL and its own cells do not. This is the gate's self-check: it looks at
    the result only, and holds for verdicts that are read from a file as well.
    """

    schema_name: Literal["ovirt-release-verdict/1"] = Field(default="ovirt-release-verdict/1", alias="schema")
    generated_by: str
    verdict: Word
    exit_code: int
    rehearsal: bool
    as_of: str
    page: PageFacts | None
    candidate: CandidateFacts | None
    reasons: tuple[Reason, ...]
    remarks: tuple[Reason, ...]
    must: Counts
    should: Counts
    requirements: tuple[RequirementVerdict, ...] = ()
    timeline: tuple[MilestoneVerdict, ...] = ()
    gaps: tuple[GapVerdict, ...] = ()
    open_questions: tuple[QuestionVerdict, ...] = ()
    signers: tuple[SignerVerdict, ...] = ()
    waivers: tuple[WaiverVerdict, ...] = ()
    waivers_sha256: str = ""
    runs: tuple[RunVerdict, ...] = ()
    refused: tuple[RefusedRun, ...] = ()

    @model_validator(mode="after")
    def _go_is_earned(self) -> Self:
        if self.exit_code != EXIT_CODES[self.verdict]:
            raise ValueError(f"{self.verdict} is not exit code {self.exit_code}")
        if self.verdict not in MAY_SHIP:
            return self
        musts = [cell for r in self.requirements if r.level == "must" for cell in r.cells]
        used = {w.id for w in self.waivers if w.status == "used"}
        if not any(cell.cell_class == "proven" for cell in musts):
            raise ValueError(f"{self.verdict}, but nothing is proven")
        if unearned := [c.id for c in musts if c.disposition == "unsatisfied"]:
            raise ValueError(f"{self.verdict}, but not satisfied: {', '.join(unearned)}")
        if unknown := [c.id for c in musts if c.waiver is not None and c.waiver not in used]:
            raise ValueError(f"{self.verdict}, but no waiver was used for: {', '.join(unknown)}")
        if self.verdict == "GO" and (self.reasons or used):
            raise ValueError("GO, but with reasons against it or with waivers")
        return self

    def facts(self) -> VerdictFacts:
        """Return what other files say of this verdict."""
        return VerdictFacts(
            verdict=self.verdict,
            rehearsal=self.rehearsal,
            as_of=self.as_of,
            candidate_sha256=self.candidate.sha256 if self.candidate else None,
            page_sha256=self.page.sha256 if self.page else None,
        )

    def last_line(self, process_exit: int | None = None) -> str:
        """Return the one line that console, mail and log end with.

        `process_exit` is the code that the process itself ends with, where that is not the verdict's.
        """
        name = f"{self.page.title}" if self.page else "release"
        if self.candidate and self.candidate.rc:
            name += f" {self.candidate.rc}"
        where = " (REHEARSAL)" if self.rehearsal else ""
        must, should = self.must, self.should
        total = must.proven + must.disproven + must.unproven + must.waived
        text = f"{name}: {self.verdict}{where} · must {must.proven}/{total} proven"
        if must.disproven:
            text += f", {must.disproven} disproven"
        if must.waived:
            text += f", {must.waived} waived"
        should_total = should.proven + should.disproven + should.unproven + should.waived
        text += f" · should {should.proven}/{should_total} proven"
        if should.disproven:
            text += f" ({should.disproven} should failed: not blocking)"
        return f"{text} · exit {self.exit_code if process_exit is None else process_exit}"
