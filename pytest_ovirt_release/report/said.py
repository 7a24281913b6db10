"""Sentences said once: the same for many cells in one line, and none that another part of a report says already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.report.words import FINISH
from pytest_ovirt_release.verdict.model import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ovirt_release.verdict.model import RefusedRun, Verdict

_FEW = 4
_WAIVED = "waived"
_OF_WAIVERS, _OF_REFUSED = "waiver-", "refused-"
"""How the codes of remarks begin that every report shows in a part of its own."""


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

    @property
    def whom(self) -> str:
        """What it was said of, as plain text."""
        return f"{self.about or ''} ({self.of})" if self.values else self.about or ""


def grouped(reasons: Iterable[Reason]) -> tuple[Said, ...]:
    """Say once what is the same for many cells of one requirement, in the order of the first of them."""
    found: dict[tuple[str, str | None, str], list[str]] = {}
    for reason in reasons:
        name, bracket, value = (reason.cell or "").partition("[")
        values = found.setdefault((reason.code, name or None, reason.detail), [])
        if bracket:
            values.append(value.removesuffix("]"))
    return tuple(Said(code, about, tuple(values), detail) for (code, about, detail), values in found.items())


def of_cells(cells: Iterable[str]) -> tuple[Said, ...]:
    """Return cells by their requirements, with nothing said of them."""
    return grouped(Reason(code="", cell=cell, detail="") for cell in cells)


def listed(cells: Iterable[str]) -> str:
    """Return cells as one text, the first few of many."""
    groups = of_cells(cells)
    if len(groups) <= _FEW + 1:
        return ", ".join(group.whom for group in groups)
    more = sum(group.count for group in groups[_FEW:])
    return f"{', '.join(group.whom for group in groups[:_FEW])} and {more} more"


def reasons(verdict: Verdict) -> tuple[Reason, ...]:
    """Return the reasons for a report that lists the waivers anyway: that they were used is one reason."""
    accepted = {cell for waiver in verdict.waivers for cell in waiver.used_for}
    others = tuple(r for r in verdict.reasons if r.code != _WAIVED or r.cell not in accepted)
    waived = len(verdict.reasons) - len(others)
    if not waived:
        return others
    text = f"{waived} cell{'s are' if waived != 1 else ' is'} not proven but waived: see Waivers"
    return (*others, Reason(code=_WAIVED, detail=text))


def remarks(verdict: Verdict) -> tuple[Reason, ...]:
    """Return the remarks but for what has a place of its own: finishing command, waivers, refused runs."""
    return tuple(
        r
        for r in verdict.remarks
        if r.code != FINISH
        and not (verdict.waivers and r.code.startswith(_OF_WAIVERS))
        and not (verdict.refused and r.code.startswith(_OF_REFUSED))
    )


def refused(verdict: Verdict) -> tuple[RefusedRun, ...]:
    """Return the refused runs that no reason names already."""
    details = {r.detail for r in verdict.reasons}
    return tuple(r for r in verdict.refused if f"{r.name}: {r.detail}" not in details)
