"""The words, symbols and sentences that every report shares, so that no two reports can differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_ovirt_release.verdict.waiving import SOON as SOON_TIME

if TYPE_CHECKING:
    from pytest_ovirt_release.verdict.model import Verdict
    from pytest_ovirt_release.verdict.states import CellClass, State, Word
    from pytest_ovirt_release.verdict.waiving import Status

Style = Literal["", "good", "bad", "warn", "title"]
FINISH = "finish"
"""Code of the remark whose detail is the command that would finish an INCOMPLETE run."""

NOT_AUTHENTICATED = (
    "The names of approvers are not authenticated: they are text in the waiver file, "
    "and nothing proves that these people wrote it."
)

REHEARSAL = "REHEARSAL"
REHEARSAL_SENTENCE = (
    "Engine, nodes, signer or release files came from the embedded lab: "
    "this is evidence about this suite, never about an oVirt release."
)


@dataclass(frozen=True)
class Mark:
    """How a state or a verdict is shown: never by colour alone, so always symbol and word."""

    symbol: str
    ascii: str
    word: str
    style: Style
    meaning: str


STATES: dict[State, Mark] = {
    "failed": Mark("✗", "X", "failed", "bad", "the check ran and the requirement does not hold"),
    "conflict": Mark("✗", "X", "conflict", "bad", "passed for one tester and failed for another"),
    "errored": Mark("!", "!", "errored", "warn", "the check broke off before it could tell"),
    "blocked": Mark(
        "!", "!", "blocked", "warn", "something this check needs did not hold, so it could not run"
    ),
    "flaky": Mark("~", "~", "flaky", "warn", "passed, but not cleanly at the first attempt"),
    "missing": Mark("?", "?", "missing", "warn", "no test ran for it"),
    "skipped": Mark("?", "?", "skipped", "warn", "the test was skipped"),
    "passed": Mark("✓", "+", "passed", "good", "one clean pass from set-up to clean-up"),
    "not_applicable": Mark(
        "-", "-", "not applicable", "", "the release page says that it does not apply here"
    ),
}

CLASSES: dict[CellClass, Mark] = {
    "disproven": Mark("✗", "X", "disproven", "bad", "shown not to hold"),
    "unproven": Mark("?", "?", "unproven", "warn", "nobody knows: it was not shown to hold"),
    "proven": Mark("✓", "+", "proven", "good", "shown to hold"),
    "not_applicable": Mark(
        "-", "-", "not applicable", "", "the release page says that it does not apply here"
    ),
}

VERDICTS: dict[Word, Mark] = {
    "GO": Mark("✓", "+", "GO", "good", "Every MUST of the release page is proven for this candidate."),
    "GO-CONDITIONAL": Mark(
        "!",
        "!",
        "GO-CONDITIONAL",
        "warn",
        "No MUST stands in the way, on conditions that a person has to accept.",
    ),
    "INCOMPLETE": Mark(
        "?",
        "?",
        "INCOMPLETE",
        "warn",
        "No MUST is disproven, but not every MUST is proven. This is not a GO.",
    ),
    "NO-GO": Mark("✗", "X", "NO-GO", "bad", "Something that this release must have does not hold."),
    "INVALID": Mark(
        "✗",
        "X",
        "INVALID",
        "bad",
        "The release could not be judged: what it is judged by is broken or was overridden.",
    ),
}

WAIVED = Mark("!", "!", "waived", "warn", "not proven, and a named person accepts that until a date")
SOON = Mark("!", "!", "expires soon", "warn", f"its last day is less than {SOON_TIME.days} days away")
WAIVERS: dict[Status, Mark] = {
    "used": Mark("!", "!", "used", "warn", "it accepts something here that is not proven"),
    "expired": Mark("✗", "X", "expired", "bad", "its last day has passed, so it accepts nothing"),
    "refused": Mark("✗", "X", "refused", "bad", "the page does not allow it, so it accepts nothing"),
    "other-candidate": Mark(
        "✗", "X", "for another candidate", "bad", "it ended with its own candidate, so it accepts nothing"
    ),
    "not-yet": Mark("?", "?", "not yet", "warn", "it was not approved yet, so it accepts nothing"),
    "unused": Mark("-", "-", "unused", "", "it would hold, and accepts nothing here"),
}
"""What became of a waiver, in the order in which waivers are listed."""

ACCEPTS: dict[Literal["unproven", "disproven"], str] = {
    "unproven": "unproven",
    "disproven": "unproven or even disproven",
}

NOT_RUN = Mark("-", "-", "not run", "", "this tester recorded nothing of it")
IN_PART = Mark(
    "~", "~", "passed in part", "warn", "passed what this tester ran, which was not every test of it"
)

MILESTONES: dict[Literal["met", "missed", "declared", "unknown"], Mark] = {
    "met": Mark("✓", "+", "met", "good", "on time"),
    "missed": Mark("✗", "X", "missed", "bad", "later than due"),
    "declared": Mark("-", "-", "declared", "", "only the page says so; nothing measures it"),
    "unknown": Mark("?", "?", "unknown", "warn", "no evidence of the date"),
}
GAPS: dict[Literal["open", "overdue", "closable"], Mark] = {
    "open": Mark("!", "!", "open", "warn", "its ETA, {eta}, has not come yet"),
    "overdue": Mark("✗", "X", "overdue", "bad", "its ETA, {eta}, has passed"),
    "closable": Mark("✓", "+", "closable", "good", "probed and found closed; its ETA was {eta}"),
}
"""A gap's meaning says its ETA."""


def heading(verdict: Verdict) -> str:
    """Return the verdict's word, with REHEARSAL beside it when it is one."""
    return f"{verdict.verdict} ({REHEARSAL})" if verdict.rehearsal else verdict.verdict


def subject(verdict: Verdict) -> str:
    """Return what was judged: the page's title and the candidate's rc."""
    title = verdict.page.title if verdict.page else "oVirt release"
    rc = verdict.candidate.rc if verdict.candidate else None
    return f"{title} {rc}" if rc else title


def finish_command(verdict: Verdict) -> str | None:
    """Return the command that would finish the job, if the verdict names one."""
    return next((r.detail for r in verdict.remarks if r.code == FINISH), None)
