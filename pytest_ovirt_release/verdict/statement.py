"""What an attestation says: one in-toto statement about the files of a candidate and the verdict on them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from pytest_ovirt_release import __version__
from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release.model import Moment, Sha256, Strict, Text
from pytest_ovirt_release.verdict.states import EXIT_CODES, MAY_SHIP, Word

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_ovirt_release.release.candidate import Candidate
    from pytest_ovirt_release.verdict.model import Verdict

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://ovirt.org/release-acceptance/verdict/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
VERIFIER = "pytest-ovirt-release"


class SubjectDigest(Strict):
    """A file's SHA-256."""

    sha256: Sha256


class Subject(Strict):
    """One file that the statement is about: its name in the candidate, and its digest."""

    name: Text
    digest: SubjectDigest


class Verifier(Strict):
    """Which program judged."""

    name: Text
    version: Text


class AttestedPage(Strict):
    """Which release page was judged by; `sha256` is of its file."""

    id: Text
    sha256: Sha256


class AttestedCandidate(Strict):
    """Which candidate was judged; `sha256` is of its file."""

    version: Text
    rc: str | None
    sha256: Sha256


class AttestedRun(Strict):
    """One run that counted, and the digest of its contents."""

    run: Text
    digest: Sha256


class Predicate(Strict):
    """The verdict, and the digests of everything that it came from.

    `time_verified` is when it was attested, `as_of` the moment it was judged for. `page` is none where no page could
    be read, `waivers_sha256` where no waivers were given, `decision_sha256` and `decision` (what the meeting decided)
    where no decision stood beside it.
    ValueError: the exit code is not the verdict's.
    """

    verifier: Verifier
    time_verified: Moment
    verdict: Word
    exit_code: int
    rehearsal: bool
    as_of: Text
    page: AttestedPage | None
    candidate: AttestedCandidate
    verdict_sha256: Sha256
    waivers_sha256: Sha256 | None
    runs: tuple[AttestedRun, ...]
    decision_sha256: Sha256 | None
    decision: Literal["go", "no-go"] | None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.exit_code != EXIT_CODES[self.verdict]:
            raise ValueError(f"{self.verdict} is not exit code {self.exit_code}")
        return self

    def line(self) -> str:
        """Return the verdict as one line, and what the meeting decided if it said no."""
        name = f"{self.page.id if self.page else 'no page'}, candidate {self.candidate.version}"
        if self.candidate.rc:
            name += f" {self.candidate.rc}"
        where = " (REHEARSAL)" if self.rehearsal else ""
        no = " · the meeting decided NO-GO" if self.decision == "no-go" else ""
        return f"{name}: {self.verdict}{where} · as of {self.as_of}{no} · exit {self.exit()}"

    def exit(self) -> int:
        """Return the exit code for who asks: the verdict's, or NO-GO's where the meeting said no."""
        return (
            EXIT_CODES["NO-GO"] if self.decision == "no-go" and self.verdict in MAY_SHIP else self.exit_code
        )


class Statement(Strict):
    """An in-toto statement, version 1, with our own predicate."""

    statement_type: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: Annotated[tuple[Subject, ...], Field(min_length=1)]
    predicate_type: Literal["https://ovirt.org/release-acceptance/verdict/v1"] = Field(alias="predicateType")
    predicate: Predicate

    def to_bytes(self) -> bytes:
        """Return what is signed: the same statement always gives the same bytes."""
        return self.model_dump_json(by_alias=True).encode()


def state(
    verdict: Verdict,
    candidate: Candidate,
    *,
    verdict_json: bytes,
    decision: tuple[bytes, Literal["go", "no-go"]] | None,
    now: datetime,
) -> Statement:
    """Return the statement on a verdict: the bytes of verdict.json and decision.json, and what was decided. Pure.

    Raises:
        ReleaseError: the candidate lists no file.
    """
    predicate = {
        **facts(verdict),
        "verifier": {"name": VERIFIER, "version": __version__},
        "time_verified": now,
        "verdict_sha256": hashlib.sha256(verdict_json).hexdigest(),
        "decision_sha256": None if decision is None else hashlib.sha256(decision[0]).hexdigest(),
        "decision": None if decision is None else decision[1],
    }
    return Statement.model_validate(
        {
            "_type": STATEMENT_TYPE,
            "subject": subjects(candidate),
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        }
    )


def subjects(candidate: Candidate) -> tuple[Subject, ...]:
    """Return the files of a candidate, in its order, each content of a name once.

    Raises:
        ReleaseError: it lists none.
    """
    listed = [
        Subject(name=file.name, digest=SubjectDigest(sha256=file.sha256))
        for component in candidate.components
        for file in component.files
    ]
    if not listed:
        raise ReleaseError(
            "there is nothing to attest: the candidate lists no file; `ovirt-release candidate` writes one that lists "
            "every tarball with its SHA-256"
        )
    return tuple(dict.fromkeys(listed))


def facts(verdict: Verdict) -> dict[str, Any]:
    """Return what a predicate repeats of a verdict; a reader may hold each of it against verdict.json.

    Raises:
        ReleaseError: it names no candidate.
    """
    page, candidate = verdict.page, verdict.candidate
    if candidate is None:
        raise ReleaseError(
            f"there is nothing to attest: the verdict is {verdict.verdict} and names no candidate, hence no file"
        )
    return {
        "verdict": verdict.verdict,
        "exit_code": verdict.exit_code,
        "rehearsal": verdict.rehearsal,
        "as_of": verdict.as_of,
        "page": AttestedPage(id=page.id, sha256=page.sha256) if page else None,
        "candidate": AttestedCandidate(version=candidate.version, rc=candidate.rc, sha256=candidate.sha256),
        "waivers_sha256": verdict.waivers_sha256 or None,
        "runs": tuple(AttestedRun(run=run.id, digest=run.digest) for run in verdict.runs),
    }
