"""What the go/no-go meeting decided, bound to the verdict that it was shown.

People may always say no-go. They may say go only where the verdict lets them: to turn a NO-GO round they have to
waive, by name and cell by cell, so that the reason stands on the page.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pytest_ovirt_release.errors import ReleaseError
from pytest_ovirt_release.release.loading import read_bounded
from pytest_ovirt_release.release.model import Moment, Sha256, Strict, Text
from pytest_ovirt_release.verdict.merge import again
from pytest_ovirt_release.verdict.model import VerdictFacts  # noqa: TC001 - pydantic reads the annotations
from pytest_ovirt_release.verdict.recompute import AHEAD
from pytest_ovirt_release.verdict.serial import LARGEST_VERDICT, VERDICT_FILE, read_verdict, verdict_json
from pytest_ovirt_release.verdict.states import MAY_SHIP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_ovirt_release.verdict.model import Verdict

DECISION_FILE = "decision.json"


class Vote(Strict):
    """One person's vote, in the role they spoke for."""

    name: Text
    role: Text
    vote: Literal["go", "no-go", "abstain"]


class JudgedVerdict(Strict):
    """The verdict that was decided on: the SHA-256 of its verdict.json, and what it said.

    Only a no-go may be recorded on a file that is no verdict; then only the digest is known.
    """

    sha256: Sha256
    facts: VerdictFacts | None = None


class Decision(Strict):
    """A decision record. `minutes` is the link of the meeting's minutes, `decided` the moment of writing it down."""

    schema_name: Literal["ovirt-release-decision/1"] = Field(
        default="ovirt-release-decision/1", alias="schema"
    )
    outcome: Literal["go", "no-go"]
    reason: str
    decided: Moment
    minutes: Text
    votes: tuple[Vote, ...]
    based_on: JudgedVerdict


def record(  # noqa: PLR0913 - what a decision consists of
    folder: Path,
    outcome: Literal["go", "no-go"],
    *,
    votes: Sequence[Vote],
    minutes: str,
    reason: str,
    now: datetime,
) -> Decision:
    """Return the record of a decision on the verdict in a folder (of a run, or of a merge).

    Raises:
        ReleaseError: it is a go, and something forbids that; or a no-go without a reason.
    """
    data = read_bounded(folder / VERDICT_FILE, LARGEST_VERDICT)
    facts = None
    if outcome == "no-go":
        if not reason:
            raise ReleaseError("a no-go needs a reason: --reason TEXT")
        with suppress(ReleaseError):  # a broken verdict is no reason to keep people from saying no
            facts = read_verdict(folder)[1].facts()
    else:
        verdict = confirmed(folder)
        if datetime.fromisoformat(verdict.as_of) > now + AHEAD:
            raise ReleaseError(
                f"go is refused: the verdict is as of {verdict.as_of}, a moment that has not come"
            )
        if why := why_not_go(verdict, again(folder, verdict, now), votes, reason):
            raise ReleaseError(f"go is refused: {why}")
        data, facts = verdict_json(verdict).encode(), verdict.facts()
    return Decision(
        outcome=outcome,
        reason=reason,
        decided=now,
        minutes=minutes,
        votes=tuple(votes),
        based_on=JudgedVerdict(sha256=hashlib.sha256(data).hexdigest(), facts=facts),
    )


def confirmed(folder: Path) -> Verdict:
    """Return the verdict in a folder, once its own runs have given it again, byte for byte.

    Raises:
        ReleaseError: they give another one: somebody changed verdict.json, or the runs beside it.
    """
    data, verdict = read_verdict(folder)
    given = again(folder, verdict, datetime.fromisoformat(verdict.as_of))
    # Whichever version of this program writes it, it has to say the same.
    given = given.model_copy(update={"generated_by": verdict.generated_by})
    if verdict_json(given).encode() != data:
        raise ReleaseError(
            f"{folder / VERDICT_FILE} is not what the runs beside it give: it or they were changed after it was "
            "written; judge again with: ovirt-release merge RUN... --out FOLDER"
        )
    return verdict


def why_not_go(verdict: Verdict, today: Verdict, votes: Sequence[Vote], reason: str) -> str:
    """Return what forbids a go on a verdict, which is `today` when judged now; or nothing. Pure."""
    if verdict.rehearsal:
        return "the verdict is of a REHEARSAL, which is evidence about this suite, never about a release"
    if verdict.verdict not in MAY_SHIP:
        return f"the verdict is {verdict.verdict}; what stands against it has to be proven, or waived by name"
    if today.verdict not in MAY_SHIP:
        said = "; ".join(r.detail for r in today.reasons[:3])
        return f"the verdict was {verdict.verdict} as of {verdict.as_of}, and is {today.verdict} now: {said}"
    if not any(v.vote == "go" for v in votes):
        return "nobody voted for it: --vote 'NAME:ROLE:go'"
    if "GO-CONDITIONAL" in {verdict.verdict, today.verdict} and not reason:
        return "the verdict is GO-CONDITIONAL: say why its conditions are accepted, with --reason TEXT"
    return ""
