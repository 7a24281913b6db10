"""The page says what was not run, what changed since the candidate before, and how to verify it."""

from __future__ import annotations

import shlex
from html import unescape
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pytest_ovirt_release.cli_attest import verify
from pytest_ovirt_release.report import html, view
from pytest_ovirt_release.report.before import MOST_CHANGES, compared

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_ovirt_release.report.before import Before
    from pytest_ovirt_release.verdict.model import Verdict


def section(verdict: Verdict, name: str, before: Before | None = None) -> str:
    page = html.render(verdict, before)
    return unescape(page.split(f'<h2 id="{name}">')[1].split("</section>")[0])


def test_what_was_not_run_is_listed_with_its_reason(no_go: Verdict) -> None:
    told = section(no_go, "not-run")
    assert {n.state for n in view.not_run(no_go)} == {"missing", "skipped", "blocked"}
    for said in ("no test ran for it in this run", "names no SSH access", "blocked on vm-on-nfs"):
        assert said in told
    assert "its disk is unchanged" not in told, "that one ran and failed"


def test_where_everything_ran_the_page_says_so(go: Verdict) -> None:
    assert "Every part of every requirement was run." in section(go, "not-run")


def test_cells_that_share_a_reason_are_one_row(no_go: Verdict) -> None:
    r = next(r for r in no_go.requirements if r.id == "source-tag")
    cells = tuple(
        c.model_copy(update={"state": "missing", "cell_class": "unproven", "detail": "none"}) for c in r.cells
    )
    other = no_go.model_copy(update={"requirements": (r.model_copy(update={"cells": cells}),)})
    (row,) = view.not_run(other)
    assert row.cells.count == len(cells)


def test_negative_controls_are_counted_and_what_has_none_is_named(no_go: Verdict) -> None:
    told = section(no_go, "requirements")
    controlled = sum(r.controlled for r in no_go.requirements)
    assert f"{controlled} of {len(no_go.requirements)} requirements rest on checks" in told
    assert 'Not: <a href="#r-easy-installation">' in told


def test_the_difference_names_the_candidate_before_and_every_change(
    example: ModuleType, conditional: Verdict
) -> None:
    old = example.previous()
    before = compared(old, conditional)
    told = section(conditional, "before", before)
    assert "oVirt 3.0 rc0, which was NO-GO (REHEARSAL) on 2026-11-20" in told
    assert old.candidate.sha256 in told
    found = before.difference
    changes = (*found.regressed, *found.newly_unproven, *found.newly_waived, *found.fixed, *found.dropped)
    assert told.count('scope="row"') == len(changes) > 0
    assert "✓ fixed" in told
    assert "! newly waived" in told


def test_without_an_earlier_verdict_there_is_no_difference(conditional: Verdict) -> None:
    assert 'id="before"' not in html.render(conditional)


def test_no_change_and_the_same_candidate_are_said(go: Verdict) -> None:
    told = section(go, "before", compared(go, go))
    assert "No cell changed." in told
    assert "(the same candidate)" in told


def test_other_pages_and_rehearsals_are_said(go: Verdict) -> None:
    assert go.page is not None
    page = go.page.model_copy(update={"sha256": "0" * 64})
    told = section(go, "before", compared(go.model_copy(update={"rehearsal": False, "page": page}), go))
    assert "The release page changed in between." in told
    assert "One of the two is a REHEARSAL" in told


def test_thousands_of_changes_are_cut_and_counted(huge: Verdict) -> None:
    old = huge.model_copy(update={"requirements": ()})
    before = compared(old, huge)
    assert max(len(kind.changes) for kind in before.kinds) > MOST_CHANGES
    told = section(huge, "before", before)
    cut = sum(len(kind.changes) - MOST_CHANGES for kind in before.kinds if len(kind.changes) > MOST_CHANGES)
    assert cut > 0
    assert "ovirt-release diff</code> lists them" in told


def test_a_hostile_verdict_before_does_nothing(hostile: Verdict, no_go: Verdict) -> None:
    for old, new in ((hostile, no_go), (no_go, hostile)):
        page = html.render(new, compared(old, new))
        assert "<script" not in page
        assert "\u202e" not in page


def test_the_command_to_verify_is_one_that_exists(go: Verdict) -> None:
    told = section(go, "verify")
    command = shlex.split(told.split("<pre><code>")[1].split("</code>")[0].removesuffix(" [FILE]…"))
    assert command[:2] == ["ovirt-release", "verify"]
    shown = CliRunner().invoke(verify, ["--help"])
    assert shown.exit_code == 0
    for option in (word for word in command if word.startswith("--")):
        assert option in shown.output
    assert f"own exit code, here {go.exit_code}" in told


def test_who_may_attest_is_named_by_fingerprint(go: Verdict) -> None:
    told = section(go, "verify")
    for signer in go.signers:
        for fingerprint in signer.fingerprints:
            assert told.count(fingerprint) == 1


@pytest.mark.parametrize("rehearsal", [True, False])
def test_the_watermark_is_there_for_a_rehearsal_only(go: Verdict, *, rehearsal: bool) -> None:
    page = html.render(go.model_copy(update={"rehearsal": rehearsal}))
    assert ('<body data-watermark="REHEARSAL">' in page) is rehearsal
