"""The records of a journal as data: one JSON object a line; what each kind may hold, and nothing else.

A run writes them (`record/journal.py`); here they are only read. They are typed dicts, because a merge reads a
quarter of a million of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeInt,
    StringConstraints,
    TypeAdapter,
)
from typing_extensions import TypedDict

from pytest_ovirt_release.release.model import Sha256  # noqa: TC001 - pydantic reads the annotations

JOURNAL_SCHEMA = "ovirt-release-journal/1"
FORBID = ConfigDict(extra="forbid", allow_inf_nan=False)


def _is_moment(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a moment needs a zone")
    return text


# All in one form, so that texts sort as moments do.
At = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?\+00:00$"),
    AfterValidator(_is_moment),
]
"""A moment in UTC, ISO 8601."""

RunId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
"""A run's id; it becomes part of file names."""

Duration = Annotated[float, Field(ge=0, le=1e9)]
"""Seconds."""

Digest = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]
"""The SHA-256 of an input's file; empty when there was none."""


class FileDigest(TypedDict):
    """A file's SHA-256 and size in bytes."""

    __pydantic_config__ = FORBID  # type: ignore[misc]  # how pydantic configures a typed dict
    sha256: Sha256
    size: NonNegativeInt


class ControlFact(TypedDict):
    """Whether the checks of a requirement have been seen to fail, and the faults they caught."""

    __pydantic_config__ = FORBID  # type: ignore[misc]  # as above
    controlled: bool
    faults: list[str]


class _Record(TypedDict):
    __pydantic_config__ = FORBID  # type: ignore[misc]  # as above
    at: At


class Opened(_Record):
    """The first record of every file: which run and process it belongs to."""

    kind: Literal["opened"]
    schema: Literal["ovirt-release-journal/1"]
    run: RunId
    process: str


class RunStart(_Record):
    """What this run is: its inputs' digests, where it runs, which tests the suite holds for which requirement.

    `finish` are the options that a command needs to run the same again; `suite` maps a requirement to its tests.
    """

    kind: Literal["run"]
    run: RunId
    page: str
    page_sha256: Digest
    candidate_sha256: Digest
    overlay_sha256: Digest
    lab: bool
    target: str | None
    tester: str
    axes: dict[str, list[str]]
    suite: dict[str, list[str]]
    controls: dict[str, ControlFact]
    argv: list[str]
    finish: NotRequired[list[str]]
    versions: NotRequired[dict[str, str]]


class Collected(_Record):
    """One test, and what it stands for; one record for each test and cell, in every collecting process."""

    kind: Literal["collected"]
    nodeid: str
    requirement: NotRequired[str]
    level: NotRequired[str]
    cell: NotRequired[str]
    sentence: NotRequired[str]


class Deselected(_Record):
    """A test that a selection left out."""

    kind: Literal["deselected"]
    nodeid: str


class Report(_Record):
    """One phase of one test. `error` says which kind of exception it was, `on` what it was blocked on."""

    kind: Literal["report"]
    nodeid: str
    when: str
    outcome: str
    rerun: NotRequired[bool]
    subtest: NotRequired[bool]
    wasxfail: NotRequired[str | None]
    duration: NotRequired[Duration]
    message: NotRequired[str | None]
    error: NotRequired[str | None]
    code: NotRequired[str | None]
    on: NotRequired[str | None]


class Crash(_Record):
    """The test in which a worker process died."""

    kind: Literal["crash"]
    nodeid: str


class EvidenceRecord(_Record):
    """A value, or a file below the run's folder."""

    kind: Literal["evidence"]
    nodeid: NotRequired[str]
    cell: NotRequired[str]
    name: str
    value: NotRequired[Any]
    file: NotRequired[str]
    sha256: NotRequired[Sha256]
    size: NotRequired[NonNegativeInt]


class Fact(_Record):
    """What timeline and gaps are judged by; `nodeid` is the test that found it."""

    kind: Literal["fact"]
    key: str
    value: str | int | float | bool
    source: NotRequired[str]
    nodeid: NotRequired[str]


class Brand(_Record):
    """What a connection met, and whether that was a lab."""

    kind: Literal["brand"]
    where: str
    text: str
    lab: bool


class Intent(_Record):
    """Something that is about to be created."""

    kind: Literal["intent"]
    entry: str
    what: str
    name: str
    cells: NotRequired[list[str]]
    details: NotRequired[dict[str, Any]]


class Created(_Record):
    """The id that the engine gave."""

    kind: Literal["created"]
    entry: str
    id: str


class Removed(_Record):
    """It is gone, or never came to be."""

    kind: Literal["removed"]
    entry: str


class Left(_Record):
    """It could not be removed."""

    kind: Literal["left"]
    entry: str
    why: str


class StageRecord(_Record):
    """A stage of a node was performed."""

    kind: Literal["stage"]
    node: str
    stage: str
    outcome: str
    why: NotRequired[str | None]
    seconds: NotRequired[float | None]


class Said(_Record):
    """Something went wrong that belongs to no test: a mistake in the suite, trouble, an end before the end."""

    kind: Literal["mistake", "trouble", "internalerror", "interrupted"]
    text: str


class End(_Record):
    """The controller's last record: pytest's code, and the digests of every journal until here (its own too)."""

    kind: Literal["end"]
    exit: int
    complete: bool
    files: NotRequired[dict[str, FileDigest]]


AnyRecord = Annotated[
    Opened
    | RunStart
    | Collected
    | Deselected
    | Report
    | Crash
    | EvidenceRecord
    | Fact
    | Brand
    | Intent
    | Created
    | Removed
    | Left
    | StageRecord
    | Said
    | End,
    Discriminator("kind"),
    Field(title="JournalRecord", description="One line of a journal"),
]
RECORD: TypeAdapter[Any] = TypeAdapter(AnyRecord)
"""Reads one line; ValidationError for whatever no run of this version writes."""

AFTER_THE_END = frozenset({"opened", "brand", "removed", "left"})
"""Kinds that `ovirt-release reap` adds to a run that has ended."""
