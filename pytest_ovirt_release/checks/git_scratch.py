"""Scratch repositories: fetch what one question needs from a remote repository, and no more.

Objects that were left out at first are asked for one by one: git itself, left alone, fetches the whole tree below.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from pytest_ovirt_release.checks.git_command import check_url, git, raise_what_is_certain
from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_ovirt_release.local.processes import Finished

OBJECT_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
LARGEST_TEXT_FILE = 1024 * 1024
"""Largest file in bytes that is read at a commit."""

_NONE_SELECTED = re.compile(r"no commits selected|error processing shallow info")
_NO_NARROWING = re.compile(r"does not support (--)?(shallow|deepen)|dumb http transport does not support")


class CannotNarrow(Exception):  # noqa: N818 - reads as what it says
    """The server cannot leave commits out; the whole history has to be fetched instead."""


@dataclass(frozen=True)
class Scratch:
    """A bare repository in `folder` whose only remote is `url`; each call of git may take `deadline` seconds."""

    folder: Path
    url: str
    deadline: float

    @classmethod
    def make(cls, folder: Path, url: str, deadline: float) -> Scratch:
        """Make one in a new folder."""
        check_url(url)
        folder.mkdir(parents=True)
        for words in (["init", "--quiet", "--bare", "."], ["config", "remote.origin.url", url]):
            done = git(words, folder, deadline)
            if done.status != 0:
                raise ReleaseError(f"git {words[0]} in {folder} failed: {done.complaint}")
        return cls(folder, url, deadline)

    def fetch(self, *words: str) -> None:
        """Fetch; CheckFailed or Unreachable when the server does not give it, CannotNarrow when it cannot."""
        done = git([*_FETCH, *words], self.folder, self.deadline, url=self.url, fetching=True)
        if done.status != 0:
            self._raise(done)

    def fetch_alone(self, what: str, without: str) -> None:
        """Fetch one commit without those before it, where the server can leave them out, and `without` more."""
        try:
            self.fetch("--depth=1", f"--filter={without}", "origin", what)
        except CannotNarrow:
            self.fetch("origin", what)

    def lacks(self, ref: str) -> bool:
        """Return whether the server says that it has no such ref; False also when it says nothing of use."""
        words = [*_FETCH, "--depth=1", "--filter=tree:0", "origin", f"+{ref}:refs/release/asked"]
        done = git(words, self.folder, self.deadline, url=self.url, fetching=True)
        return done.status != 0 and b"couldn't find remote ref" in done.err

    def fetch_narrowed(self, narrowing: str, refspec: str) -> bool:
        """Fetch commits of a ref but for those that `narrowing` leaves out; False when none are left.

        Raises:
            CannotNarrow: the server does not do that.
        """
        words = [*_FETCH, "--filter=tree:0", narrowing, "origin", refspec]
        done = git(words, self.folder, self.deadline, url=self.url, fetching=True)
        if done.status != 0 and _NONE_SELECTED.search(done.err.decode("utf-8", "replace")):
            return False
        if done.status != 0:
            self._raise(done)
        return True

    def ask(self, *words: str) -> str:
        """Return what git says; Unreachable when it fails."""
        return self.raw(*words).decode("utf-8", "replace")

    def raw(self, *words: str) -> bytes:
        """Return the bytes that git writes; Unreachable when it fails."""
        done = git(list(words), self.folder, self.deadline)
        if done.status != 0:
            raise Unreachable(f"git {words[0]} on {self.url} failed: {done.complaint}")
        return done.out

    def date_of(self, commit: str) -> datetime:
        """Return a commit's committer date."""
        seconds = self.ask("rev-list", "--timestamp", "--no-walk", commit).split()[0]
        return datetime.fromtimestamp(int(seconds), UTC)

    def line(self, ref: str) -> list[tuple[int, str]]:
        """Return committer date and id of each commit of a ref's first-parent line, youngest first."""
        lines = self.ask("rev-list", "--timestamp", "--first-parent", ref).splitlines()
        return [(int(seconds), commit) for seconds, _, commit in (each.partition(" ") for each in lines)]

    def parents(self, ref: str) -> set[str]:
        """Return every parent that the commits of a ref name, fetched or not."""
        revisions = self.raw("rev-list", ref).split()
        return {parent for commit in revisions for parent in self.parents_of(commit.decode())}

    def parents_of(self, commit: str) -> tuple[str, ...]:
        """Return the parents that a commit itself names: `rev-list` hides those that were not fetched."""
        head = self.ask("cat-file", "commit", commit).partition("\n\n")[0]
        return tuple(line[7:] for line in head.split("\n") if line.startswith("parent "))

    def text(self, commit: str, path: str) -> str | None:
        """Return a small file's text at a commit, None when it is not there; fetches only what leads to it."""
        head = self.ask("cat-file", "commit", commit)
        oid, kind = head.partition("\n")[0].removeprefix("tree "), "tree"
        for part in path.split("/"):
            if kind != "tree":
                return None
            self._have(oid)
            entries = (entry.partition(b"\t") for entry in self.raw("ls-tree", "-z", oid).split(b"\0")[:-1])
            found = next((said.split() for said, _, name in entries if name == part.encode()), None)
            if found is None:
                return None
            kind, oid = found[1].decode(), found[2].decode()
        if kind != "blob":
            return None
        self._have(oid)
        size = int(self.ask("cat-file", "-s", oid))
        if size > LARGEST_TEXT_FILE:
            raise CheckFailed("version-file-too-large", f"{path} has {size} bytes at {commit}")
        return self.ask("cat-file", "blob", oid)

    def _have(self, oid: str) -> None:
        if git(["cat-file", "-e", oid], self.folder, self.deadline).status == 0:
            return
        # Without negotiation: told of the commit, the server believes that its trees are here.
        words = ["-c", "fetch.negotiationAlgorithm=noop", *_FETCH, "--filter=tree:0", "origin", oid]
        done = git(words, self.folder, self.deadline, url=self.url, fetching=True)
        if done.status != 0:
            self._raise(done)

    def _raise(self, done: Finished) -> NoReturn:
        if _NO_NARROWING.search(done.err.decode("utf-8", "replace")):
            raise CannotNarrow
        raise_what_is_certain(done, self.url)
        raise Unreachable(f"git could not fetch from {self.url}: {done.complaint}")


_FETCH: Sequence[str] = (
    "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no",
)  # fmt: skip
