"""RPM repositories: repomd.xml with its detached signature, then checksums to primary.xml, then to each .rpm."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from defusedxml import ElementTree as SafeTree
from defusedxml.common import DefusedXmlException

from pytest_ovirt_release.checks.openpgp import LARGEST_SIGNATURE, judge
from pytest_ovirt_release.checks.packages.common import (
    Chain,
    Listed,
    PackageSeen,
    Repository,
    Wanted,
    digest_of,
)
from pytest_ovirt_release.checks.packages.rpm_file import read_rpm
from pytest_ovirt_release.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_ovirt_release.checks.download import Downloaded

_REPO = "{http://linux.duke.edu/metadata/repo}"
_COMMON = "{http://linux.duke.edu/metadata/common}"
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_LATEST = 2**40
DEEPEST, LARGEST_ENTRY = 50, 500_000
"""How deeply primary.xml may nest (the real ones have five levels), and the most elements of one package in it."""


def check(repository: Repository) -> Chain:
    """Follow the chain from repomd.xml to every package; CheckFailed names the broken link."""
    repomd = repository.get("repodata/repomd.xml", "repository-missing")
    signature = repository.get("repodata/repomd.xml.asc", "signature-missing", LARGEST_SIGNATURE)
    verdict = judge(
        signature.path, repomd.path, repository.policy, now=repository.now, deadline=repository.deadline
    )
    verdict.must_be_accepted(repomd.url)
    dated, listed, opened = read_repomd(repomd.path)
    dated = repository.must_be_fresh(dated)
    found = _found(repository, listed, opened)
    seen = tuple(_package(repository, wanted, found) for wanted in repository.wanted)
    return Chain(verdict=verdict, dated=dated, metadata=(listed,), packages=seen)


def offered(repository: Repository) -> set[Wanted]:
    """Return the builds that primary.xml lists, whoever signed it; versions without their epoch."""
    repomd = repository.get("repodata/repomd.xml", "repository-missing")
    _, listed, opened = read_repomd(repomd.path)
    return {wanted for wanted in _found(repository, listed, opened) if ":" not in wanted.version}


def _found(repository: Repository, listed: Listed, opened: Listed) -> dict[Wanted, list[Listed]]:
    """Return what primary.xml lists of the packages that the page and the candidate name."""
    got = repository.get_listed(listed, "index")
    path = repository.opened(got)
    if digest_of(path, opened.kind) != opened.digest:
        raise CheckFailed("index-differs", f"{got.url} expands to other bytes than repomd.xml says")
    found, names = dict[Wanted, list[Listed]](), repository.names
    for wanted, entry in entries(path):
        if wanted.name in names:
            found.setdefault(wanted, []).append(entry)
    return found


def read_repomd(path: Path) -> tuple[datetime | None, Listed, Listed]:
    """Return a repomd.xml's date, where primary.xml is, and the digest of its expanded bytes; else CheckFailed."""
    root = _root(path)
    listed, opened = _primary(root)
    return _newest(root), listed, opened


def _root(path: Path) -> ET.Element:
    try:
        root = SafeTree.parse(path).getroot()
    except (ET.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise CheckFailed("metadata-broken", f"repomd.xml cannot be read: {error}") from error
    if root is None or root.tag != f"{_REPO}repomd":
        raise CheckFailed("metadata-broken", "repomd.xml is no repomd document")
    return root


def _newest(root: ET.Element) -> datetime | None:
    """The newest of the revision and the files' timestamps; RPM has no end of validity."""
    texts = [root.findtext(f"{_REPO}revision"), *(t.text for t in root.iter(f"{_REPO}timestamp"))]
    seconds = [int(float(t)) for t in texts if t and t.strip().replace(".", "", 1).isdigit() and len(t) < 20]  # noqa: PLR2004 - 64 bits
    plausible = [s for s in seconds if 0 < s < _LATEST]
    return datetime.fromtimestamp(max(plausible), UTC) if plausible else None


def _primary(root: ET.Element) -> tuple[Listed, Listed]:
    """Return where primary.xml is, and the digest of its expanded bytes."""
    data = [d for d in root.iter(f"{_REPO}data") if d.get("type") == "primary"]
    if len(data) != 1:
        raise CheckFailed("index-missing", f"repomd.xml lists {len(data)} primary files, not one")
    opened = data[0].find(f"{_REPO}open-checksum")
    listed = _listed(data[0], _REPO, data[0].findtext(f"{_REPO}size", ""))
    if opened is None:  # an uncompressed file has none
        return listed, listed
    expanded = Listed(
        place=listed.place, digest=(opened.text or "").strip().lower(), size=-1, kind=opened.get("type", "")
    )
    if not expanded.is_strong:
        raise CheckFailed("weak-digest", "repomd.xml gives no SHA-2 digest of the expanded primary file")
    return listed, expanded


def entries(path: Path) -> Iterator[tuple[Wanted, Listed]]:
    """Read primary.xml one package at a time; CheckFailed(`metadata-broken`) when it is none."""
    try:
        above: list[ET.Element] = []
        count = 0
        for event, element in SafeTree.iterparse(path, events=("start", "end")):
            if event == "start":
                above.append(element)
                count += 1
                if len(above) > DEEPEST or count > LARGEST_ENTRY:
                    raise CheckFailed("metadata-broken", f"{path.name} has an entry of too many elements")
                continue
            above.pop()
            if element.tag == f"{_COMMON}package" and len(above) == 1:
                yield from _entry(element)
            if len(above) <= 1:  # else each package, even an empty one, would stay in memory
                count = 0
                element.clear()
                for parent in above:
                    parent.clear()
    except (ET.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise CheckFailed("metadata-broken", f"primary.xml cannot be read: {error}") from error


def _entry(element: ET.Element) -> Iterator[tuple[Wanted, Listed]]:
    version = element.find(f"{_COMMON}version")
    size = element.find(f"{_COMMON}size")
    if version is None:
        return
    listed = _listed(element, _COMMON, size.get("package", "") if size is not None else "")
    name, arch = element.findtext(f"{_COMMON}name", ""), element.findtext(f"{_COMMON}arch", "")
    plain = f"{version.get('ver', '')}-{version.get('rel', '')}"
    yield Wanted(name, plain, arch), listed
    # A candidate may write the epoch or leave it out.
    yield Wanted(name, f"{version.get('epoch') or '0'}:{plain}", arch), listed


def _listed(element: ET.Element, space: str, size: str) -> Listed:
    """Read checksum, location and size; a checksum weaker than SHA-256 will not count."""
    checksum, location = element.find(f"{space}checksum"), element.find(f"{space}location")
    if location is not None and location.get(_XML_BASE):
        raise CheckFailed("unsafe-location", f"a location has the base {location.get(_XML_BASE)!r}")
    return Listed(
        place=location.get("href", "") if location is not None else "",
        digest=(checksum.text or "").strip().lower() if checksum is not None else "",
        size=int(size) if size.isascii() and size.isdigit() and len(size) < 20 else -1,  # noqa: PLR2004 - 64 bits
        kind=checksum.get("type", "") if checksum is not None else "",
    )


def _package(repository: Repository, wanted: Wanted, found: dict[Wanted, list[Listed]]) -> PackageSeen:
    if wanted not in found:
        others = sorted(str(w) for w in found if w.name == wanted.name and ":" not in w.version)
        if others:
            raise CheckFailed(
                "package-other-version",
                f"{repository.under_test.name} lists {', '.join(others)}, the candidate says {wanted}",
            )
    return repository.get_package(wanted, found.get(wanted, []), _inspect)


def _inspect(repository: Repository, wanted: Wanted, got: Downloaded) -> str:
    """Judge the file itself: what it calls itself, and where the page asks for it, its own signature."""
    file = read_rpm(got.path)
    file.facts.must_be(wanted.name, wanted.version, wanted.architecture, got.url)
    policy = repository.package_policy
    if policy is None:
        return f"the page does not ask for one; there is {'one, not judged' if file.signature else 'none'}"
    policy.must_be_assigned()
    if not file.signature:
        raise CheckFailed("package-unsigned", f"{got.url} carries no signature of its own over its header")
    header, signature = got.path.with_suffix(".header"), got.path.with_suffix(".signature")
    header.write_bytes(file.header)
    signature.write_bytes(file.signature)
    verdict = judge(signature, header, policy, now=repository.now, deadline=repository.deadline)
    verdict.must_be_accepted(f"{got.url}'s own signature")
    if not file.payload_fits:
        said = file.payload_sha256 or "none"
        raise CheckFailed(
            "package-payload-differs",
            f"{got.url}: its signed header says SHA-256 {said} of its payload, not this",
        )
    return f"by {verdict.signer}"
