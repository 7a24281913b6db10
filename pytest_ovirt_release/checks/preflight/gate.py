"""Preflight of a run: once for all of its processes, before the first change; later stages read what it found."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from pytest_ovirt_release.checks.preflight.findings import ENGINE, Finding, blocking, node_key, storage_key
from pytest_ovirt_release.checks.preflight.looking import look
from pytest_ovirt_release.checks.stages import requirement_of
from pytest_ovirt_release.errors import Blocked, Unproven

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.checks.preflight.probe import Asked
    from pytest_ovirt_release.checks.stages import Stage
    from pytest_ovirt_release.target.model import NodeTarget

FILE = "preflight.json"
SPARE = 15.0
"""Seconds beyond preflight's own that another process of the run may hold its lock."""


class Gate:
    """Lets a stage of a node begin, or raises Blocked with what preflight found against it."""

    def __init__(self, asked: Asked, folder: Path, tell: Callable[[Finding], None]) -> None:
        """Take what to look at, the folder that the run's processes share, and who is told each finding once."""
        self._asked = asked
        self._path = folder / FILE
        self._tell = tell

    def __call__(self, stage: Stage, node: NodeTarget) -> None:
        """Raise Blocked, on the stage's own requirement, when what it needs does not work."""
        against = blocking(self.findings(), needs_of(stage, node))
        if against:
            raise Blocked(requirement_of(stage, node), f"preflight: {' | '.join(map(str, against))}")

    def findings(self) -> tuple[Finding, ...]:
        """Return the run's findings; the first process that asks does the looking."""
        lock = FileLock(f"{self._path}.lock")
        try:
            with lock.acquire(timeout=self._asked.total + SPARE):
                if not self._path.is_file():
                    self._look()
                return tuple(
                    Finding(**{**given, "blocks": tuple(given["blocks"])})
                    for given in json.loads(self._path.read_text(encoding="utf-8"))
                )
        except Timeout as error:
            raise Unproven(
                "another process of this run does not come to an end with its preflight"
            ) from error

    def _look(self) -> None:
        found = look(self._asked)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps([asdict(finding) for finding in found], indent=1), encoding="utf-8")
        new.replace(self._path)
        for finding in found:
            self._tell(finding)


def needs_of(stage: Stage, node: NodeTarget) -> tuple[str, ...]:
    """Return what a stage needs of preflight: storage is needed by nothing before its own stage."""
    needs = (ENGINE, node_key(node.name))
    return (*needs, storage_key(node.storage)) if stage == "storage" else needs
