"""Whose a host is: two runs on one engine must not work with the same node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.ledger import other_run
from pytest_ovirt_release.errors import Blocked

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.engine import Engine, Host
    from pytest_ovirt_release.checks.ledger import Ledger


def refuse_another_runs(host: Host | None, ledger: Ledger) -> None:
    """Stop at a host that another run works with, or has left behind.

    Raises:
        Blocked: by its name or its comment it is another run's.
    """
    owner = None if host is None else other_run(ledger.run_id, host.name, host.comment)
    if host is not None and owner is not None:
        raise Blocked(
            "node-registers",
            f"host {host.name} at {host.address} ({host.status}) belongs to run {owner}: this run does not touch it; "
            "wait until that run has ended, or finish it with `ovirt-release reap` where it was started",
        )


def mark(engine: Engine, ledger: Ledger, host_id: str) -> None:
    """Let a host say whose it is, and see that no other run has said the same at the same time."""
    engine.hosts.mark(host_id, ledger.name("run"))
    refuse_another_runs(engine.hosts.get(host_id), ledger)
