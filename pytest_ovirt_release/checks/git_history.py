"""What a release asks of a history: does the branch contain the tag, where did the branch begin, what did a file say.

Each question fetches commits only, and of those only the ones that tell: a yes is proven by the ids of parents that
the fetched commits themselves name. Where the server cannot leave commits out, the whole history is fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.git_scratch import CannotNarrow, Scratch
from pytest_ovirt_release.errors import Unreachable

if TYPE_CHECKING:
    from pathlib import Path

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
class History:
    """A tag and a branch of a remote repository; `tag` and `branch` (its newest commit) are None when not there.

    `at_tag` holds the tag's commit alone, and the tag itself when it is an object. Further scratch repositories
    are made below `folder` by the questions that need them; each call of git may take `deadline` seconds.
    """

    folder: Path
    url: str
    tag: TagRef | None
    branch: str | None
    branch_ref: str
    at_tag: Scratch
    deadline: float

    def date_of(self, commit: str) -> datetime:
        """Return the committer date of the tag's commit."""
        return self.at_tag.date_of(commit)

    def tagged_at(self) -> DatedCommit | None:
        """Return the tag's commit with the tagger's date when annotated, else the commit's date."""
        if self.tag is None:
            return None
        said = self.at_tag.ask("for-each-ref", "--format=%(taggerdate:unix)", self.tag.ref).strip()
        at = _moment(int(said)) if said.isdigit() else self.date_of(self.tag.commit)
        return DatedCommit(self.tag.commit, at)

    def tag_object(self) -> bytes | None:
        """Return an annotated tag's own bytes, None for a lightweight one."""
        if self.tag is None or not self.tag.annotated:
            return None
        return self.at_tag.raw("cat-file", "tag", self.tag.object)

    def text_at(self, commit: str, path: str) -> str | None:
        """Return a small file's text at the tag's commit, None when it is not there."""
        return self.at_tag.text(commit, path)

    def branch_contains_tag(self) -> bool:
        """Return whether the branch leads to the tag's commit."""
        if self.branch is None or self.tag is None:
            return False
        if self.branch == self.tag.commit:
            return True
        try:
            since = Scratch.make(self.folder / "since-tag", self.url, self.deadline)
            # All of the branch that the tag does not lead to; if that is nothing, the branch ends before the tag.
            if not since.fetch_narrowed(f"--shallow-exclude={self.tag.ref}", f"+{self.branch_ref}:{_BRANCH}"):
                return False
            return self.tag.commit in since.parents(_BRANCH)
        except CannotNarrow:
            whole = Scratch.make(self.folder / "whole-since-tag", self.url, self.deadline)
            whole.fetch("--filter=tree:0", "origin", f"+{self.branch_ref}:{_BRANCH}")
            return self.tag.commit in whole.ask("rev-list", _BRANCH).split()

    def branch_began(self) -> DatedCommit | None:
        """Return the branch's first own commit: the oldest of its line that the default branch's line lacks.

        None when the branch has no commit of its own, or there is no other branch to compare with.
        """
        return self._began

    @cached_property
    def _began(self) -> DatedCommit | None:
        if self.branch is None:
            return None
        try:
            known, first = self._narrow_beginning()
        except CannotNarrow:
            known, first = False, None
        except Unreachable:
            # Without a default branch servers fail in many words; what was asked for last says why.
            if Scratch.make(self.folder / "head", self.url, self.deadline).lacks("HEAD"):
                return None
            raise
        return first if known else self._whole_beginning()

    def before_branch(self) -> DatedCommit | None:
        """Return the commit that the branch's first own one follows, or its newest when it has none of its own."""
        return self._before[1] if self._before else None

    def text_before_branch(self, path: str) -> str | None:
        """Return a small file's text as it was when the branch began, None when it was not there."""
        return self._before[0].text(self._before[1].commit, path) if self._before else None

    def text_on_branch(self, path: str) -> str | None:
        """Return a small file's text at the branch's newest commit, None when it is not there."""
        if self.branch is None:
            return None
        return self._alone("on-branch", self.branch).text(self.branch, path)

    @cached_property
    def _before(self) -> tuple[Scratch, DatedCommit] | None:
        if self.branch is None:
            return None
        commit, began = self.branch, self.branch_began()
        if began is not None:
            first = self._alone("first", began.commit)
            commit = first.parents_of(began.commit)[0]
        place = self._alone("before", commit)
        return place, DatedCommit(commit, place.date_of(commit))

    def _alone(self, name: str, commit: str) -> Scratch:
        place = Scratch.make(self.folder / name, self.url, self.deadline)
        place.fetch_alone(commit, "tree:0")
        return place

    def _narrow_beginning(self) -> tuple[bool, DatedCommit | None]:
        """Return whether the beginning is certain, and it."""
        own = Scratch.make(self.folder / "own", self.url, self.deadline)
        first: DatedCommit | None = None
        cut: str | None = self.branch
        if own.fetch_narrowed("--shallow-exclude=HEAD", f"+{self.branch_ref}:{_BRANCH}"):
            seconds, commit = own.line(_BRANCH)[-1]
            parents = own.parents_of(commit)
            first, cut = DatedCommit(commit, _moment(seconds)), parents[0] if parents else None
        if cut is None:
            return False, None
        since = int(self._alone("cut", cut).date_of(cut).timestamp())
        line = Scratch.make(self.folder / "default", self.url, self.deadline)
        if not line.fetch_narrowed(f"--shallow-since=@{since}", f"+HEAD:{_DEFAULT}"):
            return False, None
        return cut in {commit for _, commit in line.line(_DEFAULT)}, first

    def _whole_beginning(self) -> DatedCommit | None:
        whole = Scratch.make(self.folder / "whole", self.url, self.deadline)
        whole.fetch("--filter=tree:0", "origin", f"+{self.branch_ref}:{_BRANCH}", f"+HEAD:{_DEFAULT}")
        theirs = {commit for _, commit in whole.line(_DEFAULT)}
        first = None
        for seconds, commit in whole.line(_BRANCH):
            if commit in theirs:
                return first
            first = DatedCommit(commit, _moment(seconds))
        return None  # no common commit: not a branch of the default branch at all


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
