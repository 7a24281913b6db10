"""The words of the verdict: states of a cell, their classes, dispositions, verdicts and exit codes."""

from __future__ import annotations

from typing import Literal

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

CLASSES: dict[State, CellClass] = {
    "failed": "disproven",
    "conflict": "disproven",
    "errored": "unproven",
    "blocked": "unproven",
    "flaky": "unproven",
    "missing": "unproven",
    "skipped": "unproven",
    "passed": "proven",
    "not_applicable": "not_applicable",
}

DISPOSITIONS: dict[CellClass, frozenset[Disposition]] = {
    "disproven": frozenset({"unsatisfied", "waived"}),
    "unproven": frozenset({"unsatisfied", "waived"}),
    "proven": frozenset({"satisfied"}),
    "not_applicable": frozenset({"not_applicable"}),
}
"""What may become of a cell of each class."""

MAY_SHIP: frozenset[Word] = frozenset({"GO", "GO-CONDITIONAL"})
"""Verdicts on which a meeting may say go."""

EXIT_CODES: dict[Word, int] = {"GO": 0, "NO-GO": 1, "INCOMPLETE": 10, "GO-CONDITIONAL": 11, "INVALID": 12}
