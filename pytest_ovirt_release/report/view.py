"""What the templates ask of a verdict: groupings and counts, nothing that decides."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_ovirt_release.report.words import STATES, Mark
from pytest_ovirt_release.verdict.model import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ovirt_release.verdict.model import (
        CandidateFacts,
        CellVerdict,
        Evidence,
        GapVerdict,
        MilestoneVerdict,
        Reason,
        RequirementVerdict,
        Verdict,
    )

_PLAIN_PATH = re.compile(r"[A-Za-z0-9._@=+,~-]+(/[A-Za-z0-9._@=+,~-]+)*")
_HEX = re.compile(r"[0-9a-fA-F]{40,}")
_MILESTONES = {
    "met": Mark("✓", "+", "met", "good", "on time"),
    "missed": Mark("✗", "X", "missed", "bad", "later than due"),
    "declared": Mark("-", "-", "declared", "", "only the page says so; nothing measures it"),
    "unknown": Mark("?", "?", "unknown", "warn", "no evidence of the date"),
}
_GAPS = {
    "open": Mark("!", "!", "open", "warn", "known, and not yet due"),
    "overdue": Mark("✗", "X", "overdue", "bad", "its ETA has passed"),
    "closable": Mark("✓", "+", "closable", "good", "the run shows that it no longer exists"),
}
_TEXT_BUDGET = 1_200_000
_FEW = 4
_LONG = 600
_MANY_LINES = 12
_LEAST, _MOST = 100, 4000


@dataclass(frozen=True)
class Unproven:
    """One cell that is not proven, its requirement, and why."""

    requirement: RequirementVerdict
    cell: CellVerdict
    why: str


@dataclass(frozen=True)
class About:
    """What a cell's id names: its requirement and the axis value, if any."""

    requirement: RequirementVerdict
    value: str | None


@dataclass(frozen=True)
class Said:
    """One sentence and everything it was said of: `about` is a requirement's id (or a cell we cannot split)."""

    code: str
    about: str | None
    values: tuple[str, ...]
    detail: str

    @property
    def count(self) -> int:
        """How many reasons this stands for."""
        return max(1, len(self.values))

    @property
    def of(self) -> str:
        """The axis values in words, the first few of many."""
        if len(self.values) <= _FEW + 1:
            return ", ".join(self.values)
        return f"{', '.join(self.values[:_FEW])} and {len(self.values) - _FEW} more"


@dataclass(frozen=True)
class TestFunction:
    """One test of the suite, without its parameters, and its sentence."""

    nodeid: str
    sentence: str


def by_level(verdict: Verdict, level: str) -> tuple[RequirementVerdict, ...]:
    """Return the requirements of one level in the page's order."""
    return tuple(r for r in verdict.requirements if r.level == level)


def in_order(verdict: Verdict) -> tuple[RequirementVerdict, ...]:
    """Return musts before shoulds."""
    return by_level(verdict, "must") + by_level(verdict, "should")


def requirement_of(verdict: Verdict, cell: str) -> About | None:
    """Return what a cell's id is about, None when no requirement of the verdict has that id."""
    name, bracket, value = cell.partition("[")
    requirement = next((r for r in verdict.requirements if r.id == name), None)
    return About(requirement, value.removesuffix("]") if bracket else None) if requirement else None


def grouped(reasons: Iterable[Reason]) -> tuple[Said, ...]:
    """Say once what is the same for many cells of one requirement, in the order of the first of them."""
    found: dict[tuple[str, str | None, str], list[str]] = {}
    for reason in reasons:
        name, bracket, value = (reason.cell or "").partition("[")
        values = found.setdefault((reason.code, name or None, reason.detail), [])
        if bracket:
            values.append(value.removesuffix("]"))
    return tuple(Said(code, about, tuple(values), detail) for (code, about, detail), values in found.items())


def state_counts(requirement: RequirementVerdict) -> tuple[tuple[Mark, int], ...]:
    """Return how many cells are in which state, worst first."""
    counts = Counter(cell.state for cell in requirement.cells)
    return tuple((STATES[state], counts[state]) for state in WORST_FIRST if counts[state])


def proven(requirement: RequirementVerdict) -> tuple[int, int]:
    """Return proven cells and all cells that apply."""
    applying = [c for c in requirement.cells if c.cell_class != "not_applicable"]
    return sum(c.cell_class == "proven" for c in applying), len(applying)


def why(cell: CellVerdict) -> str:
    """Return the sentence that says why a cell is in its state."""
    if cell.detail:
        return cell.detail
    worst = sorted(cell.attempts, key=lambda a: WORST_FIRST.index(a.state))
    message = next((a.message for a in worst if a.message), "")
    return message or STATES[cell.state].meaning


def not_proven(verdict: Verdict) -> tuple[Unproven, ...]:
    """Return every cell that is disproven or unproven, musts first."""
    return tuple(
        Unproven(requirement, cell, why(cell))
        for requirement in in_order(verdict)
        for cell in requirement.cells
        if cell.cell_class in {"disproven", "unproven"}
    )


def tests(requirement: RequirementVerdict) -> tuple[TestFunction, ...]:
    """Return the tests that ran for a requirement, each once however many cells it had."""
    found: dict[str, str] = {}
    for cell in requirement.cells:
        for attempt in cell.attempts:
            name = attempt.nodeid.split("[", 1)[0]
            found[name] = found.get(name) or attempt.sentence
    return tuple(TestFunction(nodeid, sentence) for nodeid, sentence in found.items())


def seconds(cells: Iterable[CellVerdict]) -> float:
    """Return how long all attempts of some cells took, in seconds."""
    return sum(attempt.seconds for cell in cells for attempt in cell.attempts)


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """Return the values that say something, each once, in order."""
    return tuple(dict.fromkeys(v for v in values if v))


def text_limit(verdict: Verdict) -> int:
    """Return how long one text may be in the page, so that thousands of cells still make a small page."""
    texts = sum(len(c.evidence) + len(c.attempts) + 1 for r in verdict.requirements for c in r.cells)
    return max(_LEAST, min(_MOST, _TEXT_BUDGET // max(1, texts)))


def web_link(uri: str) -> str | None:
    """Return a web address that may become a link, else None (`javascript:` and its kin never do)."""
    return uri if re.match(r"https?://[^\s<>\"']+$", uri) else None


def is_long(text: str) -> bool:
    """Return whether a text is folded until somebody asks for it."""
    return len(text) > _LONG or text.count("\n") >= _MANY_LINES


def file_link(verdict: Verdict, evidence: Evidence) -> str | None:
    """Return the relative link of an evidence file: only in the run's own folder and only for a plain path."""
    if len(verdict.runs) != 1 or not evidence.file or ".." in evidence.file.split("/"):
        return None
    return quote(evidence.file) if _PLAIN_PATH.fullmatch(evidence.file) else None


def milestone_mark(milestone: MilestoneVerdict) -> Mark:
    """Return how a milestone's status is shown."""
    return _MILESTONES[milestone.status]


def gap_mark(gap: GapVerdict) -> Mark:
    """Return how a gap's status is shown."""
    return _GAPS[gap.status]


def component_columns(candidate: CandidateFacts) -> tuple[str, ...]:
    """Return every key that any component of the candidate has, `name` first."""
    keys = dict.fromkeys(key for component in candidate.components for key in component)
    return tuple(sorted(keys, key=lambda key: key != "name"))


def is_hex(text: str) -> bool:
    """Return whether a text is a digest, commit or fingerprint."""
    return bool(_HEX.fullmatch(text))
