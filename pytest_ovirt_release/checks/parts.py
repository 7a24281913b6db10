"""What every stage works with: target, engine, ledger, and locks between the processes of one run."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from pytest_ovirt_release.checks.node import Remote
from pytest_ovirt_release.checks.progress import shown
from pytest_ovirt_release.checks.waiting import Interrupted
from pytest_ovirt_release.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.ledger import Ledger
    from pytest_ovirt_release.target.model import NodeTarget, Target

LOCK_TICK = 0.1


@dataclass(frozen=True)
class Parts:
    """The parts of a run; `folder` holds node states and locks, `say` feeds the status line."""

    target: Target
    engine: Engine
    ledger: Ledger
    folder: Path
    met: Callable[[str, str], None]
    say: Callable[[str], None] | None = None

    def remote(self, node: NodeTarget) -> Remote:
        """Return a connection to a node; nothing is sent yet."""
        return Remote(
            node.ssh, name=node.name, met=self.met, seconds=self.target.deadlines.ssh, flag=self.engine.flag
        )

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold a lock of this run; who waits for it waits no longer than all stages, a move and a guest may take."""
        lock = FileLock(self.folder / f"{name}.lock")
        if not _is_got(lock):
            limits = self.target.deadlines
            allowed = limits.registration + 2 * limits.approve + 3 * limits.host_up + 3 * limits.storage
            allowed += limits.removal + limits.guest + 3 * limits.disk
            with shown(f"{name}, which another process of this run works on", allowed):
                self._await(lock, name, allowed)
        try:
            yield
        finally:
            lock.release()

    def _await(self, lock: FileLock, name: str, allowed: float) -> None:
        end = time.monotonic() + allowed
        while not _is_got(lock):
            if time.monotonic() > end:
                raise Unreachable(f"another process of this run held {name} for {allowed:g} s")
            if self.engine.flag.wait(LOCK_TICK):
                raise Interrupted(f"interrupted while another process of this run works on {name}")


def _is_got(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
