"""Which waivers hold, and for which cells they are used. Pure.

A waiver never changes a state: it is written beside it. It is used only where its candidate, its cells, its dates
and its approver all fit; whatever does not is listed with the reason.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pytest_ovirt_release.release.mistakes import nearest
from pytest_ovirt_release.release.page import end_of, start_of
from pytest_ovirt_release.verdict.model import WaiverVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.release.waivers import Waiver, Waivers
    from pytest_ovirt_release.verdict.model import CellVerdict, RequirementVerdict

SOON = timedelta(days=14)
"""A waiver that expires within this time is told."""

Status = Literal["used", "unused", "expired", "not-yet", "other-candidate", "refused"]


def unknown_cells(page: Page, waivers: Waivers) -> Iterator[str]:
    """Yield one sentence for each waiver file's mistake that only shows beside its page."""
    if waivers.page != page.id:
        yield f"the waiver file is for page {waivers.page}, not {page.id}"
        return
    for waiver in waivers.waivers:
        for cell in waiver.cells:
            if mistake := _unknown(page, cell):
                yield f"waiver {waiver.id}: {mistake}"


def _unknown(page: Page, cell: str) -> str:
    """Return why no cell of the page has this name. Nodes stand in the target: any name of one will do here."""
    name, bracket, rest = cell.partition("[")
    requirement = next((r for r in page.requirements if r.id == name), None)
    if requirement is None:
        return f"page {page.id} has no requirement {name!r}{nearest(name, [r.id for r in page.requirements])}"
    if requirement.axis is None:
        return f"{cell!r} is no cell; {name} has just one, called {name!r}" if bracket else ""
    value = rest.removesuffix("]") if rest.endswith("]") else ""
    values = {
        "component": [c.name for c in page.components],
        "distribution": [d.name for d in page.distributions],
    }.get(requirement.axis, [value or requirement.axis])
    if value not in values:
        example = f"{name}[{values[0]}]"
        return f"{cell!r} is no cell; {name} has one for each {requirement.axis}, such as {example!r}"
    return ""


def apply(
    waivers: Sequence[Waiver],
    page: Page,
    candidate_sha256: str,
    judged: Sequence[RequirementVerdict],
    as_of: datetime,
) -> tuple[tuple[RequirementVerdict, ...], tuple[WaiverVerdict, ...]]:
    """Return the requirements with their waived cells, and what became of each waiver."""
    open_cells = {
        cell.id: cell
        for r in judged
        for cell in r.cells
        if cell.disposition == "unsatisfied" and _can_block(page, r)
    }
    used: dict[str, str] = {}
    told = []
    for waiver in waivers:
        status, detail = _standing(waiver, page, candidate_sha256, as_of)
        mine = []
        if status == "used":
            mine = [c for c in waiver.cells if _accepts(waiver, open_cells.get(c)) and c not in used]
            used |= dict.fromkeys(mine, waiver.id)
            status, detail = ("used", detail) if mine else ("unused", _idle(waiver, open_cells))
        soon = status in {"used", "unused"} and end_of(waiver.expires) - as_of < SOON
        told.append(
            _told(waiver, page, status, detail).model_copy(
                update={"used_for": tuple(mine), "expires_soon": soon}
            )
        )
    marked = tuple(
        r.model_copy(update={"cells": tuple(_marked(cell, used) for cell in r.cells)}) for r in judged
    )
    return marked, tuple(told)


def _standing(waiver: Waiver, page: Page, candidate_sha256: str, as_of: datetime) -> tuple[Status, str]:
    """Return whether a waiver holds at all, before anybody asks for which cells."""
    unwaivable = {r.id for r in page.requirements if not r.waivable}
    if waiver.candidate != candidate_sha256:
        return "other-candidate", f"it is for the candidate with SHA-256 {waiver.candidate}"
    if waiver.approver not in {a.name for a in page.approvers}:
        listed = ", ".join(a.name for a in page.approvers) or "nobody"
        return "refused", f"{waiver.approver} may not approve waivers; the page lists {listed}"
    if barred := [c for c in waiver.cells if c.partition("[")[0] in unwaivable]:
        return "refused", f"the page allows no waiver for {', '.join(barred)}"
    if as_of < start_of(waiver.approved):
        return "not-yet", f"it was not approved before {waiver.approved.isoformat()}"
    if as_of > end_of(waiver.expires):
        return (
            "expired",
            f"it expired on {waiver.expires.isoformat()}; it would have been for {', '.join(waiver.cells)}",
        )
    return "used", waiver.reason


def _can_block(page: Page, requirement: RequirementVerdict) -> bool:
    """Return whether an open cell of a requirement stands against a GO: only there a waiver is of use."""
    return requirement.level == "must" or page.should == "explain"


def _accepts(waiver: Waiver, cell: CellVerdict | None) -> bool:
    return cell is not None and (cell.cell_class == "unproven" or waiver.accepts == "disproven")


def _idle(waiver: Waiver, open_cells: dict[str, CellVerdict]) -> str:
    """Return why a waiver that holds was used for nothing."""
    worse = [c for c in waiver.cells if c in open_cells and not _accepts(waiver, open_cells[c])]
    if worse:
        return f"it accepts what is unproven, but disproven is {', '.join(worse)}"
    return "nothing that it names stands in the way: delete it"


def _told(waiver: Waiver, page: Page, status: Status, detail: str) -> WaiverVerdict:
    return WaiverVerdict(
        id=waiver.id,
        status=status,
        cells=waiver.cells,
        accepts=waiver.accepts,
        reason=waiver.reason,
        approver=waiver.approver,
        role=next((a.role for a in page.approvers if a.name == waiver.approver), None),
        approved=waiver.approved.isoformat(),
        expires=waiver.expires.isoformat(),
        detail=detail,
    )


def _marked(cell: CellVerdict, used: dict[str, str]) -> CellVerdict:
    if cell.id not in used:
        return cell
    return cell.model_copy(update={"disposition": "waived", "waiver": used[cell.id]})
