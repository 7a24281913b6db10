"""announcement.md: a draft that the release manager reads, completes and sends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_ovirt_release.report import links, said, text, view, words
from pytest_ovirt_release.report.waivers import Waivers
from pytest_ovirt_release.verdict.states import MAY_SHIP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_ovirt_release.report.said import Said
    from pytest_ovirt_release.verdict.model import CandidateFacts, Verdict

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&])")
_BLOCK_START = re.compile(r"^([#+=-]|\d+[.)](?=\s|$))")
_LONGEST = 600


def escape(value: object) -> str:
    """Return a text as one line that Markdown shows as it is: no markup, no HTML, no table cell, no bare link."""
    line = text.shorten(text.one_line(value), _LONGEST)
    line = _SPECIAL.sub(r"\\\1", line).replace("://", "\\://")
    return _BLOCK_START.sub(lambda m: f"{m.group()[:-1]}\\{m.group()[-1]}", line)


def code(value: object) -> str:
    """Return a text as inline code, with a fence longer than any run of backticks in it."""
    line = text.one_line(value)
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line.replace('|', chr(92) + '|')}{pad}{fence}"


def render(verdict: Verdict) -> str:
    """Return the draft of the announcement."""
    parts: tuple[Iterable[str], ...] = (
        _head(verdict),
        _reasons(verdict),
        _waivers(verdict),
        _table(verdict),
        _not_proven(verdict),
        _gaps(verdict),
        _signers(verdict),
        _candidate(verdict),
        _how(verdict),
        _refused(verdict),
        ("", code(verdict.last_line())),
    )
    return "\n".join(line for part in parts for line in part).rstrip("\n") + "\n"


def _head(verdict: Verdict) -> Iterator[str]:
    mark = words.VERDICTS[verdict.verdict]
    yield f"# {escape(words.subject(verdict))} (draft announcement)"
    yield ""
    yield f"**Verdict: {words.heading(verdict)}.** {mark.meaning}"
    yield ""
    if verdict.rehearsal:
        yield f"> **{words.REHEARSAL}.** {words.REHEARSAL_SENTENCE} Do not send this."
        yield ""
    elif verdict.verdict not in MAY_SHIP:
        yield f"> This release must not be announced on a verdict of {words.heading(verdict)}."
        yield ""


def _reasons(verdict: Verdict) -> Iterator[str]:
    if not verdict.reasons:
        return
    yield "## Why"
    yield ""
    for group in said.grouped(said.reasons(verdict)):
        about = f"{_whom(group)}: " if group.about else ""
        yield f"- {about}{escape(group.detail)}"
    yield ""
    command = words.finish_command(verdict)
    if command:
        yield f"To finish: {code(command)}"
        yield ""


def _whom(group: Said) -> str:
    return f"{code(group.about)} ({escape(group.of)})" if group.values else code(group.about)


def _waivers(verdict: Verdict) -> Iterator[str]:
    """Yield what was accepted without a proof: whoever reads the announcement has to know."""
    used = Waivers(verdict).used
    if not used:
        return
    yield "## Waivers"
    yield ""
    yield f"What is named here is not proven; it was accepted. {words.NOT_AUTHENTICATED}"
    yield ""
    for told in used:
        cells = ", ".join(_whom(group) for group in told.used_for)
        yield (
            f"- {cells}: accepted by {escape(told.approver)} until {escape(told.until)}, "
            f"waiver {code(told.waiver.id)}: {escape(told.waiver.reason)}"
        )
    yield ""


def _table(verdict: Verdict) -> Iterator[str]:
    if not verdict.requirements:
        return
    yield "## What was proven"
    yield ""
    yield from _rows(
        ("Level", "Requirement", "Proven", "State"),
        [
            (
                r.level.upper(),
                escape(r.title),
                f"{view.proven(r)[0]} of {view.proven(r)[1]}",
                view.state_words(r),
            )
            for r in view.in_order(verdict)
        ],
    )


def _not_proven(verdict: Verdict) -> Iterator[str]:
    found = view.not_proven(verdict)
    if not found:
        return
    yield "## What was not proven"
    yield ""
    for item in found:
        waived = f", {words.WAIVED.word}" if item.cell.disposition == "waived" else ""
        state = words.STATES[item.cell.state].word
        level = item.requirement.level.upper()
        yield f"- {level} {code(item.cell.id)} ({state}{waived}): {escape(item.why)}"
    yield ""


def _gaps(verdict: Verdict) -> Iterator[str]:
    if not verdict.gaps:
        return
    yield "## Known gaps"
    yield ""
    for gap in verdict.gaps:
        yield f"- {escape(gap.title)} ({gap.status}; owner {escape(gap.owner)}, ETA {escape(text.utc(gap.eta))})"
        if gap.detail:
            yield f"  {escape(gap.detail)}"
    yield ""


def _signers(verdict: Verdict) -> Iterator[str]:
    if not verdict.signers:
        return
    yield "## Who signs"
    yield ""
    for signer in verdict.signers:
        who = ", ".join(code(f) for f in signer.fingerprints) or "unassigned"
        yield f"- {escape(signer.title)}: {who}"
    yield ""


def _candidate(verdict: Verdict) -> Iterator[str]:
    if verdict.candidate is None:
        return
    yield "## The candidate, exactly"
    yield ""
    yield f"- Candidate file: SHA-256 {code(verdict.candidate.sha256)}"
    if verdict.page:
        address = links.web_link(verdict.page.uri)
        where = f"<{address}>, " if address else ""
        yield f"- Release page: {where}SHA-256 {code(verdict.page.sha256)}"
    yield ""
    columns = view.component_columns(verdict.candidate)
    if columns:
        yield from _rows(tuple(escape(c) for c in columns), _components(verdict.candidate, columns))
    if verdict.candidate.files:
        yield "Its files, to be compared by whoever downloads them:"
        yield ""
        files = [(escape(f.component), code(f.name), code(f.sha256)) for f in verdict.candidate.files]
        yield from _rows(("Component", "File", "SHA-256"), files)


def _components(candidate: CandidateFacts, columns: Sequence[str]) -> list[tuple[str, ...]]:
    return [
        tuple(
            code(value) if links.is_hex(value) else escape(value) for value in (c.get(k, "") for k in columns)
        )
        for c in candidate.components
    ]


def _how(verdict: Verdict) -> Iterator[str]:
    yield "## How this was judged"
    yield ""
    for run in verdict.runs:
        kind = f" ({words.REHEARSAL})" if run.rehearsal else ""
        yield (
            f"- Run {code(run.id)}{kind} by {escape(run.tester)} on {escape(run.environment)}, "
            f"{escape(text.utc(run.started))}{f', SHA-256 {code(run.digest)}' if run.digest else ''}"
        )
    yield f"- Judged {escape(text.utc(verdict.as_of))} by {escape(verdict.generated_by)}"


def _refused(verdict: Verdict) -> Iterator[str]:
    if not verdict.refused:
        return
    yield ""
    yield "These runs were refused and do not count:"
    yield ""
    for run in verdict.refused:
        which = f" (run {code(run.run)})" if run.run else ""
        yield f"- {code(run.name)}{which}: {escape(run.detail)}"


def _rows(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""
