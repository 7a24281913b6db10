"""The release page as data: requirements, timeline, components, distributions, signers, gaps, open questions."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, StringConstraints

from pytest_ovirt_release.release.model import (
    Day,
    Fingerprint,
    Moment,
    MomentOrDay,
    Sha256,
    Slug,
    Strict,
    Text,
)
from pytest_ovirt_release.release.page_scripts import Live, Script, Scripts, Setup

__all__ = ["Live", "Script", "Scripts", "Setup"]

Level = Literal["must", "should"]
Axis = Literal["component", "distribution", "node"]

Pattern = Annotated[str, StringConstraints(min_length=1)]
"""A text with {name}, {version}, {tag} and the names of `places` in braces."""


class Source(Strict):
    """The wiki page the requirements were read from; `sha256` is of its bytes."""

    uri: Text
    title: Text
    sha256: Sha256
    updated: Day | None = None


class PageLine(Strict):
    """One line of the wiki page: its number from 1, and the SHA-256 of its text without surrounding blanks."""

    line: PositiveInt
    sha256: Sha256


class Requirement(Strict):
    """One MUST or SHOULD of the page.

    `line` and `sha256` name the page's line (the digest is of the line's UTF-8 text without surrounding
    blanks); several requirements may stand in one line. `detail` names a further line that only says what the
    first one means. `needs` lists the requirements without which this
    one cannot be judged (then its cell is *blocked*). `proof` is our own sentence on what proves it.
    `not_applicable` maps an axis value (or "*") to the reason why the requirement does not apply there.
    `signed_by` is the signer role without whose holder nothing can be proven. `min_testers` different people must
    have passed it, in `clean_runs` runs.
    """

    id: Slug
    level: Level
    title: Text
    section: Text
    line: PositiveInt
    sha256: Sha256
    detail: PageLine | None = None
    proof: Text
    axis: Axis | None = None
    needs: tuple[Slug, ...] = ()
    signed_by: Slug | None = None
    not_applicable: dict[str, Text] = Field(default_factory=dict)
    waivable: bool = True
    min_testers: PositiveInt = 1
    clean_runs: PositiveInt = 1


class Milestone(Strict):
    """One date of the timeline and how it is judged.

    `judged_by`: tag-date (the tag of `component` is not younger than `due`), branch-date (the release branch
    of every component starts by then), notes-before-branch, or declared (nobody can measure it; `actual` is
    what the page says). A date without time of day means the end of that day, UTC.
    `before` names a milestone that this one has to come before.
    """

    id: Slug
    title: Text
    due: MomentOrDay
    judged_by: Literal["tag-date", "branch-date", "notes-before-branch", "declared"] = "declared"
    component: Slug | None = None
    before: Slug | None = None
    actual: MomentOrDay | None = None

    def due_at(self) -> datetime:
        """Return the last moment that still meets the milestone, in UTC."""
        return end_of(self.due)


class Component(Strict):
    """One source repository of the release and where its files are.

    `signed_tag`: the tag must carry an OpenPGP signature by the release signer. `checksums_signature` is a
    detached signature of the file `checksums`. `spec` is a path inside the tarball of an RPM spec file whose
    Version must agree. `notes` is an address (`web`), the address of a mail or an mbox (`mail`), or a path in the
    repository (`git`), as `notes_in` says.
    """

    name: Slug
    repository: Pattern
    tag: Pattern
    branch: Pattern
    version_file: str | None = None
    tarball: Pattern
    signature: Pattern
    checksums: Pattern | None = None
    top_folder: Pattern = "{name}-{version}"
    generated: tuple[str, ...] = ()
    binary_tarball: Pattern | None = None
    binary_signature: Pattern | None = None
    signed_tag: bool = False
    checksums_signature: Pattern | None = None
    spec: Pattern | None = None
    notes: Pattern
    notes_in: Literal["web", "mail", "git"] = "web"
    branch_created: Moment | None = None


class Distribution(Strict):
    """One package repository (`kind` deb or rpm) with the packages that must be in it, or one image (`kind` iso).

    For an image `url` is the file's own address, {version} the image's own version, and {architecture} is known too;
    `signature`, or a `checksums` file (clearsigned, or signed in `checksums_signature`), vouches for it.

    `packages_signed_by` is the role whose holder must have signed each package file too (rpm only); `fresh_days` the
    age in days that the metadata may have, for repositories that say no date of expiry themselves.
    """

    name: Slug
    kind: Literal["deb", "rpm", "iso"]
    url: Pattern
    suite: str | None = None
    section: str = "main"
    architecture: str
    packages: tuple[str, ...]
    signature: Pattern | None = None
    checksums: Pattern | None = None
    checksums_signature: Pattern | None = None
    volume_id: Pattern | None = None
    packages_signed_by: Slug | None = None
    fresh_days: PositiveInt | None = None


class KeyFile(Strict):
    """A public key, pinned by the digest of its file; `path` is relative to the file that names it."""

    path: str
    sha256: Sha256


class Signer(Strict):
    """Who may sign: a role, the fingerprints that hold it (none: unassigned), and their public keys."""

    role: Slug
    title: Text
    fingerprints: tuple[Fingerprint, ...] = ()
    keys: tuple[KeyFile, ...] = ()
    not_before: Moment | None = None


class Approver(Strict):
    """Somebody who may accept that a cell is not proven; `role` is what they are in the release's team."""

    name: Text
    role: Text


class Gap(Strict):
    """A known hole: it explains, it never satisfies. Without `eta` nobody has promised a day."""

    id: Slug
    requirements: tuple[Slug, ...]
    title: Text
    owner: Text
    eta: Day | None = None
    note: str = ""
    probe: Literal["old-registration-urls"] | None = None


class OpenQuestion(Strict):
    """A question the page leaves open and the signer role that answers it."""

    id: Slug
    title: Text
    answered_by_role: Slug | None = None


class Page(Strict):
    """A release page. `schema` names the format; `engine` the engine versions it can judge.

    `mirrors` names, for a place, further addresses that hold the same files: they are asked when the place does
    not answer, and nothing that they send is believed that the place itself would not be believed.
    """

    schema_name: Literal["ovirt-release-page/1"] = Field(alias="schema")
    id: Slug
    title: Text
    product: Text
    version: Text
    historical: bool = False
    engine: Text
    should: Literal["remark", "explain"] = "remark"
    release_date: Day
    source: Source
    places: dict[str, str] = Field(default_factory=dict)
    mirrors: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    requirements: tuple[Requirement, ...]
    timeline: tuple[Milestone, ...] = ()
    components: tuple[Component, ...]
    distributions: tuple[Distribution, ...] = ()
    signers: tuple[Signer, ...] = ()
    approvers: tuple[Approver, ...] = ()
    gaps: tuple[Gap, ...] = ()
    open_questions: tuple[OpenQuestion, ...] = ()
    scripts: Scripts = Scripts()


class PageOverlay(Strict):
    """What a lab puts in place of a page's own signers and addresses; using one makes the run a rehearsal."""

    schema_name: Literal["ovirt-release-overlay/1"] = Field(alias="schema")
    page: Slug
    places: dict[str, str] = Field(default_factory=dict)
    signers: tuple[Signer, ...] = ()


def start_of(moment: datetime | date) -> datetime:
    """Return the moment itself, or for a bare date its first second, in UTC."""
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.combine(moment, time(), tzinfo=UTC)


def end_of(moment: datetime | date) -> datetime:
    """Return the moment itself, or for a bare date its last second, in UTC."""
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.combine(moment, time(23, 59, 59), tzinfo=UTC)
