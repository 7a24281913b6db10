"""What the templates ask of a verdict: groupings and counts, nothing that decides."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.report.said import Said, grouped
from pytest_ovirt_release.report.words import STATES, WAIVED, Mark
from pytest_ovirt_release.verdict.model import Reason
from pytest_ovirt_release.verdict.states import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ovirt_release.verdict.model import CandidateFacts, CellVerdict, RequirementVerdict, Verdict
    from pytest_ovirt_release.verdict.states import State

NOT_RUN: dict[str, State] = {"missing": "missing", "skipped": "skipped", "blocked": "blocked"}
"""States of what nobody ran to its end."""

_TEXT_BUDGET = 1_200_000
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
class StateCount:
    """How many cells of a requirement are in one state, and whether a waiver accepts them."""

    mark: Mark
    number: int
    waived: bool


@dataclass(frozen=True)
class About:
    """What a cell's id names: its requirement and the axis value, if any."""

    requirement: RequirementVerdict
    value: str | None


@dataclass(frozen=True)
class NotRun:
    """Cells of one requirement that did not run, and the state that this left them in."""

    state: State
    cells: Said


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


def state_counts(requirement: RequirementVerdict) -> tuple[StateCount, ...]:
    """Return how many cells are in which state, worst first; those that a waiver accepts are counted apart."""
    counts = Counter((cell.state, cell.disposition == "waived") for cell in requirement.cells)
    return tuple(
        StateCount(STATES[state], counts[state, waived], waived)
        for state in WORST_FIRST
        for waived in (False, True)
        if counts[state, waived]
    )


def state_words(requirement: RequirementVerdict) -> str:
    """Return the same in words; a number only where there is more than one cell."""
    several = len(requirement.cells) > 1
    return ", ".join(
        f"{f'{count.number} ' if several else ''}{count.mark.word}{f' ({WAIVED.word})' if count.waived else ''}"
        for count in state_counts(requirement)
    )


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


def not_run(verdict: Verdict) -> tuple[NotRun, ...]:
    """Return what nobody ran to its end, musts first; cells of a requirement that share a reason are one entry."""
    reasons = (
        Reason(code=cell.state, cell=cell.id, detail=why(cell))
        for requirement in in_order(verdict)
        for cell in requirement.cells
        if cell.state in NOT_RUN
    )
    return tuple(NotRun(NOT_RUN[group.code], group) for group in grouped(reasons))


def uncontrolled(verdict: Verdict) -> tuple[RequirementVerdict, ...]:
    """Return the requirements whose checks nobody has seen notice a fault, musts first."""
    return tuple(r for r in in_order(verdict) if not r.controlled)


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


def command(arguments: Iterable[str]) -> str:
    """Return arguments as they can be pasted into a shell."""
    return shlex.join(arguments)


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """Return the values that say something, each once, in order."""
    return tuple(dict.fromkeys(v for v in values if v))


def text_limit(verdict: Verdict) -> int:
    """Return how long one text may be in the page, so that thousands of cells still make a small page."""
    texts = sum(len(c.evidence) + len(c.attempts) + 1 for r in verdict.requirements for c in r.cells)
    texts += len(verdict.reasons) + len(verdict.remarks) + 3 * len(verdict.waivers) + 2 * len(verdict.refused)
    return max(_LEAST, min(_MOST, _TEXT_BUDGET // max(1, texts)))


def is_long(text: str) -> bool:
    """Return whether a text is folded until somebody asks for it."""
    return len(text) > _LONG or text.count("\n") >= _MANY_LINES


def component_columns(candidate: CandidateFacts) -> tuple[str, ...]:
    """Return every key that any component of the candidate has, `name` first."""
    keys = dict.fromkeys(key for component in candidate.components for key in component)
    return tuple(sorted(keys, key=lambda key: key != "name"))
