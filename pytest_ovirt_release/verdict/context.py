"""What stands beside the requirements: timeline, gaps, open questions, signers, runs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from pytest_ovirt_release.release.page import end_of
from pytest_ovirt_release.verdict.fold import MISSING
from pytest_ovirt_release.verdict.model import (
    GapVerdict,
    MilestoneVerdict,
    QuestionVerdict,
    RunVerdict,
    SignerVerdict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ovirt_release.release.page import Gap, Milestone, Page
    from pytest_ovirt_release.verdict.journals import Run


def facts_of(runs: Sequence[Run]) -> dict[str, tuple[str, str]]:
    """Return the latest value and source of every fact that the runs recorded."""
    records = sorted((r for run in runs for r in run.of("fact")), key=lambda r: str(r["at"]))
    return {str(r["key"]): (str(r["value"]), str(r.get("source") or "")) for r in records}


def judge_timeline(page: Page, runs: Sequence[Run]) -> tuple[MilestoneVerdict, ...]:
    """Return every milestone with its due and actual date and where the actual date comes from."""
    facts = facts_of(runs)
    judged = {m.id: _milestone(page, m, facts) for m in page.timeline}
    return tuple(_in_order(judged[m.id], judged.get(m.before or "")) for m in page.timeline)


def _in_order(mine: MilestoneVerdict, later: MilestoneVerdict | None) -> MilestoneVerdict:
    """Return a milestone as missed when it did not come before the one that it has to come before."""
    if later is None or mine.actual is None or later.actual is None:
        return mine
    if end_of(_dated(mine.actual)) <= end_of(_dated(later.actual)):
        return mine
    source = f"{mine.source}; not before {later.title} on {later.actual}"
    return mine.model_copy(update={"status": "missed", "source": source})


def _dated(text: str) -> date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _milestone(page: Page, milestone: Milestone, facts: dict[str, tuple[str, str]]) -> MilestoneVerdict:
    due = milestone.due.isoformat()
    if milestone.judged_by == "declared":
        actual = milestone.actual.isoformat() if milestone.actual else None
        return MilestoneVerdict(
            id=milestone.id,
            title=milestone.title,
            due=due,
            actual=actual,
            source="declared",
            status="declared",
        )
    pairs = _pairs(page, milestone)
    moments = {key: _moment(facts[key][0]) if key in facts else None for pair in pairs for key in pair if key}
    if not pairs or not all(moments.values()):
        return MilestoneVerdict(
            id=milestone.id,
            title=milestone.title,
            due=due,
            actual=None,
            source="no run measured it",
            status="unknown",
        )
    known = {key: moment for key, moment in moments.items() if moment is not None}
    dates = [known[key] for key, _ in pairs]
    bounds = [known[limit] if limit else milestone.due_at() for _, limit in pairs]
    met = all(date <= bound for date, bound in zip(dates, bounds, strict=True))
    latest = max(range(len(dates)), key=dates.__getitem__)
    source = facts[pairs[latest][0]][1] + (f" (the latest of {len(dates)})" if len(dates) > 1 else "")
    return MilestoneVerdict(
        id=milestone.id,
        title=milestone.title,
        due=due,
        actual=dates[latest].isoformat(),
        source=source,
        status="met" if met else "missed",
    )


def _pairs(page: Page, milestone: Milestone) -> list[tuple[str, str | None]]:
    """Return the facts to look at, each with the fact that bounds it (none: the due date does)."""
    names = [milestone.component] if milestone.component else [c.name for c in page.components]
    if milestone.judged_by == "tag-date":
        return [(f"tag-date:{name}", None) for name in names]
    if milestone.judged_by == "branch-date":
        return [(f"branch-date:{name}", None) for name in names]
    return [(f"notes-date:{name}", f"branch-date:{name}") for name in names]


def _moment(text: str) -> datetime | None:
    """Return the moment that a run recorded, or nothing where it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


NO_ETA = "promised by nobody"
"""What stands in an ETA's place when a page has none."""


def judge_gaps(page: Page, runs: Sequence[Run], as_of: datetime) -> tuple[GapVerdict, ...]:
    """Return every known gap: open, overdue, or closable when every probe of it passed the honest way.

    The honest way: the test that probed came to a clean pass, and said `closed`.
    """
    return tuple(_gap(gap, _probes(gap, runs), as_of) for gap in page.gaps)


def _probes(gap: Gap, runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Return word and source of each probe of a gap; a word of a test that did not pass is no proof."""
    found = []
    for run in runs:
        for fact in run.of("fact"):
            if fact["key"] == f"gap-probe:{gap.id}":
                word, source = str(fact["value"]), str(fact.get("source") or "")
                outcome = run.outcomes.get(str(fact.get("nodeid")), MISSING)
                if word == "closed" and outcome.state != "passed":
                    word, source = "nothing", f"{source}; the test that probed is {outcome.state}"
                found.append((word, source))
    return found


def _gap(gap: Gap, probes: Sequence[tuple[str, str]], as_of: datetime) -> GapVerdict:
    word, source = next((p for p in probes if p[0] != "closed"), probes[0] if probes else ("", ""))
    overdue = gap.eta is not None and as_of > end_of(gap.eta)
    return GapVerdict(
        id=gap.id,
        title=gap.title,
        owner=gap.owner,
        eta=gap.eta.isoformat() if gap.eta else NO_ETA,
        requirements=gap.requirements,
        status="closable" if word == "closed" else "overdue" if overdue else "open",
        detail=f"probe says {word}: {source}" if word else "not probed",
    )


def judge_questions(page: Page) -> tuple[QuestionVerdict, ...]:
    """Return the page's open questions; one is answered by a signer role that somebody holds."""
    holders = {s.role: s for s in page.signers}
    answers = []
    for question in page.open_questions:
        signer = holders.get(question.answered_by_role or "")
        answer = (
            f"{signer.title}: {', '.join(signer.fingerprints)}" if signer and signer.fingerprints else None
        )
        answers.append(QuestionVerdict(id=question.id, title=question.title, answer=answer))
    return tuple(answers)


def judge_signers(page: Page) -> tuple[SignerVerdict, ...]:
    """Return the signer roles and who holds them."""
    return tuple(SignerVerdict(role=s.role, title=s.title, fingerprints=s.fingerprints) for s in page.signers)


def run_facts(run: Run) -> RunVerdict:
    """Return the facts of one run that every report shows."""
    start, end = run.first("run") or {}, run.first("end")
    brands = tuple(dict.fromkeys(f"{b['where']}: {b['text']}" for b in run.of("brand") if b.get("lab")))
    return RunVerdict(
        id=run.id,
        digest=run.digest,
        tester=str(start.get("tester") or "unknown"),
        environment=str(start.get("target") or "unknown"),
        started=str(start.get("at") or ""),
        ended=str(end["at"]) if end else None,
        arguments=tuple(str(a) for a in start.get("argv") or ()),
        pytest_exit=int(end["exit"]) if end and end.get("exit") is not None else None,
        complete=bool(end and end.get("complete")),
        rehearsal=bool(brands) or bool(start.get("lab")),
        brands=brands,
        versions={str(k): str(v) for k, v in (start.get("versions") or {}).items()},
    )
