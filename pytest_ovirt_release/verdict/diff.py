"""What changed from one verdict to another, cell by cell. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pytest_ovirt_release.release.model import Strict
from pytest_ovirt_release.verdict.model import VerdictFacts  # noqa: TC001 - pydantic reads the annotations
from pytest_ovirt_release.verdict.states import State  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import CellVerdict, Verdict

Kind = Literal["fixed", "regressed", "newly_unproven", "newly_waived"]


class Change(Strict):
    """One cell: its states before and now (none: it was not asked for), and the sentence of what is now."""

    cell: str
    level: Literal["must", "should"]
    old: State | None
    new: State | None
    detail: str = ""


class Difference(Strict):
    """Every cell that changed, by what the change means. `dropped` are cells that nobody asks for any more."""

    schema_name: Literal["ovirt-release-diff/1"] = Field(default="ovirt-release-diff/1", alias="schema")
    old: VerdictFacts
    new: VerdictFacts
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
    return Difference.model_validate({"old": old.facts(), "new": new.facts(), "dropped": dropped, **changes})


WORSE: dict[str, Kind] = {"waived": "newly_waived", "disproven": "regressed", "unproven": "newly_unproven"}


def _kind(was: CellVerdict | None, cell: CellVerdict) -> Kind | None:
    """Return what became of a cell. A waived cell is told as waived, whatever its state."""
    before, now = _word(was), _word(cell)
    if before == now:
        return None
    return WORSE.get(now, "fixed" if before in WORSE else None)


def _word(cell: CellVerdict | None) -> str:
    if cell is None:
        return ""
    return "waived" if cell.disposition == "waived" else cell.cell_class


def _cells(verdict: Verdict) -> dict[str, tuple[Literal["must", "should"], CellVerdict]]:
    return {cell.id: (r.level, cell) for r in verdict.requirements for cell in r.cells}
