"""Source: tags and branches, signed tarballs, release notes that are older than the branch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks import notes as release_notes
from pytest_ovirt_release.checks import source_tag
from pytest_ovirt_release.checks.git import fetch_tree, fetch_treeless
from pytest_ovirt_release.checks.notes_sources import notes_of
from pytest_ovirt_release.checks.openpgp import SignerUnassigned
from pytest_ovirt_release.checks.tarball import accepted_once
from pytest_ovirt_release.checks.trees import compare_with_tree
from pytest_ovirt_release.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.checks.git import History
    from pytest_ovirt_release.checks.openpgp import SignatureVerdict, SignerPolicy
    from pytest_ovirt_release.checks.source_tag import TagFacts
    from pytest_ovirt_release.fixtures import EvidenceWriter
    from pytest_ovirt_release.release.resolved import ComponentUnderTest
    from pytest_ovirt_release.target.model import Target


@pytest.mark.must("source-tag")
def test_source_is_tagged_and_branched(
    component: ComponentUnderTest,
    release_signers: SignerPolicy,
    release_target: Target,
    tmp_path: Path,
    met: Callable[[str, str], None],
    evidence: EvidenceWriter,
) -> None:
    """The tag leads to the candidate's commit, the release branch contains it, and the version file agrees."""
    history = fetch_treeless(
        component.repository,
        component.tag,
        component.branch,
        tmp_path / "git",
        release_target.deadlines.request,
    )
    tag = _tag_names_the_candidate(component, history, evidence)
    verdict = _tag_signature(component, tag, release_signers, release_target, evidence)
    for uid in verdict.uids if verdict else ():
        met("openpgp", uid)
    if component.page.signed_tag or (verdict is not None and verdict.code in source_tag.FORGED):
        source_tag.must_be_signed(component, tag, verdict)
    _branch_contains_the_tag(component, history, evidence)
    _version_file_agrees(component, history, evidence)


@pytest.mark.must("source-tarball-signed")
def test_source_tarball_is_signed_by_a_release_signer(
    component: ComponentUnderTest,
    release_signers: SignerPolicy,
    release_target: Target,
    run_folder: Path,
    tmp_path: Path,
    met: Callable[[str, str], None],
    evidence: EvidenceWriter,
) -> None:
    """The source tarball is the candidate's, signed by a release signer, and holds exactly the tag's tree."""
    deadlines = release_target.deadlines
    tarball = accepted_once(component, release_signers, run_folder / "release-files", deadlines, met)
    evidence.value("tarball", {"url": tarball.url, "sha256": tarball.sha256, "size": tarball.size})
    evidence.value("signature", tarball.verdict.as_evidence())
    sums = {"url": tarball.checksum_file, "signed by": tarball.checksum_signer}
    evidence.value("checksums", sums if tarball.checksum_file else "the page names no checksum file")
    try:
        tree = fetch_tree(component.repository, component.commit, tmp_path / "git", deadlines.request)
    except Unreachable as error:
        evidence.value("compared with the tag", f"no: git could not be reached ({error})")
        return
    unpacked = tarball.unpack_again(tmp_path / "unpacked", deadlines.download)
    differences = compare_with_tree(unpacked, tree, component.generated)
    evidence.value(
        "compared with the tag", {"commit": component.commit, **differences.model_dump(mode="json")}
    )
    differences.must_be_none(tarball.url)


@pytest.mark.must("release-notes")
def test_release_notes_are_older_than_the_release_branch(
    component: ComponentUnderTest, release_target: Target, tmp_path: Path, evidence: EvidenceWriter
) -> None:
    """There are release notes for this version, and they were written before the release branch began."""
    deadline = release_target.deadlines.request
    history = fetch_treeless(component.repository, None, component.branch, tmp_path / "git", deadline)
    notes = notes_of(component, history, tmp_path / "notes", deadline=deadline)
    evidence.value(
        "notes",
        {"url": notes.url, "sha256": notes.sha256, "date": notes.dated, "date source": notes.date_source},
    )
    release_notes.judge_text(notes, component.version)
    if notes.dated is not None:
        evidence.fact(f"notes-date:{component.name}", notes.dated.isoformat(), notes.date_source)
    declared = component.page.branch_created
    began = release_notes.branch_begin(history.branch_began(), component.branch, declared)
    if began is not None:
        evidence.value("branch began", {"date": began.at, "source": began.source})
        evidence.fact(f"branch-date:{component.name}", began.at.isoformat(), began.source)
    release_notes.judge_order(notes, began)


def _tag_names_the_candidate(
    component: ComponentUnderTest, history: History, evidence: EvidenceWriter
) -> TagFacts:
    tag = source_tag.tag_facts(component, history)
    told = {
        "ref": tag.ref,
        "kind": tag.kind,
        "object": tag.object,
        "commit": tag.commit,
        tag.date_source: tag.at,
    }
    evidence.value("tag", told)
    evidence.fact(f"tag-date:{component.name}", tag.at.isoformat(), f"{tag.date_source} of {tag.ref}")
    source_tag.must_name_the_candidate(component, tag)
    return tag


def _tag_signature(
    component: ComponentUnderTest,
    tag: TagFacts,
    signers: SignerPolicy,
    target: Target,
    evidence: EvidenceWriter,
) -> SignatureVerdict | None:
    """Judge the tag's signature, if it has one; where the page does not ask for it, nobody has to hold the role."""
    try:
        verdict = source_tag.tag_signature(
            tag, signers, now=datetime.now(UTC), deadline=target.deadlines.request
        )
    except SignerUnassigned as error:
        if component.page.signed_tag:
            raise
        evidence.value("tag signature", str(error))
        return None
    evidence.value("tag signature", verdict.as_evidence() if verdict else "none")
    return verdict


def _branch_contains_the_tag(
    component: ComponentUnderTest, history: History, evidence: EvidenceWriter
) -> None:
    if history.branch is not None:
        evidence.value("branch", {"ref": history.branch_ref, "commit": history.branch})
    source_tag.branch_must_contain(component, history)


def _version_file_agrees(component: ComponentUnderTest, history: History, evidence: EvidenceWriter) -> None:
    text = source_tag.version_file(component, history)
    if text is None:
        evidence.value("version file", "the page names none")
        return
    evidence.file((component.version_file or "").replace("/", "-"), text.encode())
    source_tag.must_say_the_version(component, text)
