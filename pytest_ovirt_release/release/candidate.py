"""The candidate: which release, exactly."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt

from pytest_ovirt_release.release.model import Commit, Moment, Sha256, Slug, Strict, Text


class CandidateFile(Strict):
    """One release file: SHA-256 and size in bytes; `kind` tells the file's part in the release."""

    kind: Literal["tarball", "binary-tarball"]
    name: Text
    sha256: Sha256
    size: NonNegativeInt


class CandidateComponent(Strict):
    """One component: version, tag name, the commit the tag (peeled) names, and its files.

    `tag_object` is the object that the tag itself names: an annotated tag that was made anew has another one.
    """

    name: Slug
    version: Text
    tag: Text
    commit: Commit
    tag_object: Commit | None = None
    files: tuple[CandidateFile, ...] = ()


class CandidatePackage(Strict):
    """One package or image of one distribution, with its full version; an image needs the digest of its file."""

    distribution: Slug
    name: Text
    version: Text
    architecture: Text
    sha256: Sha256 | None = None


class Candidate(Strict):
    """Written once by the release manager; the SHA-256 of its file is the key of waivers and decisions."""

    schema_name: Literal["ovirt-release-candidate/1"] = Field(alias="schema")
    page: Slug
    version: Text
    rc: str | None = None
    created: Moment
    components: tuple[CandidateComponent, ...]
    packages: tuple[CandidatePackage, ...] = ()
