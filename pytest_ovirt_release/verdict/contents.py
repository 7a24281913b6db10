"""What a run left behind, as far as a verdict needs it: inputs and journals as bytes, evidence as digests.

A run's folder and a bundle give the same contents, and the same digest names both.
"""

from __future__ import annotations

import hashlib
import re
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import Field, NonNegativeInt

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release.model import Sha256, Strict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PAGE, OVERLAY, CANDIDATE, WAIVERS = "page.toml", "page-overlay.toml", "candidate.toml", "waivers.toml"
"""Names of the inputs' copies in a run folder. Waivers are no part of a run: the release manager has them."""

INPUTS = (PAGE, OVERLAY, CANDIDATE)
JOURNAL = re.compile(r"journal/[A-Za-z0-9_.-]+\.jsonl")
EVIDENCE = re.compile(r"evidence/[A-Za-z0-9_.-]+")

LARGEST_JOURNAL = 64 * 1024 * 1024
"""Bytes of one journal that are read at most; a run of 10,000 tests writes about 12 MiB."""
LARGEST_INPUT = 1024 * 1024
"""Bytes of page, candidate, overlay or waivers at most."""
LARGEST_EVIDENCE = 16 * 1024 * 1024
"""Bytes of one file of evidence at most; a run cuts its own at 4 MiB."""
MOST_FILES = 20_000
"""Files that one run may have left."""
CHUNK = 1024 * 1024


class FileFact(Strict):
    """A file's SHA-256 and size in bytes."""

    sha256: Sha256
    size: NonNegativeInt


class Manifest(Strict):
    """The first file of a bundle: the digest of every other file in it."""

    schema_name: Literal["ovirt-release-bundle/1"] = Field(default="ovirt-release-bundle/1", alias="schema")
    files: dict[str, FileFact]


@dataclass(frozen=True)
class Contents:
    """One run's inputs and journals by their path in the run folder, its evidence by digest, and what is wrong.

    `name` is how messages call it; `problems` are sentences about files that could not be taken as they are.
    """

    name: str
    files: Mapping[str, bytes]
    evidence: Mapping[str, FileFact] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def journals(self) -> dict[str, bytes]:
        """Return the journals by file name, in order."""
        return {name: self.files[name] for name in sorted(self.files) if JOURNAL.fullmatch(name)}

    def sha256(self, name: str) -> str:
        """Return the SHA-256 of one of its files; empty when it is not there."""
        return fact_of(self.files[name]).sha256 if name in self.files else ""

    def facts(self) -> dict[str, FileFact]:
        """Return size and digest of every file, in order."""
        known = {n: fact_of(data) for n, data in self.files.items() if n != WAIVERS} | dict(self.evidence)
        return dict(sorted(known.items()))

    def digest(self) -> str:
        """Return the digest that names this run's contents: of its files' names, sizes and digests."""
        total = hashlib.sha256()
        for name, fact in self.facts().items():
            total.update(f"{fact.sha256} {fact.size} {name}\n".encode())
        return total.hexdigest()


def fact_of(data: bytes) -> FileFact:
    """Return size and digest of some bytes."""
    return FileFact(sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def read_folder(folder: Path) -> Contents:
    """Read a run folder.

    Links, pipes and whatever is too large are problems, and never followed or waited on.

    Raises:
        ReleaseError: it is no run folder.
    """
    if not (folder / "journal").is_dir() or (folder / "journal").is_symlink():
        raise ReleaseError(
            f"{folder} is not a run: it has no folder `journal`; runs are folders like reports/latest"
        )
    files: dict[str, bytes] = {}
    problems: list[str] = []
    named = list(_named(folder, problems))
    for name, path in named:
        largest = LARGEST_JOURNAL if JOURNAL.fullmatch(name) else LARGEST_INPUT
        if problem := _unfit(path, largest):
            problems.append(f"{name}: {problem}")
        else:
            files[name] = path.read_bytes()
    if not any(JOURNAL.fullmatch(name) for name, _ in named):
        why = "; pytest stopped before it ran anything, and verdict.json in it says why"
        stopped = (folder / "verdict.json").is_file()
        raise ReleaseError(
            f"{folder} is not a run: there is no journal/*.jsonl in it{why if stopped else ''}"
        )
    return Contents(str(folder), files, _evidence(folder, problems), tuple(problems))


def _named(folder: Path, problems: list[str]) -> Iterator[tuple[str, Path]]:
    for name in (*INPUTS, WAIVERS):
        if (folder / name).exists() or (folder / name).is_symlink():
            yield name, folder / name
    for path in sorted((folder / "journal").glob("*.jsonl")):
        name = f"journal/{path.name}"
        if JOURNAL.fullmatch(name):
            yield name, path
        else:
            problems.append(f"{name!a}: no run writes a file of this name")


def _unfit(path: Path, largest: int) -> str:
    """Return why a file cannot be read, or nothing. Asked before opening: a pipe would wait for a writer."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        return "is not a regular file"
    return f"is larger than {largest // 1024**2} MiB" if found.st_size > largest else ""


def _evidence(folder: Path, problems: list[str]) -> dict[str, FileFact]:
    found: dict[str, FileFact] = {}
    where = folder / "evidence"
    for path in sorted(where.iterdir()) if where.is_dir() and not where.is_symlink() else ():
        name = f"evidence/{path.name}"
        problem = "" if EVIDENCE.fullmatch(name) else "no run writes a file of this name"
        if problem := problem or _unfit(path, LARGEST_EVIDENCE):
            problems.append(f"{name!a}: {problem}")
        elif len(found) >= MOST_FILES:
            problems.append(f"evidence: more than {MOST_FILES} files")
            break
        else:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found[name] = FileFact(sha256=digest, size=path.stat().st_size)
    return found
