"""The verdict as data: what `decide` returns, what `verdict.json` holds, what every report is rendered from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from pytest_ovirt_release.release.model import Strict

State = Literal[
    "failed", "conflict", "errored", "blocked", "flaky", "missing", "skipped", "passed", "not_applicable"
]
"""State of a cell, worst first; every cell starts as *missing*."""

CellClass = Literal["disproven", "unproven", "proven", "not_applicable"]
Disposition = Literal["satisfied", "waived", "unsatisfied", "not_applicable"]
Word = Literal["GO", "GO-CONDITIONAL", "INCOMPLETE", "NO-GO", "INVALID"]

WORST_FIRST: tuple[State, ...] = (
    "failed", "conflict", "errored", "blocked", "flaky", "missing", "skipped", "passed", "not_applicable",
)  # fmt: skip

EXIT_CODES: dict[Word, int] = {"GO": 0, "NO-GO": 1, "INCOMPLETE": 10, "GO-CONDITIONAL": 11, "INVALID": 12}

VERDICT_SCHEMA = "ovirt-release-verdict/1"


class Reason(Strict):
    """Why the verdict is what it is: a stable code, the cell if any, one sentence."""

    code: str
    cell: str | None = None
    detail: str


class Attempt(Strict):
    """One test that ran for a cell, in one run. Times are seconds; `started` is ISO 8601 UTC."""

    nodeid: str
    run: str
    tester: str
    environment: str
    state: State
    started: str | None = None
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
    """One cell: `id` is `requirement` or `requirement[value]`."""

    id: str
    value: str | None = None
    state: State
    cell_class: CellClass = Field(alias="class")
    disposition: Disposition
    detail: str = ""
    attempts: tuple[Attempt, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class RequirementVerdict(Strict):
    """One requirement with its cells; its state is the worst of theirs."""

    id: str
    level: Literal["must", "should"]
    title: str
    section: str
    line: int
    line_sha256: str
    proof: str
    needs: tuple[str, ...]
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
    requirements: tuple[str, ...]
    status: Literal["open", "overdue", "closable"]
    detail: str = ""


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
    """One run that counted."""

    id: str
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


class CandidateFacts(Strict):
    """Which candidate was judged; `sha256` is of its file."""

    version: str
    rc: str | None
    created: str
    sha256: str
    components: tuple[dict[str, str], ...]


class Counts(Strict):
    """How many cells of one level are in which class."""

    proven: int = 0
    disproven: int = 0
    unproven: int = 0
    not_applicable: int = 0
    waived: int = 0


class Verdict(Strict):
    """The whole verdict. `as_of` is the moment it was asked for, ISO 8601 UTC."""

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
    runs: tuple[RunVerdict, ...] = ()

    def last_line(self) -> str:
        """Return the one line that console, mail and log end with."""
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
        return f"{text} · exit {self.exit_code}"
