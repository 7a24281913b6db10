"""What tests attach to pytest-html's rows is capped and harmless, and evidence is linked where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_ovirt_release.report.pytest_html_extras import (
    EVIDENCE,
    LARGEST_MEDIA,
    LARGEST_TEXT,
    links,
    tame,
)


def extra(kind: str, content: object, name: str = "name") -> dict[str, Any]:
    return {"format_type": kind, "content": content, "name": name, "mime_type": "", "extension": ""}


@pytest.mark.parametrize("kind", ["text", "html", "json"])
def test_a_megabyte_of_text_keeps_head_and_tail(kind: str) -> None:
    (kept,) = tame([extra(kind, "HEAD" + "x" * 1_000_000 + "TAIL")])
    assert len(kept["content"]) < LARGEST_TEXT + 200
    assert "HEAD" in kept["content"]
    assert "TAIL" in kept["content"]


def test_html_that_was_cut_is_shown_as_text() -> None:
    (kept,) = tame([extra("html", "<b>" * LARGEST_TEXT)])
    assert "<b>" not in kept["content"]
    assert "&lt;b&gt;" in kept["content"]


def test_what_is_small_stays_as_it_is() -> None:
    given = [extra("text", "a"), extra("json", {"a": 1}), extra("html", "<b>b</b>"), extra("image", "abc")]
    assert tame(given) == given


def test_a_large_picture_is_left_out_and_says_so() -> None:
    (kept,) = tame([extra("image", "x" * (LARGEST_MEDIA + 1))])
    assert kept["format_type"] == "text"
    assert kept["content"] == f"left out: image of {LARGEST_MEDIA + 1} characters"


def test_names_and_addresses_do_nothing() -> None:
    (kept,) = tame([extra("url", "javascript:alert(1)", '"><img src=x>')])
    assert kept["content"] == "#"
    assert "<img" not in kept["name"]
    (kept,) = tame([extra("url", "https://example.test/a?b=1&c=2")])
    assert kept["content"] == "https://example.test/a?b=1&amp;c=2"
    assert tame([None, "text", {}]) == []


def test_evidence_is_linked_from_where_the_page_is(tmp_path: Path) -> None:
    told = [(EVIDENCE, "evidence/ab-proof.txt sha256:" + "a" * 64), ("other", "x"), None]
    found = links(told, tmp_path / "reports" / "run", str(tmp_path / "out" / "page.html"))
    assert 'href="../reports/run/evidence/ab-proof.txt"' in found
    assert "SHA-256 " + "a" * 64 in found


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "javascript:alert(1)", '"><script>', "a b"]
)
def test_no_other_path_becomes_a_link(tmp_path: Path, path: str) -> None:
    found = links([(EVIDENCE, f"{path} sha256:00")], tmp_path, str(tmp_path / "page.html"))
    assert "href" not in found
    assert "<script" not in found
    assert "href" not in links([(EVIDENCE, "evidence/a sha256:00")], None, None)
