"""What changed from one verdict to another, cell by cell. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pytest_ovirt_release.release.model import Strict
from pytest_ovirt_release.verdict.model import State, Word  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import CellVerdict, Verdict

Kind = Literal["fixed", "regressed", "newly_unproven", "newly_waived"]


class Side(Strict):
    """One of the two verdicts."""

    verdict: Word
    rehearsal: bool
    as_of: str
    candidate_sha256: str | None
    page_sha256: str | None


class Change(Strict):
    """One cell: its states before and now (none: it was not asked for), and the sentence of the worse one."""

    cell: str
    level: Literal["must", "should"]
    old: State | None
    new: State | None
    detail: str = ""


class Difference(Strict):
    """Every cell that changed, by what the change means. `dropped` are cells that nobody asks for any more."""

    schema_name: Literal["ovirt-release-diff/1"] = Field(default="ovirt-release-diff/1", alias="schema")
    old: Side
    new: Side
    fixed: tuple[Change, ...] = ()
    regressed: tuple[Change, ...] = ()
    newly_unproven: tuple[Change, ...] = ()
    newly_waived: tuple[Change, ...] = ()
    dropped: tuple[Change, ...] = ()

    @property
    def is_worse(self) -> bool:
        """Whether something is worse than before."""
        return bool(self.regressed or self.newly_unproven or self.newly_waived)


def diff(old: Verdict, new: Verdict) -> Difference:
    """Return what changed from `old` to `new`."""
    before, now = _cells(old), _cells(new)
    changes: dict[str, list[Change]] = {}
    for name, (level, cell) in now.items():
        was = before[name][1] if name in before else None
        kind = _kind(was, cell)
        if kind:
            old_state = was.state if was else None
            change = Change(cell=name, level=level, old=old_state, new=cell.state, detail=cell.detail)
            changes.setdefault(kind, []).append(change)
    dropped = [
        Change(cell=name, level=level, old=cell.state, new=None)
        for name, (level, cell) in before.items()
        if name not in now
    ]
    return Difference.model_validate({"old": _side(old), "new": _side(new), "dropped": dropped, **changes})


def _kind(was: CellVerdict | None, cell: CellVerdict) -> Kind | None:
    """Return what became of a cell. A waived cell is told as waived, whatever its state."""
    if cell.disposition == "waived":
        return None if was is not None and was.disposition == "waived" else "newly_waived"
    open_before = was is not None and was.disposition == "unsatisfied"
    if cell.cell_class == "disproven":
        return None if open_before and was is not None and was.cell_class == "disproven" else "regressed"
    if cell.cell_class == "unproven":
        return None if open_before and was is not None and was.cell_class == "unproven" else "newly_unproven"
    return "fixed" if was is not None and was.disposition in {"unsatisfied", "waived"} else None


def _cells(verdict: Verdict) -> dict[str, tuple[Literal["must", "should"], CellVerdict]]:
    return {cell.id: (r.level, cell) for r in verdict.requirements for cell in r.cells}


def _side(verdict: Verdict) -> Side:
    return Side(
        verdict=verdict.verdict,
        rehearsal=verdict.rehearsal,
        as_of=verdict.as_of,
        candidate_sha256=verdict.candidate.sha256 if verdict.candidate else None,
        page_sha256=verdict.page.sha256 if verdict.page else None,
    )
