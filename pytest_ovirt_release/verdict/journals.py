"""Journals to one run: every line checked, whatever happened to the processes that wrote them.

The last line of a file may be torn (its writer was killed): it is dropped and told. Whatever else no run writes
is *damage*, and nothing is judged by a damaged run.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pytest_ovirt_release.verdict.contents import CANDIDATE, OVERLAY, PAGE, Contents, read_folder
from pytest_ovirt_release.verdict.fold import Outcome, outcomes
from pytest_ovirt_release.verdict.records import AFTER_THE_END, JOURNAL_SCHEMA, RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Record = dict[str, Any]
LARGEST_LINE = 4 * 1024 * 1024
"""Bytes of one record; a run cuts its texts at 16 KiB each."""

MOST_DAMAGES = 20
"""So many damages of one file are told; what follows them is not read."""

CONTROLLER = "journal/controller.jsonl"
_NEWER = re.compile(rb'"schema":\s*"ovirt-release-journal/(\d{1,6})"')


@dataclass(frozen=True)
class Run:
    """One run: its id, its records in the order of each file, and what is wrong with them.

    `damaged`: sentences about what no run writes. `torn`: files whose last line was cut off. `digest` names the
    contents, so that the same run counts once however often it is named.
    """

    id: str
    records: tuple[Record, ...]
    damaged: tuple[str, ...] = field(default=())
    torn: tuple[str, ...] = field(default=())
    digest: str = ""

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        """Return what each collected test came to, by node id."""
        return outcomes(self.records)

    @cached_property
    def _by_kind(self) -> dict[str, list[Record]]:
        # A verdict asks for some twenty kinds, and a merge holds a quarter of a million records.
        found: dict[str, list[Record]] = {}
        for record in self.records:
            found.setdefault(record["kind"], []).append(record)
        return found

    def of(self, kind: str) -> Iterator[Record]:
        """Yield the records of one kind."""
        return iter(self._by_kind.get(kind, ()))

    @property
    def key(self) -> tuple[str, str]:
        """Return what names this run and its contents, and sorts runs."""
        return self.id, self.digest

    def first(self, kind: str) -> Record | None:
        """Return the first record of a kind, if there is one."""
        return next(self.of(kind), None)


@dataclass(frozen=True)
class _File:
    """One journal: its records, the sentences about it, and its bytes before the controller's end record."""

    name: str
    records: tuple[Record, ...]
    damaged: tuple[str, ...]
    is_torn: bool
    before_end: int


def read_run(folder: Path) -> Run:
    """Read a run folder; ReleaseError when it is none."""
    return parse_run(read_folder(folder))


def parse_run(contents: Contents) -> Run:
    """Return the run that some contents hold; what is wrong with it is told in `damaged`."""
    files = [_read(name, data) for name, data in contents.journals.items()]
    records = tuple(record for file in files for record in file.records)
    ids = list(dict.fromkeys(r["run"] for r in records if r["kind"] in {"opened", "run"}))
    damaged = [
        *contents.problems,
        *(text for file in files for text in file.damaged),
        *_of_one_run(files, ids, records),
        *_inputs(contents, records),
        *_sealed(contents, files),
        *_evidence(contents, records),
    ]
    return Run(
        ids[0] if ids else contents.name.rstrip("/").rpartition("/")[2],
        records,
        tuple(damaged),
        tuple(file.name for file in files if file.is_torn),
        contents.digest(),
    )


def _read(name: str, data: bytes) -> _File:
    records: list[Record] = []
    damaged: list[str] = []
    start, before_end, last, number = 0, len(data), "", 0
    while (end := data.find(b"\n", start)) >= 0 and len(damaged) < MOST_DAMAGES:
        number += 1
        record = _record(data[start:end])
        if isinstance(record, str):
            damaged.append(f"{name}:{number}: {record}")
        else:
            if record["at"] < last:
                damaged.append(f"{name}:{number}: its clock went backwards, from {last} to {record['at']}")
            last = max(last, record["at"])
            if record["kind"] == "end" and before_end == len(data):
                before_end = start
            records.append(record)
        start = end + 1
    if number and (not records or records[0]["kind"] != "opened"):
        damaged.append(f"{name}:1: a journal begins with the record `opened`")
    # What follows the last newline: nothing, or a torn record.
    return _File(name, tuple(records), tuple(damaged), start < len(data) and end < 0, before_end)


def _record(line: bytes) -> Record | str:
    """Return a line's record, or why it is none."""
    if len(line) > LARGEST_LINE:
        return f"longer than {LARGEST_LINE // 1024**2} MiB"
    try:
        record: Record = RECORD.validate_json(line)
    except (ValidationError, RecursionError):
        newer = _NEWER.search(line)
        if newer and int(newer[1]) > int(JOURNAL_SCHEMA.rpartition("/")[2]):
            return f"written by a newer version (journal/{newer[1].decode()}); this one reads {JOURNAL_SCHEMA}; upgrade"
        return "not a journal record"
    cell, requirement = record.get("cell"), record.get("requirement")
    if record["kind"] == "collected" and (cell or "").partition("[")[0] != (requirement or ""):
        return f"{cell} is no cell of {requirement}"
    return record


def _of_one_run(files: Sequence[_File], ids: Sequence[str], records: Sequence[Record]) -> Iterator[str]:
    """Yield why the files are not the journals of one run."""
    if len(ids) > 1:
        yield f"journals of {len(ids)} runs in one place: {', '.join(ids)}"
    for kind in ("run", "end"):
        count = sum(r["kind"] == kind for r in records)
        if count > 1:
            yield f"{count} records of kind `{kind}`; a run has one"
    entries = Counter(r["entry"] for r in records if r["kind"] == "intent")
    yield from (f"ledger entry {entry} stands here twice" for entry, n in entries.items() if n > 1)
    for file in files:
        if file.name != CONTROLLER and any(r["kind"] in {"run", "end"} for r in file.records):
            yield f"{file.name}: only the controller's journal may hold `run` and `end`"


def _inputs(contents: Contents, records: Sequence[Record]) -> Iterator[str]:
    """Yield which inputs are not those that the run was started with."""
    start = next((r for r in records if r["kind"] == "run"), None)
    if start is None:
        yield "it does not say what it ran: there is no record `run`"
        return
    for name, key in ((PAGE, "page_sha256"), (CANDIDATE, "candidate_sha256"), (OVERLAY, "overlay_sha256")):
        if contents.sha256(name) != start[key]:
            yield f"{name}: is not the one that it was run with"


def _sealed(contents: Contents, files: Sequence[_File]) -> Iterator[str]:
    """Yield what was changed after a complete run had written the digests of its journals."""
    end = next(
        (r for file in files if file.name == CONTROLLER for r in file.records if r["kind"] == "end"), None
    )
    if end is None or not end["complete"]:
        return
    sealed = dict(end.get("files") or {})
    for file in files:
        data = contents.files[file.name]
        known = sealed.pop(file.name, None)
        if known is None:
            late = sorted({r["kind"] for r in file.records} - AFTER_THE_END)
            if late:
                yield f"{file.name}: was added after the run had ended, with {', '.join(late)}"
            continue
        whole = data[: file.before_end] if file.name == CONTROLLER else data
        if hashlib.sha256(whole).hexdigest() != known["sha256"]:
            yield f"{file.name}: was altered after the run had ended"
        if file.name == CONTROLLER and file.records and file.records[-1]["kind"] != "end":
            yield f"{file.name}: goes on after the run had ended"
    yield from (f"{name}: is missing" for name in sealed)


def _evidence(contents: Contents, records: Sequence[Record]) -> Iterator[str]:
    """Yield which files of evidence are not what the journals say."""
    told = {(r["file"], r.get("sha256") or "") for r in records if r["kind"] == "evidence" and r.get("file")}
    for name, sha256 in sorted(told):
        known = contents.evidence.get(name)
        if known is None:
            yield f"{name}: is missing"
        elif known.sha256 != sha256:
            yield f"{name}: is not what the journal says"
