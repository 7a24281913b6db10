"""Removal of what a run made: in the order that dependencies ask for.

Only objects that the ledger names, and that still carry this run's name or comment, are touched. What could
not be removed keeps what it stands on: a domain with a disk on it stays, and so do its data center and host.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.ledger import in_removal_order
from pytest_ovirt_release.checks.removers import Remover
from pytest_ovirt_release.checks.waiting import WaitFailed
from pytest_ovirt_release.errors import ReleaseError, Unproven

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.ledger import Entry, Ledger
    from pytest_ovirt_release.checks.waiting import Say

_STANDS_ON = ("domain_id", "data_center_id", "host_id")


def remove_all(
    engine: Engine, ledger: Ledger, entries: Iterable[Entry], say: Say | None = None
) -> list[Entry]:
    """Remove these entries and return what is left, each with the sentence why (also in the ledger)."""
    left: list[Entry] = []
    held: dict[str, str] = {}
    remover = Remover(engine, ledger.run_id, say)
    for entry in in_removal_order(entries):
        if say is not None:
            say(f"removing {entry}")
        try:
            _refuse_held(entry, held)
            remover.remove(entry)
        except (Unproven, ReleaseError, WaitFailed) as error:
            ledger.left(entry.entry, str(error))
            left.append(replace(entry, left=str(error)))
            held.update({str(entry.details[key]): str(entry) for key in _STANDS_ON if key in entry.details})
        else:
            ledger.removed(entry.entry)
    return left


def _refuse_held(entry: Entry, held: dict[str, str]) -> None:
    if entry.id in held:
        raise Unproven(f"{held[entry.id]} is still there and needs it")
