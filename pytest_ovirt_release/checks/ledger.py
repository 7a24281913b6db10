"""The ledger: what a run created and has not yet removed, as records of its journal.

The intent is on disk before anything is asked of the engine, so that a run which is killed at any moment has
left the name of everything it may have made. Only what the ledger names is ever removed.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

PREFIX = "rel"
LONGEST_CORRELATION = 36
"""Characters of a correlation id that the engine keeps."""

_OWNED = re.compile(rf"{PREFIX}-([0-9a-f]{{8}})-", re.ASCII)

REMOVAL_ORDER = ("database", "vm", "disk", "storage-domain", "moved-host", "data-center", "host", "cluster")
"""What must be gone before the next can go."""


@dataclass(frozen=True)
class Entry:
    """One thing this run meant to create.

    `id` once the engine gave one, `left` why it could not be removed, `at` when it was meant (ISO 8601).
    """

    entry: str
    what: str
    name: str
    cells: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    id: str | None = None
    left: str | None = None
    at: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.name}" + (f" ({self.id})" if self.id else "")


class Ledger:
    """Writes the ledger's records through `write(kind, sync=…, **fields)`, the journal's own method."""

    def __init__(self, write: Callable[..., None], run_id: str) -> None:
        """Take the journal's `write` and the id that every name carries."""
        self._write = write
        self.run_id = run_id

    def name(self, what: str) -> str:
        """Return the name of an object of this run: `rel-<run id>-<what>`."""
        return object_name(self.run_id, what)

    def intent(self, what: str, name: str, *, cells: Sequence[str], **details: object) -> str:
        """Write down what is about to be created, wait for the disk, and return the entry's id."""
        entry = f"{self.run_id}-{secrets.token_hex(4)}"
        self._write(
            "intent", sync=True, entry=entry, what=what, name=name, cells=list(cells), details=details
        )
        return entry

    def created(self, entry: str, object_id: str) -> None:
        """Note the id that the engine gave."""
        self._write("created", sync=True, entry=entry, id=object_id)

    def removed(self, entry: str) -> None:
        """Note that the object is gone (or never came to be)."""
        self._write("removed", sync=True, entry=entry)

    def left(self, entry: str, why: str) -> None:
        """Note that the object could not be removed, with one sentence."""
        self._write("left", sync=True, entry=entry, why=why)


def object_name(run_id: str, what: str) -> str:
    """Return `rel-<run id>-<what>`."""
    return f"{PREFIX}-{run_id}-{what}"


def other_run(run_id: str, *texts: str) -> str | None:
    """Return the id of another run whose object this is, going by its name or comment; None when it is nobody's."""
    owners = [found[1] for text in texts if (found := _OWNED.match(text))]
    return next((owner for owner in owners if owner != run_id), None)


def correlation_id(run_id: str, what: str) -> str:
    """Return a fresh correlation id that tells the run and the step, short enough for the engine to keep."""
    return f"{PREFIX}-{run_id[:16]}-{secrets.token_hex(2)}-{what}"[:LONGEST_CORRELATION].rstrip("-")


def open_entries(records: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Return what the records name and do not call removed, in the order of removal (newest first within a kind)."""
    entries: dict[str, Entry] = {}
    later: list[Mapping[str, Any]] = []
    for record in records:
        if record.get("kind") == "intent":
            entries[str(record["entry"])] = Entry(
                str(record["entry"]),
                str(record["what"]),
                str(record["name"]),
                tuple(record.get("cells") or ()),
                dict(record.get("details") or {}),
                at=str(record.get("at") or ""),
            )
        elif record.get("kind") in {"created", "removed", "left"}:
            later.append(record)  # another process's file may have been read first
    for record in sorted(later, key=lambda r: str(r.get("at", ""))):
        _apply(entries, record)
    return in_removal_order(list(entries.values())[::-1])


def _apply(entries: dict[str, Entry], record: Mapping[str, Any]) -> None:
    key = str(record.get("entry"))
    entry = entries.get(key)
    if entry is None:
        return
    if record["kind"] == "created":
        entries[key] = replace(entry, id=str(record["id"]))
    elif record["kind"] == "left":
        entries[key] = replace(entry, left=str(record["why"]))
    else:
        del entries[key]


def in_removal_order(entries: Iterable[Entry]) -> list[Entry]:
    """Sort by dependency, keeping the order within one kind. Unknown kinds come last."""
    place = {what: number for number, what in enumerate(REMOVAL_ORDER)}
    return sorted(entries, key=lambda e: place.get(e.what, len(place)))


def read_records(run_folder: Path) -> list[dict[str, Any]]:
    """Read every journal of a run; torn last lines and what is no record are passed over."""
    records = []
    for path in sorted((run_folder / "journal").glob("*.jsonl")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict) and "kind" in record:
                records.append(record)
    return records


def age(at: str) -> float:
    """Return the seconds since a moment in ISO 8601; an unreadable one is long ago."""
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()
    except (ValueError, TypeError):
        return float("inf")
