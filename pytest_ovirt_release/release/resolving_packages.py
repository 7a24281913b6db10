"""The packages and images of a candidate: which build of each the distributions offer now."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unproven
from pytest_ovirt_release.release.candidate import CandidatePackage
from pytest_ovirt_release.release.resolved import resolve_distribution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_ovirt_release.release.candidate import Candidate
    from pytest_ovirt_release.release.page import Distribution, Page
    from pytest_ovirt_release.release.resolved import DistributionUnderTest
    from pytest_ovirt_release.release.resolving import World

DEADLINE = 900.0
"""Seconds for one file of a repository, or an image."""

LARGEST_IMAGE = 16 * 1024**3
SHOWN = 5
"""Versions that a note names."""


class Offer(Protocol):
    """One package in a repository's index, with its full version."""

    @property
    def name(self) -> str:
        """The package's name."""

    @property
    def version(self) -> str:
        """Version and release, with or without an rpm's epoch."""

    @property
    def architecture(self) -> str:
        """As the index writes it."""


def find_packages(
    page: Page, candidate: Candidate, versions: Mapping[str, str], world: World
) -> tuple[CandidatePackage, ...]:
    """Return what the distributions of a page offer of a candidate's versions, as their servers have it now.

    A package has the version that `versions` gives it, or its component's of the same name, or the release's. What
    cannot be found without doubt is left out with a note, since the page only says SHOULD. Distributions in which
    nothing is expected are not asked.
    """
    known = {c.name: c.version for c in candidate.components} | dict(versions)
    found: list[CandidatePackage] = []
    for distribution in page.distributions:
        if _is_exempt(page, distribution):
            continue
        world.say(f"{distribution.name}: packages")
        guessed = tuple(
            CandidatePackage(
                distribution=distribution.name,
                name=name,
                version=known.get(name, candidate.version),
                architecture=distribution.architecture,
            )
            for name in distribution.packages
        )
        guess = candidate.model_copy(update={"packages": guessed})
        under_test = resolve_distribution(page, guess, distribution.name)
        look = _image if distribution.kind == "iso" else _packages
        with tempfile.TemporaryDirectory(prefix="ovirt-candidate-") as scratch:
            try:
                found += look(under_test, world, Path(scratch))
            except (ReleaseError, CheckFailed, Unproven) as error:
                world.say(f"{distribution.name}: without packages: {error}")
    return tuple(found)


def unknown_packages(page: Page, versions: Mapping[str, str]) -> list[str]:
    """Return a sentence for each package that no distribution of the page has."""
    listed = sorted({name for d in page.distributions for name in d.packages})
    return [
        f"--package {name}: page {page.id} lists no such package; it lists: {', '.join(listed)}"
        for name in versions
        if name not in listed
    ]


def _is_exempt(page: Page, distribution: Distribution) -> bool:
    rules = [r.not_applicable for r in page.requirements if r.axis == "distribution"]
    return any(distribution.name in rule or "*" in rule for rule in rules)


def _packages(under_test: DistributionUnderTest, world: World, scratch: Path) -> Iterator[CandidatePackage]:
    offers = list(world.offers(under_test, scratch, DEADLINE))
    for guess in under_test.packages:
        name, version = guess.name, guess.version
        builds = {(o.version, o.architecture) for o in offers if o.name == name}
        fitting = sorted(b for b in builds if version in (b[0], upstream(b[0])))
        if len(fitting) == 1:
            full, architecture = fitting[0]
            yield guess.model_copy(update={"version": full, "architecture": architecture})
            continue
        there = ", ".join(sorted(full for full, _ in fitting or builds)[-SHOWN:]) or "none"
        what = "more than one" if fitting else "no"
        world.say(
            f"{under_test.name}: without {name}: {what} {version}; there is {there}; --package {name}=VERSION"
        )


def _image(under_test: DistributionUnderTest, world: World, scratch: Path) -> Iterator[CandidatePackage]:
    (image,) = under_test.packages
    file = world.fetch(under_test.url, scratch / "image", deadline=DEADLINE, largest=LARGEST_IMAGE)
    yield image.model_copy(update={"sha256": file.sha256})


def upstream(version: str) -> str:
    """Return a full version without epoch and the distribution's release: `4.5.7` of `0:4.5.7-1.el9`."""
    return version.rpartition(":")[2].rpartition("-")[0] or version.rpartition(":")[2]
