"""Removal of what a run made: in the order that dependencies ask for.

Only objects that the ledger names, and that still carry this run's name or comment, are touched. What could
not be removed keeps what it stands on: a domain with a disk on it stays, and so do its data center and host.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.ledger import in_removal_order
from pytest_ovirt_release.checks.removers import Remover
from pytest_ovirt_release.checks.waiting import WaitFailed
from pytest_ovirt_release.errors import ReleaseError, Unproven

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.ledger import Entry, Ledger
    from pytest_ovirt_release.checks.waiting import Say

_STANDS_ON = ("domain_id", "data_center_id", "host_id")


def remove_all(
    engine: Engine, ledger: Ledger, entries: Iterable[Entry], say: Say | None = None
) -> list[Entry]:
    """Remove these entries and return what is left, each with the sentence why (also in the ledger).

    What is of one kind stands on nothing of its own kind, so it goes at once: two nodes take the time of one.
    """
    left: list[Entry] = []
    held: dict[str, str] = {}
    ordered = in_removal_order(entries)
    disks = [entry.id for entry in ordered if entry.what == "disk" and entry.id is not None]
    remover = Remover(engine, ledger.run_id, say, disks)
    for _, alike in itertools.groupby(ordered, key=lambda entry: entry.what):
        for entry, error in _at_once(remover, list(alike), held, say):
            if error is None:
                ledger.removed(entry.entry)
                continue
            ledger.left(entry.entry, str(error))
            left.append(replace(entry, left=str(error)))
            held.update({str(entry.details[key]): str(entry) for key in _STANDS_ON if key in entry.details})
    return left


def _at_once(
    remover: Remover, entries: Sequence[Entry], held: Mapping[str, str], say: Say | None
) -> Iterator[tuple[Entry, Exception | None]]:
    """Yield each entry as soon as it is gone, or cannot be removed, with the reason."""
    ended: SimpleQueue[tuple[Entry, BaseException | None]] = SimpleQueue()

    def remove(entry: Entry) -> None:
        try:
            _refuse_held(entry, held)
            remover.remove(entry)
        except BaseException as error:  # noqa: BLE001 - told to who waits for it
            ended.put((entry, error))
        else:
            ended.put((entry, None))

    for entry in entries:
        if say is not None:
            say(f"removing {entry}")
        if len(entries) == 1:
            remove(entry)
        else:
            # Daemons: whoever interrupts the removal does not want to wait for the others' deadlines.
            threading.Thread(target=remove, args=(entry,), daemon=True).start()
    for _ in entries:
        entry, error = ended.get()
        if error is None or isinstance(error, Unproven | ReleaseError | WaitFailed):
            yield entry, error
        else:
            raise error


def _refuse_held(entry: Entry, held: Mapping[str, str]) -> None:
    if entry.id is not None and entry.id in held:
        raise Unproven(f"{held[entry.id]} is still there and needs it")
