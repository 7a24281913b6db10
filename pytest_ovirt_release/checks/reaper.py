"""`ovirt-release reap RUN`: finish the removal that a killed run could not, from its journals alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.ledger import Ledger, open_entries, read_records
from pytest_ovirt_release.checks.removal import remove_all
from pytest_ovirt_release.record.journal import Journal
from pytest_ovirt_release.record.redact import Redactor
from pytest_ovirt_release.record.run_folder import not_running
from pytest_ovirt_release.target.brand import is_lab
from pytest_ovirt_release.target.credentials import read_secret, watch
from pytest_ovirt_release.target.loading import load_target
from pytest_ovirt_release.target.ready import make_ready

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.checks.ledger import Entry
    from pytest_ovirt_release.target.model import Target


def reap(run_folder: Path, *, dry_run: bool, say: Callable[[str], None]) -> int:
    """Remove what the run's ledger still names; returns how many objects are left (0: nothing).

    Raises:
        ReleaseError: no such run, the run is still alive, or its target cannot be used any more.
        Unreachable: the engine does not answer; the ledger stays as it is.
    """
    with not_running(run_folder):
        return reap_unlocked(run_folder, dry_run=dry_run, say=say)


def reap_unlocked(run_folder: Path, *, dry_run: bool, say: Callable[[str], None]) -> int:
    """Do what `reap` does for a caller that holds the run's lock: the run itself, at its end."""
    records = read_records(run_folder)
    entries = open_entries(records)
    if not entries:
        say(f"run {run_folder.name} has left nothing")
        return 0
    for entry in entries:
        say(f"{'would remove' if dry_run else 'to remove'}: {entry}")
    if dry_run:
        return len(entries)
    started = next((r for r in records if r.get("kind") == "run"), {})
    run_id = str(started.get("run") or run_folder.name.rpartition("-")[2])
    left = _remove(run_folder, run_id, entries, say)
    for entry in left:
        say(f"left: {entry}: {entry.left}")
    say(f"{len(entries) - len(left)} removed, {len(left)} left")
    return len(left)


def _remove(run_folder: Path, run_id: str, entries: list[Entry], say: Callable[[str], None]) -> list[Entry]:
    # Here, because a dry run works where the SDK is not installed.
    from pytest_ovirt_release.checks.engine import Engine  # noqa: PLC0415
    from pytest_ovirt_release.checks.waiting import never_stop  # noqa: PLC0415

    target = load_target(run_folder / "target.toml")
    make_ready(target)
    redact = _redactor(target)
    journal = Journal(run_folder / "journal" / f"reap-{os.getpid()}.jsonl", redact, run_id)

    def met(where: str, text: str) -> None:
        journal.write("brand", where=where, text=text, lab=is_lab(text), sync=True)

    try:
        with Engine(target, run_id, met, flag=never_stop) as engine:
            return remove_all(engine, Ledger(journal.write, run_id), entries, lambda text: say(redact(text)))
    finally:
        journal.close()


def _redactor(target: Target) -> Redactor:
    redact = Redactor()
    watch(redact)
    engine = target.engine
    read_secret(engine.password_file, engine.password_env, "the engine's password")
    return redact
