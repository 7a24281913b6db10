"""The announcement as a mail: plain text of 72 columns, the same facts as announcement.md.

Whatever comes from outside stays inside its own indented line or list item, so that no name or reason of a
tester can pass for a heading, a quotation or the signature line of the mail.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from pytest_ovirt_release.report import links, said, text, view, words
from pytest_ovirt_release.report.waivers import Waivers
from pytest_ovirt_release.verdict.states import MAY_SHIP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_ovirt_release.verdict.model import Verdict

WIDTH = 72
"""Columns; a long word such as a digest or an address stands out rather than being broken."""

_LONGEST = 600
_BANNER = "*** {} ***"


def render(verdict: Verdict) -> str:
    """Return the mail: a subject line, an empty line, the text."""
    parts: tuple[Iterable[str], ...] = (
        _head(verdict),
        _reasons(verdict),
        _waivers(verdict),
        _requirements(verdict),
        _not_proven(verdict),
        _gaps(verdict),
        _signers(verdict),
        _candidate(verdict),
        _how(verdict),
        ("", text.one_line(verdict.last_line())),
    )
    return "\n".join(line for part in parts for line in part).rstrip("\n") + "\n"


def _head(verdict: Verdict) -> Iterator[str]:
    name = text.one_line(words.subject(verdict))
    yield f"Subject: [draft] {name}: {words.heading(verdict)}"
    yield ""
    yield from _wrapped(
        f"{name}. Verdict: {words.heading(verdict)}. {words.VERDICTS[verdict.verdict].meaning}"
    )
    if verdict.rehearsal:
        yield ""
        yield _BANNER.format(words.REHEARSAL)
        yield from _wrapped(f"{words.REHEARSAL_SENTENCE} Do not send this.")
    elif verdict.verdict not in MAY_SHIP:
        yield ""
        yield _BANNER.format("NOT TO BE SENT")
        yield from _wrapped(f"This release must not be announced on a verdict of {words.heading(verdict)}.")


def _reasons(verdict: Verdict) -> Iterator[str]:
    groups = said.grouped(said.reasons(verdict))
    yield from _section("Why", (f"{g.whom}: {g.detail}" if g.about else g.detail for g in groups))


def _waivers(verdict: Verdict) -> Iterator[str]:
    used = Waivers(verdict).used
    items = [
        f"{said.listed(told.waiver.used_for)}: accepted by {told.approver} until {told.until}, "
        f"waiver {told.waiver.id}: {told.waiver.reason}"
        for told in used
    ]
    if not items:
        return
    yield from _section("Accepted without a proof (waivers)", items)
    yield from _wrapped(words.NOT_AUTHENTICATED)


def _requirements(verdict: Verdict) -> Iterator[str]:
    rows = [
        f"{r.level.upper():<6}  {view.proven(r)[0]} of {view.proven(r)[1]}  {r.title} ({view.state_words(r)})"
        for r in view.in_order(verdict)
    ]
    yield from _section("What was proven", rows)


def _not_proven(verdict: Verdict) -> Iterator[str]:
    items = []
    for item in view.not_proven(verdict):
        waived = f", {words.WAIVED.word}" if item.cell.disposition == "waived" else ""
        state = words.STATES[item.cell.state].word
        items.append(f"{item.requirement.level.upper()} {item.cell.id} ({state}{waived}): {item.why}")
    yield from _section("What was not proven", items)


def _gaps(verdict: Verdict) -> Iterator[str]:
    yield from _section(
        "Known gaps",
        (
            f"{gap.title} ({gap.status}; owner {gap.owner}, ETA {text.utc(gap.eta)})"
            f"{f'. {gap.detail}' if gap.detail else ''}"
            for gap in verdict.gaps
        ),
    )


def _signers(verdict: Verdict) -> Iterator[str]:
    yield from _section(
        "Who signs",
        (f"{s.title}: {', '.join(s.fingerprints) or 'unassigned'}" for s in verdict.signers),
    )


def _candidate(verdict: Verdict) -> Iterator[str]:
    if verdict.candidate is None:
        return
    items = [f"Candidate file: SHA-256 {verdict.candidate.sha256}"]
    if verdict.page:
        address = links.web_link(verdict.page.uri)
        items.append(f"Release page: {f'{address} ' if address else ''}SHA-256 {verdict.page.sha256}")
    columns = view.component_columns(verdict.candidate)
    items += [" ".join(c[key] for key in columns if c.get(key)) for c in verdict.candidate.components]
    items += [f"{f.name} SHA-256 {f.sha256}" for f in verdict.candidate.files]
    yield from _section("The candidate, exactly", items)


def _how(verdict: Verdict) -> Iterator[str]:
    items = [
        f"Run {run.id}{f' ({words.REHEARSAL})' if run.rehearsal else ''} by {run.tester} on {run.environment}, "
        f"{text.utc(run.started)}{f', SHA-256 {run.digest}' if run.digest else ''}"
        for run in verdict.runs
    ]
    items.append(f"Judged {text.utc(verdict.as_of)} by {verdict.generated_by}")
    items += [f"Refused, does not count: {run.name}: {run.detail}" for run in verdict.refused]
    yield from _section("How this was judged", items)


def _section(title: str, items: Iterable[str]) -> Iterator[str]:
    found = list(items)
    if not found:
        return
    yield ""
    yield title
    yield "-" * len(title)
    for item in found:
        yield from _wrapped(text.shorten(text.one_line(item), _LONGEST), "* ", "  ")


def _wrapped(sentence: str, first: str = "", rest: str = "") -> Iterator[str]:
    yield from textwrap.wrap(
        sentence,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
