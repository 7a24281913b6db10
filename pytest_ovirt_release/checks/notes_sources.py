"""Where release notes stand: on a web page, in a mail of an archive, or in a file of the repository itself."""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from email.message import EmailMessage
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.download import NotThere, download
from pytest_ovirt_release.checks.notes import LARGEST_NOTES, Notes, date_in, mentions, plain_text, read_notes
from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.checks.git import History
    from pytest_ovirt_release.release.resolved import ComponentUnderTest

LARGEST_ARCHIVE = 32 * 1024 * 1024
"""Most bytes of an mbox: one month of a busy list."""

_MAIL_BEGINS = re.compile(rb"^From [^\n]* \d{4}\r?\n", re.MULTILINE)
_MOST_PARTS = 100


def notes_of(component: ComponentUnderTest, history: History, path: Path, *, deadline: float) -> Notes:
    """Read a component's notes from where the page says they are.

    Raises:
        CheckFailed: `notes-missing`, `notes-after-branch` (the repository has them on the branch only), or larger
            than any notes.
        Unreachable: the site did not answer within `deadline` seconds.
    """
    if component.page.notes_in == "git":
        return read_in_git(component, history, path)
    if component.page.notes_in == "mail":
        return read_mail(component.notes, component.version, path, deadline=deadline)
    return read_notes(component.notes, path, deadline=deadline)


def read_in_git(component: ComponentUnderTest, history: History, path: Path) -> Notes:
    """Read notes as they were when the branch began: at the commit that the branch's first own one follows.

    What stands there is older than the branch whatever the clocks said.
    """
    before = history.before_branch()
    if before is None:
        raise CheckFailed("notes-missing", f"{component.repository} has no branch {component.branch}")
    where = f"{component.notes} of {component.repository}"
    text = history.text_before_branch(component.notes)
    if text is None and history.text_on_branch(component.notes) is not None:
        raise CheckFailed("notes-after-branch", f"{where} came after branch {component.branch} had begun")
    if text is None:
        raise CheckFailed("notes-missing", f"there is no {where}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    source = f"committer date of {before.commit}, the last commit before the branch's own"
    digest = hashlib.sha256(text.encode()).hexdigest()
    own = history.branch_began() is not None
    return Notes(where, path, digest, plain_text(text), before.at, source, known_before_branch=own)


def read_mail(url: str, version: str, path: Path, *, deadline: float) -> Notes:
    """Download a mail or an mbox; the notes are its first mail that names the version, else its first."""
    try:
        got = download(url, path, deadline=deadline, largest=LARGEST_ARCHIVE)
    except NotThere as error:
        raise CheckFailed("notes-missing", f"there are no release notes: {error}") from error
    raw = got.path.read_bytes()
    mails = [(text, head) for text, head in map(mail_text, split_mbox(raw)) if text.strip()]
    if not mails:
        raise CheckFailed("notes-missing", f"{url} holds no mail that says anything")
    text, head = next((mail for mail in mails if mentions(mail[0], version)), mails[0])
    dated = date_in(head)
    return Notes(url, got.path, got.sha256, text, dated, "claimed by the mail's Date" if dated else "none")


def split_mbox(raw: bytes) -> list[bytes]:
    """Return the mails of an mbox, or the one mail that a file is."""
    starts = [match.end() for match in _MAIL_BEGINS.finditer(raw)]
    if not starts or _MAIL_BEGINS.match(raw) is None:
        return [raw]
    ends = [match.start() for match in _MAIL_BEGINS.finditer(raw)][1:]
    return [raw[start:end] for start, end in zip(starts, [*ends, len(raw)], strict=True)]


def mail_text(raw: bytes) -> tuple[str, str]:
    """Return a mail's subject and text without markup, and its date line; no mail gives two empty texts."""
    try:
        mail = email.message_from_bytes(raw[:LARGEST_NOTES], EmailMessage, policy=email.policy.default)
        dated, subject = str(mail.get("Date", "")), str(mail.get("Subject", ""))
        parts = [part for part, _ in zip(mail.walk(), range(_MOST_PARTS), strict=False)]
        texts = [_content(part) for part in parts if part.get_content_maintype() == "text"]
    except Exception:  # noqa: BLE001 - the standard parser fails in many ways on what is no mail
        return "", ""
    if not dated and not subject:
        return "", ""
    return "\n\n".join((subject, *texts)), f"Date: {dated}"


def _content(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        text = payload.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        text = payload.decode("utf-8", "replace")
    return plain_text(text) if part.get_content_subtype() == "html" else text
