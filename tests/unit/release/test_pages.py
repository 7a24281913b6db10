"""The two release pages of the project hold what was agreed on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.release.page import Page
from pytest_ovirt_release.release.resolved import expected_tag

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
    roles = {"ovirt-3.0": [], "ovirt-4.5": ["package-signer"]}
    for name, more in roles.items():
        assert {s.role: s.fingerprints for s in page(name).signers} == dict.fromkeys(
            ["release-signer", "repository-signer", *more], ()
        )


def test_the_gap_and_the_open_question_of_3_0_are_kept() -> None:
    (gap,), (question,) = page("ovirt-3.0").gaps, page("ovirt-3.0").open_questions
    assert (gap.requirements, str(gap.eta)) == (("node-registers",), "2011-12-09")
    assert question.answered_by_role == "release-signer"


def test_every_address_of_today_s_page_is_encrypted() -> None:
    assert all(address.startswith("https://") for address in page("ovirt-4.5").places.values())


TAGS = {
    "ovirt-engine": ("4.5.7", "ovirt-engine-4.5.7"),
    "vdsm": ("4.50.7", "v4.50.7"),
    "ovirt-engine-sdk": ("4.6.3", "4.6.3"),
    "ovirt-host": ("4.5.0-3", "ovirt-host-4.5.0-3"),
    "ovirt-node-ng-image": ("4.5.5", "ovirt-node-ng-image-4.5.5"),
    "ovirt-release": ("4.5.5-1", "ovirt-release-host-node-4.5.5-1"),
    "ovirt-imageio": ("2.5.0", "v2.5.0"),
    "ovirt-hosted-engine-setup": ("2.7.1", "hosted-engine-setup-2.7.1"),
    "ovirt-dwh": ("4.5.8", "ovirt-engine-dwh-4.5.8"),
    "ovirt-ansible-collection": ("3.2.0-1", "3.2.0-1"),
    "vdsm-jsonrpc-java": ("1.7.3", "v1.7.3"),
    "imgbased": ("1.2.25", "imgbased-1.2.25"),
}


@pytest.mark.parametrize("name", TAGS)
def test_tags_of_today_have_their_real_forms(name: str) -> None:
    version, tag = TAGS[name]
    today = page("ovirt-4.5")
    component = next(c for c in today.components if c.name == name)
    assert expected_tag(today, component, version) == tag


def test_the_gaps_of_today_are_said_and_promise_nothing() -> None:
    today = page("ovirt-4.5")
    gaps = {g.id: (g.requirements, g.eta) for g in today.gaps}
    assert gaps["no-signed-tags"] == (("source-tag",), None)
    assert gaps["no-signed-source-tarballs"][1] is None
    assert gaps["released-from-master"] == (("release-notes",), None)
    assert {c.branch for c in today.components} == {"master"}
    waivable = {r.id: r.waivable for r in today.requirements}
    assert (waivable["source-tarball-signed"], waivable["source-tag"]) == (True, False)


def test_every_kind_of_distribution_has_its_entry_and_where_nothing_is_published_the_page_says_so() -> None:
    today = page("ovirt-4.5")
    asked = next(r for r in today.requirements if r.id == "distro-builds")
    expected = {d.name for d in today.distributions} - set(asked.not_applicable)
    assert expected == {"el9", "node-el9"}
    assert set(asked.not_applicable) == {"fedora", "debian-12", "opensuse-leap"}


def test_the_real_scripts_are_described() -> None:
    scripts = page("ovirt-4.5").scripts
    assert scripts.database is not None
    assert scripts.database.command[0].endswith("packaging/dbscripts/schema.sh")
    assert scripts.database.extensions == ("uuid-ossp",)
    assert scripts.live is not None
    assert scripts.live.psql == ("/usr/share/ovirt-engine/dbscripts/engine-psql.sh",)
