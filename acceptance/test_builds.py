"""Builds: binary tarballs, and package repositories of the distributions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.checks.packages import check_distribution
from pytest_ovirt_release.checks.tarball import accept_binary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.checks.openpgp import SignerPolicy
    from pytest_ovirt_release.fixtures import EvidenceWriter
    from pytest_ovirt_release.release.resolved import ComponentUnderTest, DistributionUnderTest
    from pytest_ovirt_release.target.model import Target


@pytest.mark.should("binary-tarball")
def test_binary_tarball_is_signed_by_a_release_signer(
    component: ComponentUnderTest,
    release_signers: SignerPolicy,
    release_target: Target,
    tmp_path: Path,
    met: Callable[[str, str], None],
    evidence: EvidenceWriter,
) -> None:
    """The binary tarball is the candidate's, signed by a release signer, and unpacks to one top folder."""
    tarball = accept_binary(
        component, release_signers, tmp_path / "files", release_target.deadlines, now=datetime.now(UTC)
    )
    for uid in tarball.verdict.uids:
        met("openpgp", uid)
    evidence.value("tarball", {"url": tarball.url, "sha256": tarball.sha256, "size": tarball.size})
    evidence.value("signature", tarball.verdict.as_evidence())


@pytest.mark.should("distro-builds")
def test_distribution_repository_leads_to_every_package(
    distribution: DistributionUnderTest,
    repository_signers: SignerPolicy,
    package_signers: SignerPolicy | None,
    release_target: Target,
    tmp_path: Path,
    met: Callable[[str, str], None],
    evidence: EvidenceWriter,
) -> None:
    """The repository's metadata is signed and fresh, and its checksums lead to each package of the candidate."""
    chain = check_distribution(
        distribution,
        repository_signers,
        tmp_path,
        now=datetime.now(UTC),
        deadline=release_target.deadlines.download,
        package_policy=package_signers,
    )
    for uid in chain.verdict.uids:
        met("openpgp", uid)
    evidence.value("signature", chain.verdict.as_evidence())
    evidence.value("metadata", {"date": chain.dated, "valid until": chain.valid_until})
    evidence.value("chain", [link.model_dump(mode="json") for link in (*chain.metadata, *chain.packages)])
