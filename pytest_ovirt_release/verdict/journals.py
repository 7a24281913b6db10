"""Read what a run left behind: its journals, whatever happened to the processes that wrote them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Record = dict[str, Any]
LARGEST_JOURNAL = 256 * 1024 * 1024
"""Bytes of one journal file that are read at most."""

NEEDED: dict[str, tuple[str, ...]] = {
    "collected": ("nodeid",),
    "report": ("nodeid", "when"),
    "crash": ("nodeid",),
    "evidence": ("name",),
    "fact": ("key", "value"),
    "mistake": ("text",),
    "brand": ("where", "text"),
    "intent": ("entry",),
    "removed": ("entry",),
}
"""Fields that a record of each kind must have, besides `kind` and `at`."""

TYPES: dict[str, type | tuple[type, ...]] = {
    "nodeid": str, "when": str, "entry": (str, int), "name": str, "file": str, "sha256": str, "size": int,
    "axes": dict, "suite": dict, "controls": dict, "versions": dict, "argv": list, "cells": list, "exit": int,
    "duration": (int, float), "requirement": str, "cell": str,
}  # fmt: skip
"""What a field may hold, where it is there at all."""

INNER: dict[str, type] = {"axes": list, "suite": list, "controls": dict}
"""What the values of a field hold that is a dict itself."""


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
        if not path.is_file():  # a folder, or a pipe that would be waited on for ever
            damaged.append(f"{path.name}: not a regular file")
            continue
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
    return value if isinstance(value, dict) and _is_sound(value) else None


def _is_sound(record: Record) -> bool:
    """Return whether a record has what its kind needs, in the types that the verdict reads."""
    kind, at = record.get("kind"), record.get("at")
    if not isinstance(kind, str) or not isinstance(at, str) or not _is_moment(at):
        return False
    if any(record.get(name) is None for name in NEEDED.get(kind, ())):
        return False
    if kind == "collected" and record.get("cell") and not record.get("requirement"):
        return False
    told = {name: value for name, value in record.items() if value is not None}
    if not all(isinstance(value, TYPES.get(name, object)) for name, value in told.items()):
        return False
    inner = all(isinstance(v, kept) for name, kept in INNER.items() for v in told.get(name, {}).values())
    return inner and math.isfinite(told.get("duration", 0))


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
