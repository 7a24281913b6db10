"""Release notes are for this version, say something, and are older than the branch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ovirt_release.checks.git import DatedCommit
from pytest_ovirt_release.checks.notes import (
    BranchBegin,
    Notes,
    branch_begin,
    date_in,
    judge_order,
    judge_text,
    mentions,
    plain_text,
    read_notes,
)
from pytest_ovirt_release.errors import CheckFailed, Unproven
from tests.unit.checks.web import Web, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = "# vdsm 4.9.3 release notes\n\nDate: 2012-01-08\n\n" + "Many things were mended in this version. " * 5


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    (tmp_path / "site").mkdir()
    yield from running(tmp_path / "site")


def read(web: Web, tmp_path: Path, content: bytes, **headers: str) -> Notes:
    web.answers["/n"] = lambda h: h.send(content, 200, **headers)
    return read_notes(f"{web.url}/n", tmp_path / "n", deadline=20)


def at(day: int, hour: int = 0) -> BranchBegin:
    return BranchBegin(datetime(2012, 1, day, hour, tzinfo=UTC), "test")


def code_of(notes: Notes, began: BranchBegin | None) -> str:
    with pytest.raises(CheckFailed) as caught:
        judge_order(notes, began)
    return caught.value.code


def test_good_notes_hold(web: Web, tmp_path: Path) -> None:
    notes = read(web, tmp_path, TEXT.encode(), Last_Modified="Fri, 10 Feb 2023 00:00:00 GMT")
    judge_text(notes, "4.9.3")
    assert notes.dated == datetime(2012, 1, 8, 23, 59, 59, tzinfo=UTC)
    assert notes.date_source == "claimed by their date line"
    judge_order(notes, at(9))
    assert code_of(notes, at(8, 12)) == "notes-after-branch"


def test_without_a_date_line_the_server_is_asked(web: Web, tmp_path: Path) -> None:
    content = TEXT.replace("Date:", "When:").encode()
    notes = read(web, tmp_path, content, Last_Modified="Sun, 08 Jan 2012 10:00:00 GMT")
    assert notes.dated == datetime(2012, 1, 8, 10, tzinfo=UTC)
    assert "claimed" in notes.date_source
    judge_order(notes, at(8, 11))
    undated = read(web, tmp_path, content)
    assert code_of(undated, at(9)) == "notes-undated"


def test_missing_empty_and_foreign_notes(web: Web, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed) as caught:
        read_notes(f"{web.url}/none", tmp_path / "n", deadline=20)
    assert caught.value.code == "notes-missing"
    for content, code in (
        (b"vdsm 4.9.3", "notes-empty"),
        (b"<html><script>" + b"x" * 500 + b"</script><p>4.9.3</p></html>", "notes-empty"),
        (b" " * 500 + b"4.9.3", "notes-empty"),
        (TEXT.replace("4.9.3", "4.9.4").encode(), "notes-other-version"),
        (b"\xff\xfe" * 300, "notes-other-version"),
    ):
        with pytest.raises(CheckFailed) as caught:
            judge_text(read(web, tmp_path, content), "4.9.3")
        assert caught.value.code == code


def test_a_branch_that_nobody_dated_proves_nothing(web: Web, tmp_path: Path) -> None:
    notes = read(web, tmp_path, TEXT.encode())
    with pytest.raises(Unproven, match="nobody knows when the release branch began"):
        judge_order(notes, None)


def test_where_the_branch_date_comes_from() -> None:
    first = DatedCommit("1" * 40, datetime(2012, 1, 12, tzinfo=UTC))
    declared = datetime(2012, 1, 13, 12, tzinfo=UTC)
    began = branch_begin(first, "release-3.0", declared)
    assert began is not None
    assert (began.at.day, "first own commit of release-3.0" in began.source) == (12, True)
    began = branch_begin(None, "release-3.0", declared)
    assert began is not None
    assert (began.at, "declared" in began.source) == (declared, True)
    assert branch_begin(None, "release-3.0", None) is None


@pytest.mark.parametrize(
    "line",
    [
        "Date: 2012-01-08T10:00:00+00:00",
        "date: '2012-01-08 10:00:00Z'",
        "**Date:** 2012-01-08 11:00+01:00",
        "Date: Sun, 08 Jan 2012 10:00:00 +0000",
        "Date: Sun, 08 Jan 2012 12:00:00 +0200",
        "*Date*: 2012-01-08 10:00",
    ],
)
def test_dates_as_people_and_programs_write_them(line: str) -> None:
    assert date_in(f"---\ntitle: x\n{line}\n---\n") == datetime(2012, 1, 8, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "line", ["Date: soon", "Update: 2012-01-08", "date 2012-01-08", "Date:", "Date: 2012-13-40"]
)
def test_what_is_no_date_line(line: str) -> None:
    assert date_in(line) is None


@pytest.mark.parametrize(
    "text", ["3.0", "v3.0", "ovirt-3.0", "oVirt 3.0.", "(3.0)", "VERSION=3.0\n", "3.0-1.fc16", "'3.0'"]
)
def test_texts_that_name_the_version(text: str) -> None:
    assert mentions(text, "3.0")


@pytest.mark.parametrize(
    "text", ["13.0", "3.0.1", "3.01", "2.3.0", "3x0", "3.0-rc1", "3.0~beta", "3.0_1", ""]
)
def test_texts_that_name_another(text: str) -> None:
    assert not mentions(text, "3.0")


def test_a_page_is_read_without_its_markup() -> None:
    page = (
        "<!DOCTYPE html><head><title>t</title></head><body><h1>Notes &amp; news</h1><p>Date: 2012-01-08</p>"
    )
    assert plain_text(page).split() == ["Notes", "&", "news", "Date:", "2012-01-08"]
    assert date_in(plain_text(page)) is not None


@given(st.text(max_size=300))
def test_hostile_texts_raise_nothing(text: str) -> None:
    date_in(f"Date: {text}")
    mentions(plain_text(f"<html>{text}"), "3.0")
