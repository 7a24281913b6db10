"""Release notes that say nothing, or came too late."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks.git import fetch_treeless
from pytest_ovirt_release.checks.notes import branch_begin, judge_order, judge_text
from pytest_ovirt_release.checks.notes_sources import notes_of
from tests.corpus.frame import Check, case
from tests.corpus.workshop import DEADLINE, Workshop
from tests.unit.checks.releases import component
from tests.unit.checks.repositories import Repository

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = "# vdsm {version}\n\nDate: {date}\n\n" + "Many things were mended in this version. " * 5
MAIL = (
    "From builder@example.org  Sun Jan  1 10:00:00 2012\nFrom: Builder <builder@example.org>\nTo: list@example.org\n"
    "Subject: [ANN] vdsm {version}\nDate: {date}\nContent-Type: text/plain; charset=utf-8\n\n"
    + "Many things were mended. " * 8
    + "\n"
)
BEFORE, AFTER = "2012-01-02", "2012-01-09"
"""The branch's first own commit is of 2012-01-03."""


def text(version: str = "4.9.3", date: str = BEFORE) -> str:
    """Return notes of a version and date."""
    return TEXT.format(version=version, date=date)


def noted(
    shop: Workshop,
    content: str | None,
    *,
    begin: Callable[[Repository], None] = lambda _: None,
    branch: bool = True,
    **page: Any,
) -> Check:
    """Serve notes and a repository whose branch begins after `begin`; return the check that the suite makes."""
    repository = Repository(shop.web, "vdsm.git")
    repository.commit(VERSION="4.9.2\n")
    begin(repository)
    repository.git("checkout", "-q", "-b", "release-3.0")
    if branch:
        repository.commit(VERSION="4.9.3\n")
        repository.commit(VERSION="4.9.3\n", NEWS=text())
    repository.publish()
    if content is not None:
        shop.web.put("notes", content.encode())
    notes = "NEWS" if page.get("notes_in") == "git" else f"{shop.web.url}/notes"
    wanted = component(shop.web.url, notes=notes, page_fields=page)

    def check() -> None:
        history = fetch_treeless(wanted.repository, None, wanted.branch, shop.folder / "git", DEADLINE)
        found = notes_of(wanted, history, shop.folder / "notes", deadline=DEADLINE)
        judge_text(found, wanted.version)
        judge_order(found, branch_begin(history.branch_began(), wanted.branch, wanted.page.branch_created))

    return check


@case("notes", "notes-missing")
def no_notes(shop: Workshop, *, bad: bool) -> Check:
    """There is no such page."""
    return noted(shop, None if bad else text())


@case("notes", "notes-empty")
def notes_that_say_nothing(shop: Workshop, *, bad: bool) -> Check:
    """A title and a date."""
    return noted(shop, f"# vdsm 4.9.3\n\nDate: {BEFORE}\n" if bad else text())


@case("notes", "notes-empty")
def a_page_of_scripts(shop: Workshop, *, bad: bool) -> Check:
    """What a reader does not see does not count."""
    hidden = f"<p>vdsm 4.9.3</p><p>Date: {BEFORE}</p>"
    seen = f"<p>{'Many things were mended. ' * 5}</p>"
    return noted(shop, f"<html><script>{'x' * 500}</script>{hidden}{'' if bad else seen}</html>")


@case("notes", "notes-other-version")
def notes_of_the_last_version(shop: Workshop, *, bad: bool) -> Check:
    """4.9.31 is not 4.9.3."""
    return noted(shop, text("4.9.31" if bad else "4.9.3"))


@case("notes", "notes-after-branch")
def notes_written_after_the_branch(shop: Workshop, *, bad: bool) -> Check:
    """Dated later than the branch's first own commit."""
    return noted(shop, text(date=AFTER if bad else BEFORE))


@case("notes", "notes-after-branch")
def notes_written_after_the_declared_day(shop: Workshop, *, bad: bool) -> Check:
    """A branch without commits of its own began when the page says so."""
    declared = datetime(2012, 1, 5, tzinfo=UTC)
    return noted(shop, text(date=AFTER if bad else BEFORE), branch=False, branch_created=declared)


@case("notes", "notes-undated")
def notes_without_a_date(shop: Workshop, *, bad: bool) -> Check:
    """Neither a date line nor a word from the server."""
    return noted(shop, text(date="soon" if bad else BEFORE))


@case("notes", "unproven")
def a_branch_that_nobody_dated(shop: Workshop, *, bad: bool) -> Check:
    """No commit of its own, no day on the page: nobody can tell."""
    declared = None if bad else datetime(2012, 1, 5, tzinfo=UTC)
    return noted(shop, text(), branch=False, branch_created=declared)


@case("notes", "notes-after-branch")
def a_file_that_came_with_the_branch(shop: Workshop, *, bad: bool) -> Check:
    """In the repository, and not where the branch began."""
    return noted(shop, None, begin=lambda r: None if bad else _write(r, text()), notes_in="git")


@case("notes", "notes-other-version")
def a_file_that_named_the_version_too_late(shop: Workshop, *, bad: bool) -> Check:
    """The file was there when the branch began, and said nothing of this version yet."""
    return noted(shop, None, begin=lambda r: _write(r, text("4.9.2" if bad else "4.9.3")), notes_in="git")


@case("notes", "notes-after-branch")
def a_mail_sent_after_the_branch(shop: Workshop, *, bad: bool) -> Check:
    """An archive of two mails; the one that names the version counts."""
    date = "Mon, 09 Jan 2012 10:00:00 +0000" if bad else "Sun, 01 Jan 2012 10:00:00 +0000"
    other = MAIL.format(version="4.9.2", date="Thu, 01 Dec 2011 10:00:00 +0000")
    return noted(shop, other + MAIL.format(version="4.9.3", date=date), notes_in="mail")


@case("notes", "notes-other-version")
def a_mail_about_another_version(shop: Workshop, *, bad: bool) -> Check:
    """Nobody announced this version."""
    date = "Sun, 01 Jan 2012 10:00:00 +0000"
    return noted(shop, MAIL.format(version="4.9.2" if bad else "4.9.3", date=date), notes_in="mail")


@case("notes", "notes-missing")
def an_archive_that_is_a_web_page(shop: Workshop, *, bad: bool) -> Check:
    """A page is no mail."""
    mail = MAIL.format(version="4.9.3", date="Sun, 01 Jan 2012 10:00:00 +0000")
    return noted(shop, "<html>4.9.3 is not here</html>" if bad else mail, notes_in="mail")


def _write(repository: Repository, content: str) -> None:
    repository.commit(NEWS=content)
