"""Compare an unpacked tarball with the tree that the tag's commit names: paths, contents, modes."""

from __future__ import annotations

import hashlib
import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import CheckFailed
from pytest_ovirt_release.release.model import Strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_ovirt_release.checks.git import TreeEntry

SHOWN = 5
"""Paths of each kind that a message names; the evidence holds all."""

_LINK, _SUBMODULE, _PROGRAM, _FILE = "120000", "160000", "100755", "100644"
_SHA256_DIGITS = 64


class Differences(Strict):
    """What differs, as sorted paths; `compared` is how many files are the same in both."""

    compared: int
    only_in_tarball: tuple[str, ...] = ()
    only_in_tree: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    mode: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()

    def must_be_none(self, what: str) -> None:
        """Raise CheckFailed(`differs-from-tag`) naming the first paths of each kind."""
        kinds = {
            "only in the tarball": self.only_in_tarball,
            "only in the tag's tree": self.only_in_tree,
            "other content": self.content,
            "other mode": self.mode,
        }
        told = [f"{kind}: {_some(paths)}" for kind, paths in kinds.items() if paths]
        if told:
            raise CheckFailed("differs-from-tag", f"{what} is not what the tag names; {'; '.join(told)}")


def compare_with_tree(
    unpacked: Path, tree: Sequence[TreeEntry], generated: Iterable[str] = ()
) -> Differences:
    """Compare every file; `generated` are patterns of files that may stand only in the tarball.

    Raises:
        CheckFailed: the tree is empty, so there is nothing to compare with.
    """
    wanted = {e.path: (_kind(e.mode), e.blob) for e in tree if e.mode != _SUBMODULE}
    if not wanted:
        raise CheckFailed("tree-empty", "the tag's tree holds no file")
    algorithm = "sha256" if any(len(blob) == _SHA256_DIGITS for _, blob in wanted.values()) else "sha1"
    found = {path: _described(unpacked / path, algorithm) for path in _files(unpacked)}
    extra = found.keys() - wanted.keys()
    patterns = tuple(generated)
    made = {path for path in extra if any(fnmatchcase(path, pattern) for pattern in patterns)}
    both = found.keys() & wanted.keys()
    content = {path for path in both if found[path][1] != wanted[path][1]}
    mode = {path for path in both if found[path][0] != wanted[path][0]}
    return Differences(
        compared=len(both - content - mode),
        only_in_tarball=tuple(sorted(extra - made)),
        only_in_tree=tuple(sorted(wanted.keys() - found.keys())),
        content=tuple(sorted(content)),
        mode=tuple(sorted(mode)),
        generated=tuple(sorted(made)),
    )


def blob_id(content: bytes, algorithm: str = "sha1") -> str:
    """Return the id that git gives a file of this content."""
    return hashlib.new(algorithm, b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


def _files(folder: Path) -> Iterable[str]:
    for where, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(where, name))]  # noqa: PTH114, PTH118 - thousands of files, names may be no UTF-8
        for name in (*names, *links):
            yield os.path.relpath(os.path.join(where, name), folder)  # noqa: PTH118 - same


def _described(path: Path, algorithm: str) -> tuple[str, str]:
    if path.is_symlink():
        return _LINK, blob_id(os.fsencode(path.readlink()), algorithm)
    size = path.stat().st_size
    digest = hashlib.new(algorithm, b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    mode = _PROGRAM if path.stat().st_mode & 0o100 else _FILE
    return mode, digest.hexdigest()


def _kind(mode: str) -> str:
    """Old trees hold 100664; to git that is a plain file."""
    return _FILE if mode.startswith("100") and mode != _PROGRAM else mode


def _some(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(repr(p)[1:-1] for p in paths[:SHOWN]) + more
