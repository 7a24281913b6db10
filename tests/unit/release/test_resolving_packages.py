"""A candidate's packages are the builds that the distributions list; what is in doubt is left out and told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.release.candidate import Candidate, CandidateComponent
from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.release.resolving import World
from pytest_ovirt_release.release.resolving_packages import find_packages, unknown_packages, upstream
from tests.unit.release.conftest import requirement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.release.page import Page
    from pytest_ovirt_release.release.resolved import DistributionUnderTest

ENGINE = CandidateComponent(name="engine", version="4.5.7", tag="t", commit="c" * 40)
CANDIDATE = Candidate(
    schema_name="ovirt-release-candidate/1", page="tiny-1.0", version="1.0.1",
    created=datetime(2012, 1, 10, tzinfo=UTC), components=(ENGINE,),
)  # fmt: skip
EL9 = {
    "name": "el9",
    "kind": "rpm",
    "url": "{downloads}/el9",
    "architecture": "x86_64",
    "packages": ["engine", "tools"],
}
IMAGE = {
    "name": "image", "kind": "iso", "url": "{downloads}/{name}-{version}.iso", "architecture": "x86_64",
    "packages": ["node"],
}  # fmt: skip
BUILDS = [
    ("engine", "4.5.6-1.el9", "noarch"),
    ("engine", "4.5.7-1.el9", "noarch"),
    ("tools", "1.0.1-3.el9", "x86_64"),
]


@dataclass(frozen=True)
class Build:
    name: str
    version: str
    architecture: str


@dataclass(frozen=True)
class Digest:
    sha256: str = "d" * 64
    size: int = 7


@dataclass
class Depot:
    """What the distributions list; `silent` ones do not answer."""

    builds: list[tuple[str, str, str]]
    silent: bool = False
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def offers(self, distribution: DistributionUnderTest, scratch: Path, deadline: float) -> list[Build]:
        assert scratch.is_dir()
        assert deadline > 0
        self.asked.append(distribution.url)
        if self.silent:
            raise Unreachable("no answer")
        return [Build(*each) for each in self.builds]

    def fetch(self, url: str, path: Path, *, deadline: float, largest: int) -> Digest:
        assert path.parent.is_dir()
        assert deadline > 0
        assert largest > 0
        self.asked.append(url)
        if not url.endswith("node-2.2.iso"):
            raise ReleaseError(f"{url}: 404")
        return Digest()

    def world(self) -> World:
        return World(lambda *_: None, self.fetch, self.said.append, self.offers)


@pytest.fixture
def made(page_data: dict[str, Any], save: Callable[..., Path]) -> Callable[..., Page]:
    def make(*distributions: dict[str, Any], **rule: str) -> Page:
        page_data["distributions"] = list(distributions)
        builds = requirement("builds", 9, level="should", axis="distribution", not_applicable=rule)
        page_data["requirements"].append(builds)
        return load_page(save(page_data))

    return make


def found(page: Page, depot: Depot, **versions: str) -> list[tuple[str, str, str, str]]:
    packages = find_packages(page, CANDIDATE, versions, depot.world())
    return [(p.distribution, p.name, p.version, p.architecture) for p in packages]


def test_a_build_is_found_by_its_components_version_or_the_releases(made: Callable[..., Page]) -> None:
    depot = Depot(BUILDS)
    assert found(made(EL9), depot) == [
        ("el9", "engine", "4.5.7-1.el9", "noarch"),
        ("el9", "tools", "1.0.1-3.el9", "x86_64"),
    ]
    assert depot.said == ["el9: packages"]


def test_a_version_that_is_given_counts_more(made: Callable[..., Page]) -> None:
    assert found(made(EL9), Depot(BUILDS), engine="4.5.6", tools="1.0.1-3.el9")[0][2] == "4.5.6-1.el9"


@pytest.mark.parametrize(
    ("more", "version", "said"),
    [
        ([], "4.5.8", "no 4.5.8; there is 4.5.6-1.el9, 4.5.7-1.el9; --package engine=VERSION"),
        ([], "4.5", "no 4.5; there is 4.5.6-1.el9, 4.5.7-1.el9; --package engine=VERSION"),
        (
            [("engine", "4.5.7-2.el9", "noarch")],
            "4.5.7",
            "more than one 4.5.7; there is 4.5.7-1.el9, 4.5.7-2.el9; --package engine=VERSION",
        ),
    ],
    ids=["not there", "not a part of it", "twice"],
)
def test_what_is_not_there_just_once_is_left_out_and_told(
    made: Callable[..., Page], more: list[tuple[str, str, str]], version: str, said: str
) -> None:
    depot = Depot([*BUILDS, *more])
    assert [each[1] for each in found(made(EL9), depot, engine=version)] == ["tools"]
    assert depot.said[-1] == f"el9: without engine: {said}"


def test_a_distribution_that_does_not_answer_is_left_out_and_told(made: Callable[..., Page]) -> None:
    depot = Depot(BUILDS, silent=True)
    assert found(made(EL9), depot) == []
    assert depot.said[-1] == "el9: without packages: no answer"


def test_an_images_address_has_its_own_version_and_its_digest_is_recorded(made: Callable[..., Page]) -> None:
    depot, page = Depot([]), made(IMAGE)
    (image,) = find_packages(page, CANDIDATE, {"node": "2.2"}, depot.world())
    assert (image.name, image.version, image.sha256) == ("node", "2.2", "d" * 64)
    assert depot.asked == ["https://example.org/1.0/node-2.2.iso"]
    assert found(page, depot) == []
    assert depot.said[-1] == "image: without packages: https://example.org/1.0/node-1.0.1.iso: 404"


def test_distributions_of_which_nothing_is_expected_are_not_asked(made: Callable[..., Page]) -> None:
    depot = Depot(BUILDS)
    assert found(made(EL9, IMAGE, el9="nobody builds it", image="none"), depot) == []
    assert depot.asked == []


def test_a_package_that_no_distribution_lists_is_a_mistake(made: Callable[..., Page]) -> None:
    assert unknown_packages(made(EL9), {"tools": "1", "tool": "1"}) == [
        "--package tool: page tiny-1.0 lists no such package; it lists: engine, tools"
    ]


@pytest.mark.parametrize(
    ("full", "plain"),
    [("4.5.7-1.el9", "4.5.7"), ("1:2.3-rc1-4", "2.3-rc1"), ("2.3", "2.3"), ("0:2.3", "2.3")],
)
def test_upstreams_version(full: str, plain: str) -> None:
    assert upstream(full) == plain
