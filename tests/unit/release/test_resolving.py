"""A candidate is what the release's servers have: all that is missing is told at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ovirt_release.errors import ReleaseError, Unreachable
from pytest_ovirt_release.release.loading import check_candidate, load_page
from pytest_ovirt_release.release.resolving import Wanted, World, find_tags, resolve_candidate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_ovirt_release.release.page import Page

MADE = datetime(2012, 1, 10, 12, tzinfo=UTC)


@dataclass(frozen=True)
class FoundTag:
    object: str = "b" * 40
    commit: str = "c" * 40


@dataclass(frozen=True)
class FoundFile:
    sha256: str = "d" * 64
    size: int = 7


@dataclass
class Servers:
    """Repositories and files that are there; what is not is missing, or does not answer."""

    tags: set[tuple[str, str]]
    files: set[str]
    silent: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    def find_tag(self, url: str, tag: str, deadline: float) -> FoundTag | None:
        assert deadline > 0
        if url in self.silent:
            raise Unreachable(f"{url} did not answer")
        return FoundTag() if (url, tag) in self.tags else None

    def fetch(self, url: str, path: Path, *, deadline: float, largest: int) -> FoundFile:
        assert deadline > 0
        assert largest > 0
        if url not in self.files:
            raise ReleaseError(f"{url}: 404")
        path.write_bytes(b"content")
        return FoundFile()

    def world(self) -> World:
        return World(self.find_tag, self.fetch, self.said.append, lambda *_: ())


@pytest.fixture
def page(page_data: dict[str, Any], save: Callable[..., Path]) -> Page:
    vdsm = {
        **page_data["components"][0],
        "name": "vdsm",
        "tag": "v{version}",
        "binary_tarball": "{downloads}/bin/{name}.tar.gz",
        "binary_signature": "{downloads}/bin/{name}.tar.gz.sig",
    }
    page_data["components"].append(vdsm)
    return load_page(save(page_data))


@pytest.fixture
def servers() -> Servers:
    return Servers(
        tags={
            ("https://git.example.org/engine.git", "engine-1.0.1"),
            ("https://git.example.org/vdsm.git", "v4.9.3"),
        },
        files={
            "https://example.org/1.0/src/engine-1.0.1.tar.gz",
            "https://example.org/1.0/src/vdsm-4.9.3.tar.gz",
            "https://example.org/1.0/bin/vdsm.tar.gz",
        },
    )


def wanted(**versions: str) -> Wanted:
    return Wanted("1.0.1", "rc1", versions, MADE)


def test_a_candidate_names_commits_and_digests(page: Page, servers: Servers) -> None:
    candidate = resolve_candidate(page, wanted(vdsm="4.9.3"), servers.world())
    check_candidate(page, candidate)
    assert (candidate.page, candidate.version, candidate.rc, candidate.created) == (
        "tiny-1.0",
        "1.0.1",
        "rc1",
        MADE,
    )
    assert [(c.name, c.version, c.tag, c.commit) for c in candidate.components] == [
        ("engine", "1.0.1", "engine-1.0.1", "c" * 40),
        ("vdsm", "4.9.3", "v4.9.3", "c" * 40),
    ]
    assert [(f.kind, f.name, f.sha256, f.size) for f in candidate.components[1].files] == [
        ("tarball", "vdsm-4.9.3.tar.gz", "d" * 64, 7),
        ("binary-tarball", "vdsm.tar.gz", "d" * 64, 7),
    ]


def test_the_object_of_each_tag_is_recorded(page: Page, servers: Servers) -> None:
    candidate = resolve_candidate(page, wanted(vdsm="4.9.3"), servers.world())
    assert [c.tag_object for c in candidate.components] == ["b" * 40, "b" * 40]


def test_tags_are_looked_up_all_at_once_and_troubles_stay_in_their_place() -> None:
    together = threading.Barrier(3, timeout=10)

    def find_tag(url: str, tag: str, deadline: float) -> FoundTag | None:
        together.wait()
        if url == "silent":
            raise Unreachable("no answer")
        return FoundTag() if url == "there" else None

    found = find_tags([("there", "v1"), ("silent", "v1"), ("not there", "v1")], find_tag, 5)
    assert found[0] == FoundTag()
    assert isinstance(found[1], Unreachable)
    assert found[2] is None


def test_a_binary_tarball_that_is_missing_is_left_out_and_said(page: Page, servers: Servers) -> None:
    servers.files.discard("https://example.org/1.0/bin/vdsm.tar.gz")
    candidate = resolve_candidate(page, wanted(vdsm="4.9.3"), servers.world())
    assert [f.kind for f in candidate.components[1].files] == ["tarball"]
    assert servers.said[-1] == "vdsm: without binary tarball: https://example.org/1.0/bin/vdsm.tar.gz: 404"


def test_all_problems_are_told_at_once(page: Page, servers: Servers) -> None:
    servers.silent.add("https://git.example.org/engine.git")
    with pytest.raises(ReleaseError) as caught:
        resolve_candidate(page, wanted(vdms="4.9.3"), servers.world())
    assert str(caught.value).splitlines() == [
        "no candidate of Tiny 1.0, 3 problem(s):",
        "  --component vdms: page tiny-1.0 has no such component; did you mean 'vdsm'?; it has: engine, vdsm",
        "  engine: https://git.example.org/engine.git did not answer",
        "  vdsm: https://git.example.org/vdsm.git has no tag v1.0.1; another version? --component vdsm=VERSION",
    ]
