"""Ask git repositories on the network: exact refs, and a history without trees in a scratch repository.

Only http and https addresses, none of the user's git settings, no prompt, a deadline on every call. git itself
has no total timeout, takes an address that starts with a dash for an option, and matches the *ends* of ref names.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.git_command import check_url, full_ref, git, raise_what_is_certain
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST_TEXT_FILE = 1024 * 1024
"""Largest file in bytes that is read at a tag."""

_OBJECT_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_NO_MATCH = 2
"""Exit code of `git ls-remote --exit-code` when no ref matched."""

_BRANCH, _DEFAULT = "refs/release/branch", "refs/release/default"


@dataclass(frozen=True)
class TagRef:
    """A tag: full ref name, the object it names, the commit that leads to; annotated when the two differ."""

    ref: str
    object: str
    commit: str

    @property
    def annotated(self) -> bool:
        """Whether the tag is an object of its own."""
        return self.object != self.commit


@dataclass(frozen=True)
class DatedCommit:
    """A commit and its committer date in UTC."""

    commit: str
    at: datetime


@dataclass(frozen=True)
class TreeEntry:
    """One file of a tree: path, git's mode (100644, 100755, 120000, 160000), id of its content."""

    path: str
    mode: str
    blob: str


@dataclass(frozen=True)
class History:
    """The commits of a branch and a tag in a scratch repository; `tag` and `branch` are None when not there.

    Each question may take `deadline` seconds; files and trees are fetched when first asked for.
    """

    folder: Path
    url: str
    tag: TagRef | None
    branch: str | None
    default: str | None
    deadline: float

    def date_of(self, commit: str) -> datetime:
        """Return the committer date of a commit."""
        words = self._ask("rev-list", "--timestamp", "--no-walk", commit).split()
        return datetime.fromtimestamp(int(words[0]), UTC)

    def tagged_at(self) -> DatedCommit | None:
        """Return the tag's commit with the tagger's date when annotated, else the commit's date."""
        if self.tag is None:
            return None
        said = self._ask("for-each-ref", "--format=%(taggerdate:unix)", self.tag.ref).strip()
        at = datetime.fromtimestamp(int(said), UTC) if said.isdigit() else self.date_of(self.tag.commit)
        return DatedCommit(self.tag.commit, at)

    def branch_contains(self, commit: str) -> bool:
        """Return whether the branch leads to a commit."""
        if self.branch is None:
            return False
        done = git(["merge-base", "--is-ancestor", commit, _BRANCH], self.folder, self.deadline)
        if done.status > 1 or done.status < 0:
            raise Unreachable(f"git could not compare {commit} with the branch: {done.complaint}")
        return done.status == 0

    def branch_began(self) -> DatedCommit | None:
        """Return the branch's first own commit: the oldest of its line that the default branch's line lacks.

        None when the branch has no commit of its own, or there is no other branch to compare with.
        """
        if self.branch is None or self.default is None:
            return None
        theirs = {commit for _, commit in self._line(_DEFAULT)}
        first = None
        for seconds, commit in self._line(_BRANCH):
            if commit in theirs:
                break
            first = DatedCommit(commit, datetime.fromtimestamp(seconds, UTC))
        else:
            return None  # no common commit: not a branch of the default branch at all
        return first

    def text_at(self, commit: str, path: str) -> str | None:
        """Return a small file's text at a commit, None when it is not there."""
        size = git(["cat-file", "-s", f"{commit}:{path}"], self.folder, self.deadline)
        if size.status != 0:
            raise_what_is_certain(size, self.url)
            if b"does not exist" in size.err:
                return None
            raise Unreachable(f"git could not read {path} at {commit}: {size.complaint}")
        if int(size.out) > LARGEST_TEXT_FILE:
            raise CheckFailed("version-file-too-large", f"{path} has {int(size.out)} bytes at {commit}")
        return self._ask("cat-file", "blob", f"{commit}:{path}")

    def _line(self, ref: str) -> list[tuple[int, str]]:
        lines = self._ask("rev-list", "--timestamp", "--first-parent", ref).splitlines()
        return [(int(seconds), commit) for seconds, _, commit in (line.partition(" ") for line in lines)]

    def _ask(self, *words: str) -> str:
        done = git(list(words), self.folder, self.deadline)
        if done.status != 0:
            raise Unreachable(f"git {words[0]} on {self.url} failed: {done.complaint}")
        return done.out.decode("utf-8", "replace")


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
    """Fetch commits only (no trees, no files, where the server allows it) of a tag and a branch.

    A scratch repository is made in `folder`. Raises as ls_remote_tag.
    """
    tag_ref, branch_ref = (full_ref("refs/tags/", tag) if tag else None), full_ref("refs/heads/", branch)
    asked = [branch_ref, "HEAD", *([tag_ref, f"{tag_ref}^{{}}"] if tag_ref else [])]
    refs = _ls_remote(url, asked, deadline)
    found = _tag_of(refs, tag_ref) if tag_ref else None
    wanted = {branch_ref: _BRANCH, "HEAD": _DEFAULT, **({found.ref: found.ref} if found else {})}
    _scratch(folder, url, deadline)
    present = [f"+{theirs}:{ours}" for theirs, ours in wanted.items() if theirs in refs]
    if present:
        _fetch(folder, url, ["--filter=tree:0", "origin", *present], deadline)
    history = History(folder, url, found, refs.get(branch_ref), refs.get("HEAD"), deadline)
    if found is not None:
        kind = history._ask("cat-file", "-t", found.commit).strip()  # noqa: SLF001 - same module
        if kind != "commit":
            raise CheckFailed("tag-not-a-commit", f"{found.ref} of {url} names a {kind}, not a commit")
    return history


def fetch_tree(url: str, commit: str, folder: Path, deadline: float) -> tuple[TreeEntry, ...]:
    """Return every file of a commit's tree without its content. Raises as ls_remote_tag.

    Raises:
        CheckFailed: the repository does not hold the commit.
    """
    if not _OBJECT_ID.fullmatch(commit):
        raise ReleaseError(f"{commit!r} is no commit id")
    _scratch(folder, url, deadline)
    _fetch(folder, url, ["--depth=1", "--filter=blob:none", "origin", commit], deadline)
    done = git(["ls-tree", "-r", "-z", "--full-tree", commit], folder, deadline)
    if done.status != 0:
        raise Unreachable(f"git could not list the tree of {commit}: {done.complaint}")
    entries = []
    for record in done.out.split(b"\0")[:-1]:
        head, _, path = record.partition(b"\t")
        mode, _, blob = head.decode("ascii").split(" ")
        entries.append(TreeEntry(os.fsdecode(path), mode, blob))
    return tuple(entries)


def _ls_remote(url: str, refs: Sequence[str], deadline: float) -> dict[str, str]:
    check_url(url)
    done = git(["ls-remote", "--exit-code", "--", url, *refs], Path("/"), deadline)
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
    found: dict[str, str] = {}
    for line in done.out.decode("utf-8", "replace").split("\n"):
        oid, tab, ref = line.partition("\t")
        if tab and (ref in refs or not refs) and _OBJECT_ID.fullmatch(oid):
            found[ref] = oid
    return found


def _tag_of(refs: Mapping[str, str], ref: str) -> TagRef | None:
    if ref not in refs:
        return None
    return TagRef(ref, refs[ref], refs.get(f"{ref}^{{}}", refs[ref]))


def _scratch(folder: Path, url: str, deadline: float) -> None:
    check_url(url)
    folder.mkdir(parents=True)
    for words in (["init", "--quiet", "--bare", "."], ["config", "remote.origin.url", url]):
        done = git(words, folder, deadline)
        if done.status != 0:
            raise ReleaseError(f"git {words[0]} in {folder} failed: {done.complaint}")


def _fetch(folder: Path, url: str, words: Sequence[str], deadline: float) -> None:
    done = git(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *words], folder, deadline)
    if done.status != 0:
        raise_what_is_certain(done, url)
        raise Unreachable(f"git could not fetch from {url}: {done.complaint}")
