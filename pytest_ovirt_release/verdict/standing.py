"""What all attempts at one test say together: many people, many runs, one state. Pure.

Absence (missing, skipped, blocked) neither proves nor spoils. What went wrong for somebody stands until the same
person passes the same test in the same environment; nobody else's pass takes it away. So no attempt but a pass can
make a state better.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from pytest_ovirt_release.verdict.fold import worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_ovirt_release.release.page import Requirement
    from pytest_ovirt_release.verdict.model import Attempt
    from pytest_ovirt_release.verdict.states import State

ABSENT: frozenset[State] = frozenset({"missing", "skipped", "blocked"})
"""States that neither prove a cell nor spoil somebody else's proof."""


def person(name: str) -> str:
    """Return a tester's name as it is compared: how a machine types it makes no other person."""
    plain = unicodedata.normalize("NFKC", name)
    shown = "".join(c for c in plain if c.isspace() or not unicodedata.category(c).startswith("C"))
    return " ".join(shown.split()).casefold()


def variants(attempts: Iterable[Attempt]) -> list[list[Attempt]]:
    """Return the attempts at each variant of a test: one parameter's pass says nothing of another's."""
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(attempt.nodeid, []).append(attempt)
    return list(found.values())


def combine(attempts: Iterable[Attempt]) -> State:
    """Return what all attempts at one variant of a test say.

    Passed for one and failed for another is a *conflict*, until the one it failed for passes again.
    """
    standing: dict[tuple[str, str], list[State]] = {}
    absent: list[State] = []
    for attempt in sorted(attempts, key=_in_time):
        if attempt.state in ABSENT:
            absent.append(attempt.state)
            continue
        whose = (person(attempt.tester), person(attempt.environment))
        since = standing.setdefault(whose, [])
        if attempt.state == "passed" or since == ["passed"]:
            since.clear()
        since.append(attempt.state)
    states = {state for since in standing.values() for state in since}
    if {"failed", "passed"} <= states:
        return "conflict"
    return worst(states or absent)


def _in_time(attempt: Attempt) -> tuple[str, bool, str]:
    # A pass takes away only what had ended before it began; of two in the same instant it comes first.
    is_pass = attempt.state == "passed"
    return (attempt.started if is_pass else attempt.ended) or "", not is_pass, attempt.run


def too_few(requirement: Requirement, attempts: Sequence[Attempt]) -> str:
    """Return why the passes of one variant do not suffice for `min_testers` and `clean_runs`, or nothing.

    Runs are clean one after the other: those before the last that went wrong, for whomever, do not count.
    """
    testers: set[str] = set()
    runs: set[str] = set()
    for attempt in sorted(attempts, key=_in_time):
        if attempt.state == "passed":
            testers.add(person(attempt.tester))
            runs.add(attempt.run)
        elif attempt.state not in ABSENT:
            runs.clear()
    if len(testers) < requirement.min_testers:
        return f"passed for {len(testers)} of {requirement.min_testers} testers"
    if len(runs) < requirement.clean_runs:
        return f"passed in {len(runs)} of {requirement.clean_runs} clean runs"
    return ""
