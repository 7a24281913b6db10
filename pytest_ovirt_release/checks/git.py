"""Ask git repositories on the network: exact refs, and a history without trees in a scratch repository.

Only http and https addresses, none of the user's git settings, no prompt, a deadline on every call. git itself
has no total timeout, takes an address that starts with a dash for an option, and matches the *ends* of ref names.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.git_command import check_url, full_ref, git, raise_what_is_certain
from pytest_ovirt_release.checks.git_history import DatedCommit, History, TagRef
from pytest_ovirt_release.checks.git_scratch import OBJECT_ID, Scratch
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "DatedCommit",
    "History",
    "TagRef",
    "TreeEntry",
    "fetch_tree",
    "fetch_treeless",
    "listed_refs",
    "ls_remote_tag",
]

_NO_MATCH = 2
"""Exit code of `git ls-remote --exit-code` when no ref matched."""


@dataclass(frozen=True)
class TreeEntry:
    """One file of a tree: path, git's mode (100644, 100755, 120000, 160000), id of its content."""

    path: str
    mode: str
    blob: str


def ls_remote_tag(url: str, tag: str, deadline: float) -> TagRef | None:
    """Look a tag up by its exact name; None when the repository has no such tag.

    Raises:
        CheckFailed: the server says that there is no such repository.
        Unreachable: no answer, or none that can be understood, within `deadline` seconds.
        ReleaseError: git is not installed, or address or name is not one we would ask for.
    """
    ref = full_ref("refs/tags/", tag)
    return _tag_of(_ls_remote(url, [ref, f"{ref}^{{}}"], deadline), ref)


def fetch_treeless(url: str, tag: str | None, branch: str, folder: Path, deadline: float) -> History:
    """Look a tag and a branch up and fetch the tag's commit (no trees, no files, where the server allows it).

    Scratch repositories are made in `folder`. Raises as ls_remote_tag.
    """
    tag_ref, branch_ref = (full_ref("refs/tags/", tag) if tag else None), full_ref("refs/heads/", branch)
    refs = _ls_remote(url, [branch_ref, *([tag_ref, f"{tag_ref}^{{}}"] if tag_ref else [])], deadline)
    found = _tag_of(refs, tag_ref) if tag_ref else None
    at_tag = Scratch.make(folder / "at-tag", url, deadline)
    if found is not None:
        at_tag.fetch_alone(f"+{found.ref}:{found.ref}", "tree:0")
        kind = at_tag.ask("cat-file", "-t", found.commit).strip()
        if kind != "commit":
            raise CheckFailed("tag-not-a-commit", f"{found.ref} of {url} names a {kind}, not a commit")
    return History(folder, url, found, refs.get(branch_ref), branch_ref, at_tag, deadline)


def fetch_tree(url: str, commit: str, folder: Path, deadline: float) -> tuple[TreeEntry, ...]:
    """Return every file of a commit's tree without its content. Raises as ls_remote_tag.

    Raises:
        CheckFailed: the repository does not hold the commit.
    """
    if not OBJECT_ID.fullmatch(commit):
        raise ReleaseError(f"{commit!r} is no commit id")
    scratch = Scratch.make(folder, url, deadline)
    scratch.fetch_alone(commit, "blob:none")
    entries = []
    for record in scratch.raw("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")[:-1]:
        head, _, path = record.partition(b"\t")
        mode, _, blob = head.decode("ascii").split(" ")
        entries.append(TreeEntry(os.fsdecode(path), mode, blob))
    return tuple(entries)


def _ls_remote(url: str, refs: Sequence[str], deadline: float) -> dict[str, str]:
    check_url(url)
    # Only tags and branches: servers list every merge request too, which may be megabytes.
    kinds = ["--tags", "--heads"] if refs else []
    done = git(["ls-remote", "--exit-code", *kinds, "--", url, *refs], Path("/"), deadline, url=url)
    if done.status == _NO_MATCH and refs:
        # git takes any web page for a repository without refs, so an empty answer needs a second look.
        if not _ls_remote(url, [], deadline):
            raise CheckFailed(
                "repository-empty", f"{url} shows no ref at all: it is empty, or no git repository"
            )
        return {}
    if done.status == _NO_MATCH:
        return {}
    if done.status != 0:
        raise_what_is_certain(done, url)
        raise Unreachable(f"{url} did not answer as a git repository: {done.complaint}")
    return listed_refs(done.out, refs)


def listed_refs(said: bytes, refs: Sequence[str]) -> dict[str, str]:
    """Read what `git ls-remote` writes: object id by full ref name, of the wanted refs or, without any, of all."""
    found: dict[str, str] = {}
    for line in said.decode("utf-8", "replace").split("\n"):
        oid, tab, ref = line.partition("\t")
        if tab and (ref in refs or not refs) and OBJECT_ID.fullmatch(oid):
            found[ref] = oid
    return found


def _tag_of(refs: Mapping[str, str], ref: str) -> TagRef | None:
    if ref not in refs:
        return None
    return TagRef(ref, refs[ref], refs.get(f"{ref}^{{}}", refs[ref]))
