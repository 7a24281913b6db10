"""Package repositories: signed metadata, fresh, and a chain of checksums down to each package file; ISO images."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.packages import deb, iso, rpm
from pytest_ovirt_release.checks.packages.common import Repository
from pytest_ovirt_release.checks.signers import SignerPolicy

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.checks.packages.common import Chain, Wanted
    from pytest_ovirt_release.release.resolved import DistributionUnderTest

__all__ = ["check_distribution", "offered"]

CHECKS = {"deb": deb.check, "rpm": rpm.check, "iso": iso.check}
OFFERS = {"deb": deb.offered, "rpm": rpm.offered}


def check_distribution(  # noqa: PLR0913 - two policies, place and time
    distribution: DistributionUnderTest,
    policy: SignerPolicy,
    folder: Path,
    *,
    now: datetime,
    deadline: float,
    package_policy: SignerPolicy | None = None,
) -> Chain:
    """Follow a repository from its signature to every package of the candidate; return the whole chain.

    `folder` is scratch space; each download may take `deadline` seconds. With `package_policy` each package file
    must carry a signature of its own besides.

    Raises:
        CheckFailed: any link of the chain is missing, unsigned, stale, or does not fit the next.
        SignerUnassigned: nobody may sign repositories.
        Unproven: the candidate names no version of a package that the page asks for.
        Unreachable: the site did not answer.
    """
    repository = Repository(distribution, policy, folder, now, deadline, package_policy)
    repository.must_have_versions()
    return CHECKS[distribution.kind](repository)


def offered(distribution: DistributionUnderTest, folder: Path, deadline: float) -> set[Wanted]:
    """Return the builds that a deb or rpm repository lists now of the packages that the page names.

    Its checksums are followed, but nobody's signature is asked for: this is what a candidate is written from, and
    the run judges it. `folder` is scratch space; each download may take `deadline` seconds.

    Raises:
        CheckFailed: there is no repository, or its indexes do not fit each other.
        Unreachable: the site did not answer.
    """
    nobody = SignerPolicy("nobody", (), ())
    repository = Repository(distribution, nobody, folder, datetime.now(UTC), deadline)
    return OFFERS[distribution.kind](repository)
