"""What every report says of waivers: which there are, and who accepts a cell that is not proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.report import said, text
from pytest_ovirt_release.report.words import SOON, WAIVERS, Mark

if TYPE_CHECKING:
    from pytest_ovirt_release.report.said import Said
    from pytest_ovirt_release.verdict.model import CellVerdict, Verdict, WaiverVerdict


@dataclass(frozen=True)
class Told:
    """One waiver and its place in the list, counted from 1."""

    number: int
    waiver: WaiverVerdict

    @property
    def mark(self) -> Mark:
        """How its status is shown."""
        return WAIVERS[self.waiver.status]

    @property
    def approver(self) -> str:
        """Its approver with the role that the page gives them."""
        return f"{self.waiver.approver} ({self.waiver.role or 'not listed on the page'})"

    @property
    def until(self) -> str:
        """Its last day or moment, with a warning when that is near."""
        until = text.utc(self.waiver.expires)
        return f"{until} ({SOON.word})" if self.waiver.expires_soon else until

    @property
    def used_for(self) -> tuple[Said, ...]:
        """The cells that it was used for, by requirement."""
        return said.of_cells(self.waiver.used_for)

    @property
    def left_over(self) -> tuple[Said, ...]:
        """The cells that it names and was not used for, by requirement."""
        used = frozenset(self.waiver.used_for)
        return said.of_cells(cell for cell in self.waiver.cells if cell not in used)

    @property
    def detail(self) -> str:
        """Why it has its status, where that is more than its reason."""
        return "" if self.waiver.detail == self.waiver.reason else self.waiver.detail


@dataclass(frozen=True)
class Acceptance:
    """Who accepts a cell until when; `told` is missing where the verdict does not list its waiver."""

    name: str
    told: Told | None

    @property
    def sentence(self) -> str:
        """Say who accepts it until when."""
        if self.told is None:
            return f"waiver {self.name} accepts it, which is not listed"
        return f"{self.told.approver} accepts it until {self.told.until}"

    @property
    def waived_by(self) -> str:
        """Say the same in the few words that fit before a message."""
        if self.told is None:
            return f"waived by {self.name}, which is not listed"
        return f"waived by {self.told.waiver.approver} until {text.utc(self.told.waiver.expires)}"


class Waivers:
    """A verdict's waivers in the order of their status, and which of them accepts which cell."""

    def __init__(self, verdict: Verdict) -> None:
        """Sort and number them once: thousands of cells may ask."""
        order = list(WAIVERS)
        listed = sorted(verdict.waivers, key=lambda waiver: order.index(waiver.status))
        self.told = tuple(Told(number, waiver) for number, waiver in enumerate(listed, start=1))
        self._by_id = {told.waiver.id: told for told in reversed(self.told)}

    def of(self, cell: CellVerdict) -> Acceptance | None:
        """Return who accepts a cell; None when nobody has to, or does."""
        if cell.waiver is None:
            return None
        return Acceptance(cell.waiver, self._by_id.get(cell.waiver))

    @property
    def used(self) -> tuple[Told, ...]:
        """The waivers that were used."""
        return tuple(told for told in self.told if told.waiver.status == "used")

    @property
    def summary(self) -> str:
        """How many there are of each status: "2 used, 1 expired"."""
        found = [told.mark.word for told in self.told]
        return ", ".join(f"{found.count(word)} {word}" for word in dict.fromkeys(found))
