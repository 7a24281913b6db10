"""What Debian and RPM repositories share: safe addresses, capped downloads, digests, freshness, the chain."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from pytest_ovirt_release.checks.download import Downloaded, NotThere, download
from pytest_ovirt_release.checks.expand import Caps, expand
from pytest_ovirt_release.checks.openpgp import SignatureVerdict  # noqa: TC001 - pydantic needs it at run time
from pytest_ovirt_release.checks.openpgp_status import CLOCK_SKEW
from pytest_ovirt_release.errors import CheckFailed, Unproven
from pytest_ovirt_release.release.model import Strict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.checks.signers import SignerPolicy
    from pytest_ovirt_release.release.resolved import DistributionUnderTest

    Inspect = Callable[["Repository", "Wanted", Downloaded], str]

LARGEST_METADATA = 64 * 1024 * 1024
LARGEST_PACKAGE = 4 * 1024**3
CAPS = Caps(largest=256 * 1024 * 1024, ratio=60)
"""Package indexes shrink about ten times; that of all of Fedora expands to 170 MB."""

STRONG = {"sha256": 64, "sha384": 96, "sha512": 128}
"""Digests that count, by the names that repositories give them, with their length in hex digits."""


class Listed(Strict):
    """A file as the link before it names it: place below the repository, strong digest, size in bytes.

    `kind` names the digest; a weaker one is left out, so that the file counts as listed without any.
    """

    place: str
    digest: str
    size: int
    kind: str = "sha256"

    @property
    def is_strong(self) -> bool:
        """Whether the digest is one that counts, in lower-case hex."""
        return re.fullmatch(r"[0-9a-f]+", self.digest) is not None and len(self.digest) == STRONG.get(
            self.kind
        )


class PackageSeen(Strict):
    """A package of the candidate that was found, downloaded, fits its checksum and is what it is listed as.

    `own_signature` says what was learnt of the signature inside of the package file; `volume_id` is an image's.
    """

    name: str
    version: str
    architecture: str
    url: str
    sha256: str
    size: int
    own_signature: str = ""
    volume_id: str | None = None


class Chain(Strict):
    """The links from signature to packages: who signed what when, each metadata file, each package."""

    verdict: SignatureVerdict
    dated: datetime
    valid_until: datetime | None = None
    metadata: tuple[Listed, ...] = ()
    packages: tuple[PackageSeen, ...] = ()


def digest_of(path: Path, kind: str) -> str:
    """Return a file's digest of a kind that counts, reading it once in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


@dataclass(frozen=True)
class Wanted:
    """One package as a repository's index names it; `sha256` where the candidate says it, and never compared here."""

    name: str
    version: str
    architecture: str
    sha256: str | None = field(default=None, compare=False)

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
    package_policy: SignerPolicy | None = None
    """Who must have signed the package files themselves; None: the page does not ask."""

    @property
    def base(self) -> str:
        """The repository's address, with a slash at its end."""
        return self.under_test.url.rstrip("/") + "/"

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """The packages of the candidate."""
        return tuple(Wanted(p.name, p.version, p.architecture, p.sha256) for p in self.under_test.packages)

    @property
    def names(self) -> frozenset[str]:
        """The packages that the page or the candidate names."""
        return frozenset({*self.under_test.page.packages, *(p.name for p in self.under_test.packages)})

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
        """Download a file that the link before it names, and compare size and digest."""
        if not listed.is_strong:
            raise CheckFailed("weak-digest", f"{self.base}{listed.place} is listed without a SHA-2 digest")
        got = self.get(listed.place, f"{code}-missing", largest)
        found = got.sha256 if listed.kind == "sha256" else digest_of(got.path, listed.kind)
        if (found, got.size) != (listed.digest, listed.size):
            raise CheckFailed(
                f"{code}-differs",
                f"{got.url} has {listed.kind} {found} and {got.size} bytes, the repository's signed metadata says "
                f"{listed.digest} and {listed.size} bytes",
            )
        return got

    def opened(self, got: Downloaded) -> Path:
        """Expand a metadata file; return where it is."""
        out = got.path.with_name(got.path.name + ".opened")
        expand(got.path, out, CAPS, self.deadline)
        return out

    def get_package(self, wanted: Wanted, found: list[Listed], inspect: Inspect) -> PackageSeen:
        """Download a package as the index lists it; exactly one entry has to fit, and the file has to be it.

        `inspect` judges the file itself and returns what it learnt of the file's own signature.
        """
        if not found:
            raise CheckFailed("package-unlisted", f"{self.under_test.name} does not list {wanted}")
        if len({(f.place, f.digest) for f in found}) > 1:
            raise CheckFailed("package-ambiguous", f"{self.under_test.name} lists {wanted} more than once")
        got = self.get_listed(found[0], "package", LARGEST_PACKAGE)
        if wanted.sha256 is not None and got.sha256 != wanted.sha256:
            raise CheckFailed(
                "digest-differs", f"{got.url} has SHA-256 {got.sha256}, the candidate says {wanted.sha256}"
            )
        own_signature = inspect(self, wanted, got)
        got.path.unlink()
        return PackageSeen(
            name=wanted.name,
            version=wanted.version,
            architecture=wanted.architecture,
            url=got.url,
            sha256=got.sha256,
            size=got.size,
            own_signature=own_signature,
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
        days = self.under_test.page.fresh_days
        if days is not None and dated < self.now - timedelta(days=days):
            raise CheckFailed(
                "metadata-stale",
                f"{where} is dated {dated:%Y-%m-%d}, the page wants it from the last {days} days",
            )
        return dated
