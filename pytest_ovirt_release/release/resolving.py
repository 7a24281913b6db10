"""Make a candidate from a page and a version: tags become commits, files become digests, packages get their builds."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pytest_ovirt_release.errors import CheckFailed, ReleaseError, Unproven
from pytest_ovirt_release.release.candidate import Candidate, CandidateComponent, CandidateFile
from pytest_ovirt_release.release.mistakes import nearest
from pytest_ovirt_release.release.resolved import expected_tag, resolve_component
from pytest_ovirt_release.release.resolving_packages import find_packages, unknown_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Literal

    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.release.resolved import ComponentUnderTest, DistributionUnderTest
    from pytest_ovirt_release.release.resolving_packages import Offer

TAG_DEADLINE = 60.0
"""Seconds to ask one repository for one tag."""

AT_ONCE = 32
"""Most repositories that are asked at the same time."""

DOWNLOAD_DEADLINE = 900.0
"""Seconds to download one file."""

LARGEST_FILE = 2 * 1024**3
"""Largest release file in bytes that is downloaded for its digest."""

_UNRESOLVED = "0" * 40


class Tag(Protocol):
    """What is needed of a tag: the object it names, and the commit that it leads to in the end."""

    @property
    def object(self) -> str:
        """Object id in lower-case hex."""

    @property
    def commit(self) -> str:
        """Commit id in lower-case hex."""


class File(Protocol):
    """What is needed of a downloaded file: its digest and its size in bytes."""

    @property
    def sha256(self) -> str:
        """Digest in lower-case hex."""

    @property
    def size(self) -> int:
        """Size in bytes."""


class Fetch(Protocol):
    """How a file comes."""

    def __call__(self, url: str, path: Path, *, deadline: float, largest: int) -> File:
        """Download `url` to `path` within `deadline` seconds, at most `largest` bytes."""


@dataclass(frozen=True)
class World:
    """The outside: how a tag is looked up (None: there is no such tag), how a file comes, who is told.

    `offers` returns the builds in a repository's index, given scratch space and seconds for each download.
    """

    find_tag: Callable[[str, str, float], Tag | None]
    fetch: Fetch
    say: Callable[[str], None]
    offers: Callable[[DistributionUnderTest, Path, float], Iterable[Offer]]


@dataclass(frozen=True)
class Wanted:
    """Which candidate: version and rc of the release, and the components and packages whose version differs from it."""

    version: str
    rc: str | None
    versions: Mapping[str, str]
    created: datetime
    packages: Mapping[str, str] = field(default_factory=dict)


def resolve_candidate(page: Page, wanted: Wanted, world: World) -> Candidate:
    """Return the candidate of a page and version as the release's own servers have it now.

    A binary tarball or package that cannot be had is left out with a note, since the page only says SHOULD.

    Raises:
        ReleaseError: components or packages that the page has not, tags that are not there, files and repositories that
            cannot be had: all of them in one message.
    """
    known = [component.name for component in page.components]
    problems = [
        f"--component {name}: page {page.id} has no such component{nearest(name, known)}; it has: {', '.join(known)}"
        for name in wanted.versions
        if name not in known
    ]
    problems += unknown_packages(page, wanted.packages)
    resolved: list[CandidateComponent] = []
    with tempfile.TemporaryDirectory(prefix="ovirt-candidate-") as scratch:
        components = _components(page, wanted)
        tags = find_tags([(c.repository, c.tag) for c in components], world.find_tag, TAG_DEADLINE)
        for component, tag in zip(components, tags, strict=True):
            try:
                resolved.append(_resolve(component, tag, world, Path(scratch)))
            except (ReleaseError, CheckFailed, Unproven) as error:
                problems.append(f"{component.name}: {error}")
    if problems:
        listed = [f"  {problem}" for problem in problems]
        raise ReleaseError("\n".join([f"no candidate of {page.title}, {len(problems)} problem(s):", *listed]))
    candidate = _candidate(page, wanted, tuple(resolved))
    packages = find_packages(page, candidate, wanted.packages, world)
    return candidate.model_copy(update={"packages": packages})


def find_tags(
    asked: Sequence[tuple[str, str]], find_tag: Callable[[str, str, float], Tag | None], deadline: float
) -> list[Tag | ReleaseError | CheckFailed | Unproven | None]:
    """Look tags up (repository, name) all at once: servers take their time. What went wrong stands in its place."""

    def ask(repository: str, tag: str) -> Tag | ReleaseError | CheckFailed | Unproven | None:
        try:
            return find_tag(repository, tag, deadline)
        except (ReleaseError, CheckFailed, Unproven) as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: ask(*each), asked))


def _components(page: Page, wanted: Wanted) -> list[ComponentUnderTest]:
    """Return the page's components with their patterns filled in and the commits still open."""
    versions = {c.name: wanted.versions.get(c.name, wanted.version) for c in page.components}
    given = tuple(
        CandidateComponent(
            name=c.name,
            version=versions[c.name],
            tag=expected_tag(page, c, versions[c.name]),
            commit=_UNRESOLVED,
        )
        for c in page.components
    )
    candidate = _candidate(page, wanted, given)
    return [resolve_component(page, candidate, name) for name in versions]


def _candidate(page: Page, wanted: Wanted, components: tuple[CandidateComponent, ...]) -> Candidate:
    return Candidate(
        schema_name="ovirt-release-candidate/1",
        page=page.id,
        version=wanted.version,
        rc=wanted.rc,
        created=wanted.created,
        components=components,
    )


def _resolve(
    component: ComponentUnderTest,
    tag: Tag | ReleaseError | CheckFailed | Unproven | None,
    world: World,
    scratch: Path,
) -> CandidateComponent:
    world.say(f"{component.name}: {component.tag} of {component.repository}")
    if isinstance(tag, Exception):
        raise tag
    if tag is None:
        raise ReleaseError(
            f"{component.repository} has no tag {component.tag}; another version? --component {component.name}=VERSION"
        )
    files = [_file("tarball", component.tarball, world, scratch)]
    if component.binary_tarball:
        try:
            files.append(_file("binary-tarball", component.binary_tarball, world, scratch))
        except (ReleaseError, CheckFailed, Unproven) as error:
            world.say(f"{component.name}: without binary tarball: {error}")
    return CandidateComponent(
        name=component.name,
        version=component.version,
        tag=component.tag,
        commit=tag.commit,
        tag_object=tag.object,
        files=tuple(files),
    )


def _file(kind: Literal["tarball", "binary-tarball"], url: str, world: World, scratch: Path) -> CandidateFile:
    path = scratch / "file"
    try:
        file = world.fetch(url, path, deadline=DOWNLOAD_DEADLINE, largest=LARGEST_FILE)
    finally:
        path.unlink(missing_ok=True)
    return CandidateFile(kind=kind, name=url.rpartition("/")[2], sha256=file.sha256, size=file.size)
