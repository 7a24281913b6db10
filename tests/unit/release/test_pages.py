"""The two release pages of the project hold what was agreed on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.release.page import Page

RELEASES = Path(__file__).parents[3] / "acceptance" / "releases"
REQUIREMENTS = {
    "source-tag": ("must", "component", ()),
    "source-tarball-signed": ("must", "component", ()),
    "release-notes": ("must", "component", ()),
    "binary-tarball": ("should", "component", ()),
    "distro-builds": ("should", "distribution", ()),
    "ssl-setup": ("must", None, ("source-tarball-signed",)),
    "database-creation": ("must", None, ("source-tarball-signed",)),
    "easy-installation": ("should", None, ()),
    "vm-on-nfs": ("must", None, ("node-approved",)),
    "vm-on-local": ("must", None, ("node-approved",)),
    "node-registers": ("must", "node", ("ssl-setup",)),
    "node-approved": ("must", "node", ("node-registers",)),
    "node-runs-vm": ("must", "node", ("node-approved", "vm-on-nfs", "vm-on-local")),
}


def page(name: str) -> Page:
    return load_page(RELEASES / f"{name}.toml")


@pytest.mark.parametrize("name", ["ovirt-3.0", "ovirt-4.5"])
def test_both_pages_demand_the_same(name: str) -> None:
    assert {r.id: (r.level, r.axis, r.needs) for r in page(name).requirements} == REQUIREMENTS


def test_the_first_page_is_for_rehearsals_and_today_s_is_not() -> None:
    assert (page("ovirt-3.0").historical, page("ovirt-4.5").historical) == (True, False)


def test_the_whole_timeline_of_3_0_is_there() -> None:
    assert {m.id: (m.due_at().isoformat(), m.judged_by) for m in page("ovirt-3.0").timeline} == {
        "vdsm-final": ("2012-01-10T23:59:59+00:00", "tag-date"),
        "engine-final": ("2012-01-12T12:00:00+00:00", "tag-date"),
        "notes-before-branch": ("2012-01-12T23:59:59+00:00", "notes-before-branch"),
        "branch-creation": ("2012-01-12T23:59:59+00:00", "branch-date"),
        "first-test-day": ("2012-01-16T23:59:59+00:00", "declared"),
        "go-no-go": ("2012-02-07T15:00:00+00:00", "declared"),
        "release-date": ("2012-02-09T23:59:59+00:00", "declared"),
    }


def test_nobody_may_sign_until_somebody_is_named() -> None:
    for name in ("ovirt-3.0", "ovirt-4.5"):
        assert {s.role: s.fingerprints for s in page(name).signers} == {
            "release-signer": (),
            "repository-signer": (),
        }


def test_the_gap_and_the_open_question_of_3_0_are_kept() -> None:
    (gap,), (question,) = page("ovirt-3.0").gaps, page("ovirt-3.0").open_questions
    assert (gap.requirements, gap.eta.isoformat()) == (("node-registers",), "2011-12-09")
    assert question.answered_by_role == "release-signer"


def test_every_address_of_today_s_page_is_encrypted() -> None:
    assert all(address.startswith("https://") for address in page("ovirt-4.5").places.values())
