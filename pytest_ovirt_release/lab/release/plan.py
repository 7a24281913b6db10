"""What the lab publishes, derived from the release page: versions, addresses, dates and source trees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.lab.release import sources
from pytest_ovirt_release.release.page import end_of
from pytest_ovirt_release.release.resolved import fill_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_ovirt_release.lab.release.sources import Tree
    from pytest_ovirt_release.release.page import Component, Page

VERSIONS = {
    ("3.0", "vdsm"): "4.9.3.2",
    ("3.0", "ovirt-node"): "2.2.2",
    ("3.0", "ovirt-node-image"): "2.2.2",
    ("3.0", "ovirt-engine-sdk"): "1.6.0",
    ("3.0", "ovirt-engine-cli"): "1.3.0",
    ("3.0", "ovirt-iso-uploader"): "1.0.0",
    ("3.0", "ovirt-image-uploader"): "1.0.0",
    ("3.0", "ovirt-log-collector"): "1.0.0",
}
"""Versions of components and packages that differ from their release's, by release and name."""

ANNOTATED_TAGS = frozenset({"vdsm"})
"""Components whose tags are objects of their own; most of oVirt's tags name a commit directly."""


@dataclass(frozen=True)
class Moments:
    """When the parts of one component came to be, in UTC: all of the page's timeline is met."""

    started: datetime
    tagged: datetime
    noted: datetime
    branched: datetime


@dataclass(frozen=True)
class Plan:
    """One component as the lab publishes it; addresses are below the lab's places."""

    name: str
    version: str
    tag: str
    branch: str
    annotated: bool
    moments: Moments
    tree: Tree
    top_folder: str
    repository: str
    tarball: str
    signature: str
    checksums: str | None
    generated: tuple[str, ...]
    binary_tarball: str | None
    binary_signature: str | None
    notes: str


@dataclass(frozen=True)
class Places:
    """The lab's addresses by place name, and the folder each one is served from."""

    addresses: Mapping[str, str]
    folder: Path

    def path(self, address: str) -> Path:
        """Return the file that is served at an address; ReleaseError if it is not one of the lab's."""
        for place, start in self.addresses.items():
            rest = address.removeprefix(start + "/")
            if rest != address:
                return self.folder / place / rest
        raise ReleaseError(
            f"the lab cannot serve {address!r}: on a page for the lab every address starts with one of "
            + ", ".join(f"{{{place}}}" for place in self.addresses)
        )


def plan_components(page: Page, places: Places, scripts: Tree) -> tuple[Plan, ...]:
    """Plan every component of the page; `scripts` goes into the components that the page takes scripts from."""
    wanted = {s.component for s in (page.scripts.pki, page.scripts.database) if s is not None}
    return tuple(
        _plan(page, component, places, scripts if component.name in wanted else {})
        for component in page.components
    )


def version_of(page: Page, name: str) -> str:
    """Return the version that the lab gives a component."""
    return VERSIONS.get((page.version, name), f"{page.version}.0")


def _plan(page: Page, component: Component, places: Places, scripts: Tree) -> Plan:
    version = version_of(page, component.name)
    values = {**places.addresses, "name": component.name, "version": version, "release": page.version}
    where = f"page {page.id}, component {component.name}"
    tag = fill_in(component.tag, values, where)
    values["tag"] = tag

    def fill(pattern: str) -> str:
        return fill_in(pattern, values, where)

    def fill_if(pattern: str | None) -> str | None:
        return fill(pattern) if pattern else None

    return Plan(
        name=component.name,
        version=version,
        tag=tag,
        branch=fill(component.branch),
        annotated=component.name in ANNOTATED_TAGS,
        moments=moments_of(page, component),
        tree=sources.tree(component.name, version, fill_if(component.version_file)) | scripts,
        top_folder=fill(component.top_folder),
        repository=fill(component.repository),
        tarball=fill(component.tarball),
        signature=fill(component.signature),
        checksums=fill_if(component.checksums),
        generated=tuple(fill(g) for g in component.generated),
        binary_tarball=fill_if(component.binary_tarball),
        binary_signature=fill_if(component.binary_signature),
        notes=fill(component.notes),
    )


def moments_of(page: Page, component: Component) -> Moments:
    """Choose dates that meet every milestone: notes, then tag, then branch, each before its date."""
    tag_by = [
        m.due_at() for m in page.timeline if m.judged_by == "tag-date" and m.component == component.name
    ]
    branch_by = [m.due_at() for m in page.timeline if m.judged_by == "branch-date"]
    latest = min(branch_by, default=end_of(page.release_date) - timedelta(days=28))
    branched = end_of(component.branch_created) if component.branch_created else latest - timedelta(hours=6)
    tagged = min([*tag_by, branched]) - timedelta(hours=2)
    return Moments(
        started=(tagged - timedelta(days=30)).astimezone(UTC),
        tagged=tagged.astimezone(UTC),
        noted=(min(tagged, branched) - timedelta(days=2)).astimezone(UTC),
        branched=branched.astimezone(UTC),
    )
