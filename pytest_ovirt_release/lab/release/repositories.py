"""Publishes the page's package repositories, signed by the repository signer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.release import deb, yum
from pytest_ovirt_release.lab.release.packages import Package, files_of
from pytest_ovirt_release.lab.release.plan import version_of
from pytest_ovirt_release.release.candidate import CandidatePackage
from pytest_ovirt_release.release.page import end_of
from pytest_ovirt_release.release.resolved import fill_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.lab.release.keys import Form
    from pytest_ovirt_release.lab.release.plan import Places
    from pytest_ovirt_release.release.page import Distribution, Page

    Sign = Callable[[Path, Path, Form], None]
    """Signs a file (first path) into another in one of gpg's forms."""

RPM_FAULTY, DEB_FAULTY = "fedora-16", "debian-7"
"""The distributions that show the faults of rpm and of deb repositories."""


def publish(
    page: Page, distribution: Distribution, places: Places, sign: Sign, faults: frozenset[str]
) -> tuple[CandidatePackage, ...]:
    """Write one distribution's repository; return its packages as the candidate names them."""
    packages = _packages(page, distribution)
    offered = (
        _downgraded(packages) if _shows("package-downgraded", distribution, RPM_FAULTY, faults) else packages
    )
    expired = _shows("repository-expired", distribution, DEB_FAULTY, faults)
    values = {**places.addresses, "name": distribution.name, "version": page.version, "release": page.version}
    root = places.path(fill_in(distribution.url, values, f"page {page.id}, distribution {distribution.name}"))
    signed = not _shows("repository-unsigned", distribution, DEB_FAULTY, faults)
    if distribution.kind == "deb":
        release = deb.write(
            root, distribution.suite or page.id, distribution.section, offered, expired=expired
        )
        if signed:
            sign(release, release.with_name("InRelease"), "clear")
            sign(release, release.with_name("Release.gpg"), "armored")
    else:
        repomd = yum.write(root, offered)
        if signed:
            sign(repomd, repomd.with_name("repomd.xml.asc"), "armored")
    if _shows("package-tampered", distribution, RPM_FAULTY, faults):
        _tamper(root, packages[0].name)
    return tuple(
        CandidatePackage(
            distribution=distribution.name, name=p.name, version=p.full_version, architecture=p.architecture
        )
        for p in packages
    )


def installed_versions(page: Page) -> dict[str, str]:
    """Return name → full version of the packages of the page's first rpm distribution: the engine machine's."""
    first = next((d for d in page.distributions if d.kind == "rpm"), None)
    return {} if first is None else {p.name: p.full_version for p in _packages(page, first)}


def _shows(fault: str, distribution: Distribution, faulty: str, faults: frozenset[str]) -> bool:
    return fault in faults and distribution.name == faulty


def _downgraded(packages: list[Package]) -> list[Package]:
    """Return the packages with the first one as an older build: the repository was never updated for it."""
    first, *others = packages
    return [replace(first, version="0.9"), *others]


def _packages(page: Page, distribution: Distribution) -> list[Package]:
    edition = distribution.name.rpartition("-")[2]
    release = f"1.fc{edition}" if distribution.name.startswith("fedora-") else "1"
    return [
        Package(
            name=name,
            version=version_of(page, name),
            release=release,
            architecture=distribution.architecture,
            summary=f"{name} of {page.product} {page.version}",
            built=end_of(page.release_date),
            files=files_of(name, version_of(page, name)),
        )
        for name in distribution.packages
    ]


def _tamper(root: Path, name: str) -> None:
    # The same size, so that only the checksum can tell.
    path = next(p for p in sorted(root.rglob(f"{name}*")) if p.suffix in {".rpm", ".deb"})
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF
    path.write_bytes(content)
