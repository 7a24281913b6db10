"""A release page that no longer says what its wiki page says is found out, line by line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.release.page_check import check_page

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
RELEASES = ROOT / "acceptance" / "releases"
REAL = ROOT.parent / "shared" / "pages" / "ovirt-3.0-release-management.md"
CHANGED = "source.sha256: the wiki page changed; "


@pytest.fixture
def findings(page_data: dict[str, Any], save: Callable[..., Path], wiki: bytes) -> Callable[..., list[str]]:
    """Check the tiny page against the wiki page with some texts replaced; the whole page's digest is left out."""

    def check(*replaced: tuple[str, str]) -> list[str]:
        text = wiki.decode()
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        done = check_page(load_page(save(page_data)), text.encode())
        assert any(f.startswith(CHANGED) for f in done.findings) == bool(replaced)
        return [f for f in done.findings if not f.startswith(CHANGED)]

    return check


def test_a_page_that_fits_has_no_findings(findings: Callable[..., list[str]]) -> None:
    assert findings() == []


def test_moved_lines_are_found_by_their_text(findings: Callable[..., list[str]]) -> None:
    assert findings(("### Timeline\n", "### Timeline\n\nSoon.\n")) == [
        "notes: its text moved from line 5 to line 7",
        "tag: its text moved from line 9 to line 11",
        "binary: its text moved from line 10 to line 12",
        "guest: its text moved from line 11 to line 13",
        "guest.detail: its text moved from line 12 to line 14",
    ]


def test_a_changed_line_says_what_it_reads_now(findings: Callable[..., list[str]]) -> None:
    assert findings(("A tag", "A signed tag"), ("NFS", "NFS and iSCSI")) == [
        "tag: line 9 changed; it now reads: *   **MUST**: A signed tag",
        "guest.detail: line 12 changed; it now reads: -   A guest on NFS and iSCSI",
    ]


def test_a_new_demand_without_requirement_is_found(findings: Callable[..., list[str]]) -> None:
    assert findings(("*   Somebody should", "*   Somebody SHOULD")) == [
        "line 13: SHOULD without a requirement: *   Somebody SHOULD look at the colours"
    ]


def test_a_demand_of_another_level_is_found(findings: Callable[..., list[str]]) -> None:
    assert findings(("**SHOULD**: A binary", "**MUST**: A binary")) == [
        "binary: line 10 changed; it now reads: *   **MUST**: A binary",
        "binary: level is 'should', but line 10 says MUST",
        "line 10: MUST without a requirement: *   **MUST**: A binary",
    ]


def test_a_requirement_without_a_line_is_found(
    findings: Callable[..., list[str]], page_data: dict[str, Any]
) -> None:
    page_data["requirements"][1] |= {"line": 99, "sha256": "0" * 64}
    page_data["requirements"][2] |= {"line": 2, "sha256": "0" * 64}
    assert findings() == [
        "tag: no line 99: the wiki page has only 14 lines, and the text stands nowhere else",
        "binary: no line 2: the wiki page is empty there, and the text stands nowhere else",
        "line 9: MUST without a requirement: *   **MUST**: A tag",
        "line 10: SHOULD without a requirement: *   **SHOULD**: A binary",
    ]


def test_a_line_that_demands_nothing_is_no_requirement(
    findings: Callable[..., list[str]], page_data: dict[str, Any]
) -> None:
    detail = page_data["requirements"][3]["detail"]
    page_data["requirements"][1] |= detail
    assert findings() == [
        "tag: line 12 demands nothing (no MUST, no SHOULD): -   A guest on NFS",
        "line 9: MUST without a requirement: *   **MUST**: A tag",
    ]


@pytest.mark.skipif(
    not REAL.is_file(), reason=f"the wiki page is no part of the project: {REAL} is not there"
)
@pytest.mark.parametrize("name", ["ovirt-3.0", "ovirt-4.5"])
def test_the_release_pages_say_what_the_wiki_page_says(name: str) -> None:
    done = check_page(load_page(RELEASES / f"{name}.toml"), REAL.read_bytes())
    assert done.findings == ()
    assert (done.demands, done.requirements) == (10, 13)
