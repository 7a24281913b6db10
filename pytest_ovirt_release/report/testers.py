"""Who found what: requirements and their cells against testers, one row for all cells that look alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.report import view
from pytest_ovirt_release.report.said import Said
from pytest_ovirt_release.report.words import IN_PART, NOT_RUN, STATES, Mark
from pytest_ovirt_release.verdict.fold import worst
from pytest_ovirt_release.verdict.standing import combine, person, variants

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Attempt, CellVerdict, RequirementVerdict, Verdict

MOST_MARKS = 6_000
"""How many marks one table holds at most, so that the page stays small however many cells and testers there are."""


@dataclass(frozen=True)
class Tester:
    """One column: a tester in one environment."""

    name: str
    environment: str


@dataclass(frozen=True)
class Row:
    """Cells of one requirement that look alike: each tester's own state, the one that counts, whether it is waived."""

    requirement: RequirementVerdict
    cells: Said
    marks: tuple[Mark, ...]
    together: Mark
    waived: bool

    @property
    def whole(self) -> bool:
        """Whether these are all cells of the requirement."""
        return self.cells.count == len(self.requirement.cells)


@dataclass(frozen=True)
class Matrix:
    """The testers, the rows, and how many rows were left out."""

    testers: tuple[Tester, ...]
    rows: tuple[Row, ...]
    left_out: int


def matrix(verdict: Verdict) -> Matrix | None:
    """Return who found what; None unless there is more than one tester."""
    columns: dict[tuple[str, str], Tester] = {}
    for run in verdict.runs:
        columns.setdefault(_whose(run.tester, run.environment), Tester(run.tester, run.environment))
    if len({name for name, _ in columns}) < 2:  # noqa: PLR2004 - a comparison takes two
        return None
    whose = tuple(columns)
    rows = [row for r in view.in_order(verdict) for row in _rows(r, whose)]
    kept = _most_telling(rows, max(1, MOST_MARKS // (len(whose) + 1)))
    return Matrix(tuple(columns.values()), kept, len(rows) - len(kept))


def _whose(tester: str, environment: str) -> tuple[str, str]:
    return person(tester), person(environment)


def _rows(requirement: RequirementVerdict, whose: tuple[tuple[str, str], ...]) -> list[Row]:
    """Return the rows of one requirement, in the order of their first cells."""
    alike: dict[tuple[tuple[Mark, ...], Mark, bool], list[CellVerdict]] = {}
    for cell in requirement.cells:
        look = (_marks(cell, whose), STATES[cell.state], cell.disposition == "waived")
        alike.setdefault(look, []).append(cell)
    return [Row(requirement, _named(requirement, cells), *look) for look, cells in alike.items()]


def _named(requirement: RequirementVerdict, cells: list[CellVerdict]) -> Said:
    return Said("", requirement.id, tuple(c.value for c in cells if c.value is not None), "")


def _marks(cell: CellVerdict, whose: tuple[tuple[str, str], ...]) -> tuple[Mark, ...]:
    """Return what each tester found of one cell."""
    found: dict[tuple[str, str], list[Attempt]] = {}
    for attempt in cell.attempts:
        found.setdefault(_whose(attempt.tester, attempt.environment), []).append(attempt)
    tests = {attempt.nodeid for attempt in cell.attempts}
    return tuple(_mark(found.get(key, []), tests) for key in whose)


def _mark(attempts: list[Attempt], tests: set[str]) -> Mark:
    """Return what one tester's attempts say, by the rule that the verdict itself goes by."""
    if not attempts:
        return NOT_RUN
    state = worst(combine(variant) for variant in variants(attempts))
    if state == "passed" and {a.nodeid for a in attempts} < tests:
        return IN_PART
    return STATES[state]


def _most_telling(rows: list[Row], most: int) -> tuple[Row, ...]:
    """Return the rows in their order; when there are too many, those that passed and that all agree on go first."""
    if len(rows) <= most:
        return tuple(rows)
    telling = sorted(range(len(rows)), key=lambda n: (_passed(rows[n]), len(set(rows[n].marks)) == 1, n))
    return tuple(rows[n] for n in sorted(telling[:most]))


def _passed(row: Row) -> bool:
    return row.together == STATES["passed"]
