"""Read what a run left behind: its journals, whatever happened to the processes that wrote them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Record = dict[str, Any]
LARGEST_JOURNAL = 256 * 1024 * 1024
"""Bytes of one journal file that are read at most."""


@dataclass(frozen=True)
class Run:
    """One run: its folder's name, its records in the order of each file, and lines that could not be read."""

    id: str
    records: tuple[Record, ...]
    damaged: tuple[str, ...] = field(default=())

    def of(self, kind: str) -> Iterator[Record]:
        """Yield the records of one kind."""
        return (r for r in self.records if r["kind"] == kind)

    def first(self, kind: str) -> Record | None:
        """Return the first record of a kind, if there is one."""
        return next(self.of(kind), None)


def read_run(folder: Path) -> Run:
    """Read a run folder; ReleaseError when it is none.

    The last line of a file may be torn (its writer was killed) and is dropped; any other unreadable line is
    reported as damage, because nothing of ours writes one.
    """
    files = sorted((folder / "journal").glob("*.jsonl"))
    if not files:
        raise ReleaseError(
            f"{folder} is not a run: it has no journal/*.jsonl; runs are folders like reports/latest"
        )
    records: list[Record] = []
    damaged: list[str] = []
    for path in files:
        if path.stat().st_size > LARGEST_JOURNAL:
            damaged.append(f"{path.name}: larger than {LARGEST_JOURNAL} bytes")
            continue
        lines = path.read_bytes().split(b"\n")
        torn = lines.pop()  # what follows the last newline: nothing, or a torn record
        del torn
        for number, line in enumerate(lines, 1):
            record = _record(line)
            if record is None:
                damaged.append(f"{path.name}:{number}: not a journal record")
            else:
                records.append(record)
    start = next((r for r in records if r["kind"] == "run"), None)
    return Run(str(start["run"]) if start and "run" in start else folder.name, tuple(records), tuple(damaged))


def _record(line: bytes) -> Record | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("kind"), str) else None
