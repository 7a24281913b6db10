"""Debian repositories: InRelease (or Release + Release.gpg), then SHA256 to Packages, then to each .deb.

Only what gpg says was signed is parsed: text before a signed message is somebody else's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO, TYPE_CHECKING

from debian.deb822 import Deb822

from pytest_ovirt_release.checks.openpgp import LARGEST_SIGNATURE, SignatureVerdict, judge, verify_clearsigned
from pytest_ovirt_release.checks.packages.common import (
    Chain,
    Listed,
    PackageSeen,
    Repository,
    Wanted,
    digest_of,
)
from pytest_ovirt_release.checks.packages.deb_file import read_deb
from pytest_ovirt_release.errors import CheckFailed, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_ovirt_release.checks.download import Downloaded

LARGEST_STANZA = 8 * 1024 * 1024
"""Bytes of one entry; the release file of a whole distribution is one of them."""
_PACKED = (".xz", ".gz", ".zst", ".bz2", "")


def check(repository: Repository) -> Chain:
    """Follow the chain from the release file to every package; CheckFailed names the broken link."""
    suite = _suite(repository)
    release, verdict = _signed_release(repository, f"dists/{suite}")
    dated = repository.must_be_fresh(date_of(release, "Date"), date_of(release, "Valid-Until"))
    _must_be_ours(repository, release, suite)
    metadata, found = _found(repository, release, suite)
    seen = tuple(_package(repository, wanted, found) for wanted in repository.wanted)
    return Chain(
        verdict=verdict,
        dated=dated,
        valid_until=date_of(release, "Valid-Until"),
        metadata=tuple(metadata),
        packages=seen,
    )


def offered(repository: Repository) -> set[Wanted]:
    """Return the builds that the indexes list, whoever signed them."""
    suite = _suite(repository)
    got = repository.get(f"dists/{suite}/Release", "repository-missing")
    return set(_found(repository, next(stanzas(got.path), Deb822()), suite)[1])


def _suite(repository: Repository) -> str:
    if repository.under_test.suite is None:
        raise ReleaseError(
            f"distribution {repository.under_test.name}: a deb repository needs a suite on the page"
        )
    return repository.under_test.suite


def _found(
    repository: Repository, release: Deb822, suite: str
) -> tuple[list[Listed], dict[Wanted, list[Listed]]]:
    """Return the indexes, and what they list of the packages that the page and the candidate name."""
    metadata, found, names = [], dict[Wanted, list[Listed]](), repository.names
    sums = sums_of(release)
    architecture = repository.under_test.architecture
    for kind in (architecture, "all") if _index("all", repository) in sums else (architecture,):
        listed, path = _packages(repository, sums, f"dists/{suite}", _index(kind, repository))
        metadata.append(listed)
        for wanted, entry in entries(path):
            if wanted.name in names:
                found.setdefault(wanted, []).append(entry)
    return metadata, found


def _signed_release(repository: Repository, dist: str) -> tuple[Deb822, SignatureVerdict]:
    """Return the release file's fields as gpg says they were signed."""
    signed = repository.folder / "Release.signed"
    try:
        inline = repository.get(f"{dist}/InRelease", "inrelease-missing")
    except CheckFailed as error:
        if error.code != "inrelease-missing":
            raise
        plain = repository.get(f"{dist}/Release", "repository-missing")
        detached = repository.get(f"{dist}/Release.gpg", "signature-missing", LARGEST_SIGNATURE)
        verdict = judge(
            detached.path, plain.path, repository.policy, now=repository.now, deadline=repository.deadline
        )
        verdict.must_be_accepted(plain.url)
        signed = plain.path
    else:
        verdict = verify_clearsigned(
            inline.path, signed, repository.policy, now=repository.now, deadline=repository.deadline
        )
        verdict.must_be_accepted(inline.url)
    return next(stanzas(signed), Deb822()), verdict


def _must_be_ours(repository: Repository, release: Deb822, suite: str) -> None:
    """A signed release file of another suite must not be served in this one's place."""
    under_test = repository.under_test
    if suite not in (release.get("Suite"), release.get("Codename")):
        raise CheckFailed(
            "wrong-suite",
            f"{repository.base} is signed as suite {release.get('Suite')!r}, the page says {suite!r}",
        )
    if under_test.architecture not in release.get("Architectures", "").split():
        raise CheckFailed(
            "wrong-architecture", f"{repository.base} has no architecture {under_test.architecture}"
        )
    if under_test.section not in release.get("Components", "").split():
        raise CheckFailed("wrong-section", f"{repository.base} has no section {under_test.section}")


def sums_of(release: Deb822) -> dict[str, Listed]:
    """Read the SHA256 field; other digests do not count."""
    listed = {}
    for line in release.get("SHA256", "").split("\n"):
        words = line.split()
        if len(words) == 3:  # noqa: PLR2004 - digest, size, path
            listed[words[2]] = Listed(place=words[2], digest=words[0].lower(), size=size_of(words[1]))
    if not listed:
        raise CheckFailed("weak-digest", "the release file lists no SHA256 sums")
    return listed


def _index(architecture: str, repository: Repository) -> str:
    return f"{repository.under_test.section}/binary-{architecture}/Packages"


def _packages(repository: Repository, sums: dict[str, Listed], dist: str, index: str) -> tuple[Listed, Path]:
    """Download and expand one index of packages."""
    listed = next((sums[index + ending] for ending in _PACKED if index + ending in sums), None)
    if listed is None:
        raise CheckFailed("index-missing", f"the release file of {repository.base} lists no {index}")
    placed = listed.model_copy(update={"place": f"{dist}/{listed.place}"})
    got = repository.get_listed(placed, "index")
    path = repository.opened(got)
    if index in sums and sums[index].digest != digest_of(path, "sha256"):
        raise CheckFailed("index-differs", f"{got.url} expands to other bytes than the release file says")
    return placed, path


def entries(path: Path) -> Iterator[tuple[Wanted, Listed]]:
    """Read an index of packages one entry at a time; CheckFailed(`metadata-broken`) when it is none."""
    for entry in stanzas(path):
        listed = Listed(
            place=entry.get("Filename", ""),
            digest=entry.get("SHA256", "").lower(),
            size=size_of(entry.get("Size", "")),
        )
        yield (
            Wanted(entry.get("Package", ""), entry.get("Version", ""), entry.get("Architecture", "")),
            listed,
        )


def stanzas(path: Path) -> Iterator[Deb822]:
    """Read a file of stanzas one at a time, never holding more than one of a sane size."""
    try:
        with path.open("rb") as file:
            for stanza in Deb822.iter_paragraphs(_lines(file), use_apt_pkg=False):
                for name in stanza:
                    stanza[name]  # decoded here, so that bytes that are no text are noticed here
                yield stanza
    except (ValueError, LookupError, TypeError) as error:
        raise CheckFailed("metadata-broken", f"{path.name} cannot be read: {error}") from error


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines; python-debian keeps a whole stanza in memory, however long a stranger made it."""
    size = 0
    while line := file.readline(LARGEST_STANZA + 1):
        size = size + len(line) if line.strip() else 0
        if size > LARGEST_STANZA:
            raise CheckFailed("metadata-broken", f"an entry is larger than {LARGEST_STANZA} bytes")
        yield line


def size_of(text: str) -> int:
    """Return a size in bytes; -1, which no file has, for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1  # noqa: PLR2004 - 64 bits


def _inspect(_: Repository, wanted: Wanted, got: Downloaded) -> str:
    read_deb(got.path).must_be(wanted.name, wanted.version, wanted.architecture, got.url)
    return "none: Debian signs its repositories, not its packages"


def _package(repository: Repository, wanted: Wanted, found: dict[Wanted, list[Listed]]) -> PackageSeen:
    if wanted not in found:
        others = sorted(str(w) for w in found if w.name == wanted.name)
        if others:
            raise CheckFailed(
                "package-other-version",
                f"{repository.under_test.name} lists {', '.join(others)}, the candidate says {wanted}",
            )
    return repository.get_package(wanted, found.get(wanted, []), _inspect)


def date_of(release: Deb822, field: str) -> datetime | None:
    """Return the moment in a field, None without it; CheckFailed(`metadata-undated`) when it is no date."""
    text = release.get(field)
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text.replace("UTC", "+0000")).astimezone(UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise CheckFailed("metadata-undated", f"{field}: {text[:80]!r} is no date") from error
