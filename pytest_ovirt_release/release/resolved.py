"""Page + candidate = what exactly is to be checked, with every pattern filled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError

if TYPE_CHECKING:
    from pytest_ovirt_release.release.candidate import (
        Candidate,
        CandidateComponent,
        CandidateFile,
        CandidatePackage,
    )
    from pytest_ovirt_release.release.page import Component, Distribution, Page


@dataclass(frozen=True)
class ComponentUnderTest:
    """One component of this candidate: names and addresses, all patterns filled in.

    `files` holds the candidate's digests by kind (`tarball`, `binary-tarball`); `version_file` is a path
    inside the repository that must name `version`; `generated` are glob patterns of files that stand only
    in the tarball. `mirrors` pairs the address of a place with others that hold the same files.
    """

    name: str
    version: str
    tag: str
    commit: str
    repository: str
    branch: str
    version_file: str | None
    tarball: str
    signature: str
    checksums: str | None
    top_folder: str
    generated: tuple[str, ...]
    binary_tarball: str | None
    binary_signature: str | None
    notes: str
    files: dict[str, CandidateFile]
    page: Component
    tag_object: str | None = None
    checksums_signature: str | None = None
    spec: str | None = None
    mirrors: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class DistributionUnderTest:
    """One package repository of this candidate and the packages that must be in it, or one image."""

    name: str
    kind: str
    url: str
    suite: str | None
    section: str
    architecture: str
    packages: tuple[CandidatePackage, ...]
    page: Distribution
    signature: str | None = None
    checksums: str | None = None
    checksums_signature: str | None = None
    volume_id: str | None = None


def resolve_component(page: Page, candidate: Candidate, name: str) -> ComponentUnderTest:
    """Fill in the patterns of one component; ReleaseError if page or candidate does not know it."""
    wanted = next((c for c in page.components if c.name == name), None)
    given = next((c for c in candidate.components if c.name == name), None)
    if wanted is None or given is None:
        where = f"page {page.id}" if wanted is None else f"candidate {candidate.version}"
        raise ReleaseError(f"component {name!r} is not in {where}")
    values = {
        **page.places,
        "name": name,
        "version": given.version,
        "tag": given.tag,
        "release": candidate.version,
    }

    def fill(pattern: str) -> str:
        return fill_in(pattern, values, f"page {page.id}, component {name}")

    return ComponentUnderTest(
        name=name,
        version=given.version,
        tag=given.tag,
        commit=given.commit,
        repository=fill(wanted.repository),
        branch=fill(wanted.branch),
        version_file=fill(wanted.version_file) if wanted.version_file else None,
        tarball=fill(wanted.tarball),
        signature=fill(wanted.signature),
        checksums=fill(wanted.checksums) if wanted.checksums else None,
        top_folder=fill(wanted.top_folder),
        generated=tuple(fill(g) for g in wanted.generated),
        binary_tarball=fill(wanted.binary_tarball) if wanted.binary_tarball else None,
        binary_signature=fill(wanted.binary_signature) if wanted.binary_signature else None,
        notes=fill(wanted.notes),
        files=_by_kind(given),
        page=wanted,
        tag_object=given.tag_object,
        checksums_signature=fill(wanted.checksums_signature) if wanted.checksums_signature else None,
        spec=fill(wanted.spec) if wanted.spec else None,
        mirrors=tuple((page.places[place], others) for place, others in page.mirrors.items()),
    )


def resolve_distribution(page: Page, candidate: Candidate, name: str) -> DistributionUnderTest:
    """Fill in the patterns of one distribution; ReleaseError if the page does not know it."""
    wanted = next((d for d in page.distributions if d.name == name), None)
    if wanted is None:
        raise ReleaseError(f"distribution {name!r} is not on page {page.id}")
    packages = tuple(p for p in candidate.packages if p.distribution == name)
    values = {**page.places, "name": name, "version": candidate.version, "release": candidate.version}
    if wanted.kind == "iso":
        # An image not in the candidate is found out by the check; until then the page's own words will do.
        image = packages[0] if packages else None
        values["version"] = image.version if image else candidate.version
        values |= {"name": wanted.packages[0], "architecture": wanted.architecture}

    def fill(pattern: str) -> str:
        return fill_in(pattern, values, f"page {page.id}, distribution {name}")

    def maybe(pattern: str | None) -> str | None:
        return None if pattern is None else fill(pattern)

    return DistributionUnderTest(
        name=name,
        kind=wanted.kind,
        url=fill(wanted.url),
        suite=wanted.suite,
        section=wanted.section,
        architecture=wanted.architecture,
        packages=packages,
        page=wanted,
        signature=maybe(wanted.signature),
        checksums=maybe(wanted.checksums),
        checksums_signature=maybe(wanted.checksums_signature),
        volume_id=maybe(wanted.volume_id),
    )


def expected_tag(page: Page, component: Component, version: str) -> str:
    """Return the tag name that the page's pattern gives for a version."""
    return fill_in(component.tag, {**page.places, "name": component.name, "version": version}, component.name)


def fill_in(pattern: str, values: dict[str, str], where: str) -> str:
    """Fill {names} in a pattern; ReleaseError names an unknown one and those that exist."""
    try:
        return pattern.format_map(values)
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        known = ", ".join(sorted(values))
        raise ReleaseError(
            f"{where}: pattern {pattern!r}: {error!s} is not known; known are {known}"
        ) from error


def _by_kind(component: CandidateComponent) -> dict[str, CandidateFile]:
    return {f.kind: f for f in component.files}
