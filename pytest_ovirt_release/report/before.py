"""What changed since the verdict before: of the previous candidate, or of another day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.report.words import heading, subject
from pytest_ovirt_release.verdict.diff import diff

if TYPE_CHECKING:
    from pytest_ovirt_release.report.words import Style
    from pytest_ovirt_release.verdict.diff import Change, Difference
    from pytest_ovirt_release.verdict.model import Verdict

MOST_CHANGES = 200
"""How many cells of one kind are listed; `ovirt-release diff` lists all."""


@dataclass(frozen=True)
class Kind:
    """Cells that changed in the same way: what that is called, how it is shown, and the cells."""

    title: str
    symbol: str
    style: Style
    changes: tuple[Change, ...]

    @property
    def shown(self) -> tuple[Change, ...]:
        """The first of the cells, as many as a page holds."""
        return self.changes[:MOST_CHANGES]


@dataclass(frozen=True)
class Before:
    """An earlier verdict beside the one that is shown."""

    title: str
    verdict: str
    as_of: str
    same_candidate: bool
    difference: Difference

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The changes, the worst first; without kinds that nothing belongs to."""
        found = self.difference
        kinds = (
            Kind("regressed", "✗", "bad", found.regressed),
            Kind("newly unproven", "?", "warn", found.newly_unproven),
            Kind("newly waived", "!", "warn", found.newly_waived),
            Kind("fixed", "✓", "good", found.fixed),
            Kind("no longer asked for", "-", "", found.dropped),
        )
        return tuple(kind for kind in kinds if kind.changes)


def compared(old: Verdict, new: Verdict) -> Before:
    """Return what changed from `old` to `new`, with what a reader has to know of `old`."""
    found = diff(old, new)
    same = found.old.candidate_sha256 is not None and found.old.candidate_sha256 == found.new.candidate_sha256
    return Before(subject(old), heading(old), old.as_of, same, found)
