"""State histories of hosts, storage domains and VMs as bars, from the evidence that waits leave behind.

A wait records each state with the seconds since the wait began, as `powering_up 0.1 s`, and ends with the state that
it waited for; so the last state has a moment and no length.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_ovirt_release.report import text, view

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import CellVerdict, Evidence, RequirementVerdict, Verdict

WIDTH = 1000
"""Units that a bar is wide; the page stretches it to whatever there is."""

END = 12
"""Units that the mark of the last state takes, whose moment has no length."""

MOST_BARS = 300
"""How many bars a page holds at most; verdict.json has every history."""

MOST_STATES = 30
"""How many states one bar shows: what flaps more is shown by its first ones."""

_SEEN = re.compile(r"(\S.{0,79}?) (\d{1,9}(?:\.\d{1,6})?) s")
_KINDS = (("vm", "Virtual machines"), ("domain", "Storage domains"), ("host", "Hosts"), ("", "Other waits"))


@dataclass(frozen=True)
class Seen:
    """A state and the second of the wait at which it was first seen."""

    state: str
    at: float


@dataclass(frozen=True)
class Piece:
    """One part of a bar, in units; the last one is the state that the wait ended with."""

    state: str
    x: float
    width: float
    last: bool
    says: str


@dataclass(frozen=True)
class History:
    """One wait: of what, what for, which cell left it, and the states in the order they were seen."""

    name: str
    wait: str
    requirement: RequirementVerdict
    cell: CellVerdict
    tester: str
    states: tuple[Seen, ...]
    more: int

    @property
    def seconds(self) -> float:
        """How long it took until the last state was seen."""
        return self.states[-1].at

    @property
    def says(self) -> str:
        """The states in words."""
        told = " → ".join(f"{seen.state} {seen.at:.1f} s" for seen in self.states)
        return f"{told} and {self.more} more" if self.more else told


@dataclass(frozen=True)
class Group:
    """All bars of one kind of thing, on one scale."""

    title: str
    histories: tuple[History, ...]
    left_out: int

    @property
    def seconds(self) -> float:
        """What the whole width stands for."""
        return max(history.seconds for history in self.histories)

    def pieces(self, history: History) -> tuple[Piece, ...]:
        """Return the parts of one bar of this group."""
        unit = (WIDTH - END) / self.seconds if self.seconds else 0.0
        parts = [
            Piece(one.state, round(one.at * unit, 1), round((two.at - one.at) * unit, 1), last=False,
                  says=f"{one.state}: {one.at:.1f} s to {two.at:.1f} s")
            for one, two in pairwise(history.states)
        ]  # fmt: skip
        last = history.states[-1]
        at = round(last.at * unit, 1)
        return (*parts, Piece(last.state, at, END, last=True, says=f"{last.state}: from {last.at:.1f} s"))


def groups(verdict: Verdict) -> tuple[Group, ...]:
    """Return every state history that evidence holds, by kind; hosts first, and all waits of one beside each other."""
    testers = {run.id: run.tester for run in verdict.runs} if len(verdict.runs) > 1 else {}
    found: dict[str, list[History]] = {}
    left_out: dict[str, int] = {}
    for requirement in view.in_order(verdict):
        for cell in requirement.cells:
            for evidence in cell.evidence:
                states, more = _states(evidence.value)
                if not states:
                    continue
                kind, name = _whose(cell, evidence)
                if sum(map(len, found.values())) >= MOST_BARS and kind in found:
                    left_out[kind] = left_out.get(kind, 0) + 1
                    continue
                tester = testers.get(evidence.run, "")
                history = History(name, evidence.name, requirement, cell, tester, states, more)
                found.setdefault(kind, []).append(history)
    return tuple(
        Group(title, tuple(sorted(found[kind], key=lambda h: h.name)), left_out.get(kind, 0))
        for kind, title in reversed(_KINDS)
        if kind in found
    )


def _states(value: object) -> tuple[tuple[Seen, ...], int]:
    """Return the states that a value of evidence holds and how many more; none when it is no history."""
    listed = value.get("states") if isinstance(value, dict) else None
    if not isinstance(listed, list | tuple):
        return (), 0
    found = [_seen(entry) for entry in listed]
    seen = [entry for entry in found if entry is not None]
    in_order = all(one.at <= two.at for one, two in pairwise(seen))
    if len(seen) != len(found) or not in_order:
        return (), 0
    return tuple(seen[:MOST_STATES]), max(0, len(seen) - MOST_STATES)


def _seen(entry: object) -> Seen | None:
    """Return one entry of a history; None when it is none."""
    match = _SEEN.fullmatch(entry) if isinstance(entry, str) else None
    if match is None or not math.isfinite(at := float(match[2])):
        return None
    return Seen(text.one_line(match[1]), at)


def _whose(cell: CellVerdict, evidence: Evidence) -> tuple[str, str]:
    """Return the kind and the name of what waited."""
    for kind in ("vm", "domain"):
        if isinstance(evidence.value, dict) and isinstance(name := evidence.value.get(kind), str):
            return kind, name
    hosts = (e.value for e in cell.evidence if e.name == "host" and e.run == evidence.run)
    name = next((h["name"] for h in hosts if isinstance(h, dict) and isinstance(h.get("name"), str)), None)
    return ("host", name) if name is not None else ("", cell.value or "")
