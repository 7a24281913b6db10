"""What Debian and RPM repositories share: safe addresses, capped downloads, digests, freshness, the chain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from pytest_ovirt_release.checks.download import Downloaded, NotThere, download
from pytest_ovirt_release.checks.expand import Caps, expand
from pytest_ovirt_release.checks.openpgp import SignatureVerdict  # noqa: TC001 - pydantic needs it at run time
from pytest_ovirt_release.checks.openpgp_status import CLOCK_SKEW
from pytest_ovirt_release.errors import CheckFailed, Unproven
from pytest_ovirt_release.release.model import Strict

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ovirt_release.checks.signers import SignerPolicy
    from pytest_ovirt_release.release.resolved import DistributionUnderTest

LARGEST_METADATA = 64 * 1024 * 1024
LARGEST_PACKAGE = 4 * 1024**3
CAPS = Caps(largest=512 * 1024 * 1024, ratio=60)
"""Package indexes shrink about ten times."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Listed(Strict):
    """A file as the link before it names it: place below the repository, SHA-256, size in bytes."""

    place: str
    sha256: str
    size: int


class PackageSeen(Strict):
    """A package of the candidate that was found, downloaded and fits its checksum."""

    name: str
    version: str
    architecture: str
    url: str
    sha256: str
    size: int


class Chain(Strict):
    """The links from signature to packages: who signed what when, each metadata file, each package."""

    verdict: SignatureVerdict
    dated: datetime
    valid_until: datetime | None = None
    metadata: tuple[Listed, ...] = ()
    packages: tuple[PackageSeen, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """One package of the candidate as a repository's index names it."""

    name: str
    version: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.architecture})"


@dataclass(frozen=True)
class Repository:
    """A repository under test and what is needed to judge it."""

    under_test: DistributionUnderTest
    policy: SignerPolicy
    folder: Path
    now: datetime
    deadline: float

    @property
    def base(self) -> str:
        """The repository's address, with a slash at its end."""
        return self.under_test.url.rstrip("/") + "/"

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """The packages of the candidate."""
        return tuple(Wanted(p.name, p.version, p.architecture) for p in self.under_test.packages)

    def must_have_versions(self) -> None:
        """Raise Unproven when the candidate says nothing about a package of the page."""
        named = {p.name for p in self.under_test.packages}
        missing = sorted(set(self.under_test.page.packages) - named)
        if missing or not named:
            which = ", ".join(missing) or "any package"
            raise Unproven(f"the candidate names no version of {which} for {self.under_test.name}")

    def url(self, place: str) -> str:
        """Return the address of a place below the repository; CheckFailed when it leads elsewhere."""
        parts = unquote(place).split("/")
        if (
            not place
            or "" in parts
            or ".." in parts
            or "." in parts
            or re.search(r"[\\?#\x00-\x20\x7f]|^[^/]*:", unquote(place))
        ):
            raise CheckFailed(
                "unsafe-location", f"{self.base} names {place[:200]!r}, which leads out of the repository"
            )
        return self.base + quote(unquote(place), safe="/+~:@=,!$&'()*;-._")

    def get(self, place: str, code: str, largest: int = LARGEST_METADATA) -> Downloaded:
        """Download one file of the repository; CheckFailed(`code`) when it is not there."""
        url = self.url(place)
        path = self.folder / re.sub(r"[^A-Za-z0-9._+~-]", "_", place)[-150:]
        try:
            return download(url, path, deadline=self.deadline, largest=largest)
        except NotThere as error:
            raise CheckFailed(code, str(error)) from error

    def get_listed(self, listed: Listed, code: str, largest: int = LARGEST_METADATA) -> Downloaded:
        """Download a file that the link before it names, and compare size and SHA-256."""
        if not _SHA256.fullmatch(listed.sha256):
            raise CheckFailed("weak-digest", f"{self.base}{listed.place} is listed without a SHA-256")
        got = self.get(listed.place, f"{code}-missing", largest)
        if (got.sha256, got.size) != (listed.sha256, listed.size):
            raise CheckFailed(
                f"{code}-differs",
                f"{got.url} has SHA-256 {got.sha256} and {got.size} bytes, the repository's signed metadata says "
                f"{listed.sha256} and {listed.size} bytes",
            )
        return got

    def opened(self, got: Downloaded) -> tuple[Path, str]:
        """Expand a metadata file; return where it is and its SHA-256."""
        out = got.path.with_name(got.path.name + ".opened")
        return out, expand(got.path, out, CAPS)

    def get_package(self, wanted: Wanted, found: list[Listed]) -> PackageSeen:
        """Download a package as the index lists it; exactly one entry has to fit."""
        if not found:
            raise CheckFailed("package-unlisted", f"{self.under_test.name} does not list {wanted}")
        if len({(f.place, f.sha256) for f in found}) > 1:
            raise CheckFailed("package-ambiguous", f"{self.under_test.name} lists {wanted} more than once")
        got = self.get_listed(found[0], "package", LARGEST_PACKAGE)
        got.path.unlink()
        return PackageSeen(
            name=wanted.name,
            version=wanted.version,
            architecture=wanted.architecture,
            url=got.url,
            sha256=got.sha256,
            size=got.size,
        )

    def must_be_fresh(self, dated: datetime | None, valid_until: datetime | None = None) -> datetime:
        """Return the metadata's date; CheckFailed when it is missing, in the future, or no longer valid."""
        where = f"the metadata of {self.under_test.name}"
        if dated is None:
            raise CheckFailed("metadata-undated", f"{where} carries no date, so an old copy cannot be told")
        if dated > self.now + CLOCK_SKEW:
            raise CheckFailed(
                "metadata-future-dated", f"{where} is dated {dated:%Y-%m-%d %H:%M} UTC, in the future"
            )
        if valid_until is not None and valid_until < self.now:
            raise CheckFailed("metadata-expired", f"{where} was valid until {valid_until:%Y-%m-%d %H:%M} UTC")
        return dated
