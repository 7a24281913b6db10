"""Release notes: they exist for this version, say something, and are older than the release branch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.download import NotThere, download
from pytest_ovirt_release.errors import CheckFailed, Unproven
from pytest_ovirt_release.release.page import end_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.checks.git import DatedCommit

LARGEST_NOTES = 4 * 1024 * 1024
FEWEST_CHARACTERS = 100
"""Shorter notes say nothing to a user; blanks do not count."""

_DATE_LINE = re.compile(
    r"^[*_ ]{0,4}date[*_ ]{0,2}:[*_ ]{0,4}[\"']?(?P<date>[^\"'\r\n]+?)[\"'*_ ]*$", re.IGNORECASE
)
_HEAD_LINES = 60
"""A date line further down belongs to something else."""


@dataclass(frozen=True)
class Notes:
    """Downloaded notes: text without markup, SHA-256, and their date with where it was read.

    Nobody signs such a date, so every report calls it *claimed*. `known_before_branch`: the repository itself
    shows that they are older than the branch.
    """

    url: str
    path: Path
    sha256: str
    text: str
    dated: datetime | None
    date_source: str
    known_before_branch: bool = False


@dataclass(frozen=True)
class BranchBegin:
    """When the release branch began (UTC) and where that was read."""

    at: datetime
    source: str


def read_notes(url: str, path: Path, *, deadline: float) -> Notes:
    """Download release notes (text, Markdown or HTML) to `path`.

    Raises:
        CheckFailed: `notes-missing`, or larger than any notes.
        Unreachable: the site did not answer within `deadline` seconds.
    """
    try:
        got = download(url, path, deadline=deadline, largest=LARGEST_NOTES)
    except NotThere as error:
        raise CheckFailed("notes-missing", f"there are no release notes: {error}") from error
    text = plain_text(got.path.read_text(encoding="utf-8", errors="replace"))
    dated, source = date_in(text), "claimed by their date line"
    if dated is None:
        dated, source = got.last_modified, "claimed by the server's Last-Modified"
    return Notes(url, got.path, got.sha256, text, dated, source if dated else "none")


def judge_text(notes: Notes, version: str) -> None:
    """Raise CheckFailed(`notes-empty`, `notes-other-version`) unless the notes say something about this version."""
    said = len("".join(notes.text.split()))
    if said < FEWEST_CHARACTERS:
        raise CheckFailed(
            "notes-empty", f"{notes.url} holds {said} characters of text; that tells users nothing"
        )
    if not mentions(notes.text, version):
        raise CheckFailed("notes-other-version", f"{notes.url} does not mention version {version}")


def branch_begin(first: DatedCommit | None, branch: str, declared: datetime | None) -> BranchBegin | None:
    """Return when the branch began: its first own commit, else what the page declares, else None."""
    if first is not None:
        return BranchBegin(first.at, f"committer date of {first.commit}, the first own commit of {branch}")
    if declared is not None:
        return BranchBegin(end_of(declared), f"declared on the page for {branch}")
    return None


def judge_order(notes: Notes, began: BranchBegin | None) -> None:
    """Raise unless the notes are older than the branch.

    Raises:
        CheckFailed: `notes-undated`, `notes-after-branch`.
        Unproven: nobody knows when the branch began.
    """
    if notes.known_before_branch:
        return
    if notes.dated is None:
        raise CheckFailed(
            "notes-undated", f"{notes.url} carries no date, so it cannot be older than the branch"
        )
    if began is None:
        raise Unproven(
            "nobody knows when the release branch began: it has no commit of its own and the page declares no "
            "branch_created"
        )
    if notes.dated >= began.at:
        raise CheckFailed(
            "notes-after-branch",
            f"the notes are of {notes.dated:%Y-%m-%d %H:%M} UTC ({notes.date_source}), "
            f"the branch began on {began.at:%Y-%m-%d %H:%M} UTC ({began.source})",
        )


def mentions(text: str, version: str) -> bool:
    """Return whether a text names exactly this version: 3.0 is not named by 13.0, 3.0.1, 3.01 or 3.0-rc1."""
    after = r"(?!\w|\.\d|[-~](?:alpha|beta|rc))"
    return re.search(rf"(?<![\d.]){re.escape(version)}{after}", text, re.IGNORECASE) is not None


def date_in(text: str) -> datetime | None:
    """Return the date of the first date line near the top (`Date: 2012-01-08`, front matter, mail header), in UTC.

    A date without time of day means the end of that day.
    """
    for line in text.split("\n")[:_HEAD_LINES]:
        match = _DATE_LINE.match(line.strip())
        found = _moment(match["date"].strip()) if match else None
        if found is not None:
            return found
    return None


def plain_text(text: str) -> str:
    """Return a page without its markup, if it is HTML; else the text as it is."""
    if not re.match(r"\s*(<!doctype|<html|<\?xml)", text, re.IGNORECASE):
        return text
    reader = _TextOfPage()
    reader.feed(text)
    reader.close()
    return "".join(reader.parts)


class _TextOfPage(HTMLParser):
    """Collects what a reader sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Start a new line at each element but the smallest."""
        del attrs
        if tag in ("script", "style", "head"):
            self._hidden += 1
        elif tag not in ("a", "b", "i", "em", "strong", "code", "span", "time"):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Show again what follows a hidden element."""
        if tag in ("script", "style", "head"):
            self._hidden = max(0, self._hidden - 1)

    def handle_data(self, data: str) -> None:
        """Keep visible text."""
        if not self._hidden:
            self.parts.append(data)


def _moment(text: str) -> datetime | None:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return end_of(date.fromisoformat(text))
        return end_of(datetime.fromisoformat(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:
        return end_of(parsedate_to_datetime(text)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
