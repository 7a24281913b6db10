"""What the terminal shows at the end of a run, as plain lines with a style word each."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.report import said, text, view, words
from pytest_ovirt_release.report.waivers import Waivers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.report.waivers import Told
    from pytest_ovirt_release.report.words import Mark, Style
    from pytest_ovirt_release.verdict.diff import Difference
    from pytest_ovirt_release.verdict.model import Reason, RequirementVerdict, Verdict

SHOWN = 12
"""How many different reasons, waivers or refused runs are printed; verdict.json holds all of them."""

NARROWEST = 40
REPORTS = ("acceptance.html", "announcement.md", "junit.xml", "verdict.json")
_ASCII = str.maketrans(
    {"·": "-", "…": "...", "\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "“": '"', "”": '"'}
)
QUIET = -1
"""The verbosity of `pytest -q`."""

_FIRST = "requirement"
_LONGEST = 480
DETAIL = 120


@dataclass(frozen=True)
class Line:
    """One line without its line end, and how the terminal may colour it."""

    text: str
    style: Style = ""


def lines(
    verdict: Verdict,
    width: int = 80,
    *,
    folder: str | None = None,
    ascii_only: bool = False,
    process_exit: int | None = None,
) -> list[Line]:
    """Return the lines that end a run; the last one is always `verdict.last_line()`.

    `process_exit` is what the process ends with, where that is not the verdict's own code.

    Nothing is wider than `width` columns but for what must stay copyable in one piece: a long word, the path
    of the reports, and the last line. With `ascii_only`, for terminals without Unicode, all else is escaped.
    """
    found = list(_lines(verdict, max(width, NARROWEST), folder, ascii_only=ascii_only))
    found.append(Line(text.one_line(verdict.last_line(process_exit)), words.VERDICTS[verdict.verdict].style))
    return [Line(_as_ascii(line.text), line.style) for line in found] if ascii_only else found


def quieter(found: list[Line], verbosity: int) -> list[Line]:
    """Return what of these lines is said with pytest's -q (nothing that is well) and -qq (the last line alone)."""
    if verbosity < QUIET:
        return found[-1:]
    return found if verbosity > QUIET else [*(line for line in found[:-1] if line.style != "good"), found[-1]]


def _lines(verdict: Verdict, width: int, folder: str | None, *, ascii_only: bool) -> Iterator[Line]:
    yield from _table(verdict, width, ascii_only=ascii_only)
    yield from _waivers(verdict, width, ascii_only=ascii_only)
    yield from _list(
        f"Why {words.heading(verdict)}", said.reasons(verdict), width, words.VERDICTS[verdict.verdict].style
    )
    yield from _refused(verdict, width)
    yield from _list("Remarks", said.remarks(verdict), width, "")
    command = words.finish_command(verdict)
    if command:
        yield Line("To finish, run", "title")
        yield from (Line(part) for part in _command(command, width))
    if folder:
        yield Line("Reports", "title")
        yield Line(f"  {text.one_line(folder).rstrip('/')}/")
        yield Line(f"    {' '.join(REPORTS)}")
    if verdict.rehearsal:
        yield from _wrapped(f"{words.REHEARSAL}: {words.REHEARSAL_SENTENCE}", width, "", "", "warn")


def _table(verdict: Verdict, width: int, *, ascii_only: bool) -> Iterator[Line]:
    if not verdict.requirements:
        return
    name = min(max(len(word) for word in (_FIRST, *(r.id for r in verdict.requirements))), width // 3)
    yield Line(f"  {_FIRST:<{name}}  level   proven  state", "title")
    for requirement in view.in_order(verdict):
        yield _row(requirement, name, width, ascii_only=ascii_only)


def _row(requirement: RequirementVerdict, name: int, width: int, *, ascii_only: bool) -> Line:
    worst = words.STATES[requirement.state]
    done, of = view.proven(requirement)
    row = (
        f"{_symbol(worst, ascii_only=ascii_only)} {_fit(requirement.id, name):<{name}}  {requirement.level:<6}"
        f"  {f'{done}/{of}':<6}  {view.state_words(requirement)}"
    )
    return Line(_fit(row, width), worst.style)


def _waivers(verdict: Verdict, width: int, *, ascii_only: bool) -> Iterator[Line]:
    """Yield what every waiver accepts or why it does not; no other list says it again."""
    told = Waivers(verdict).told
    if not told:
        return
    yield Line("Waivers (the names of approvers are not authenticated)", "title")
    for waiver in told[:SHOWN]:
        mark = waiver.mark
        first = f"{_symbol(mark, ascii_only=ascii_only)} {mark.word}: {waiver.waiver.id}"
        yield from _item(f"{first}{_became(waiver)}", width, "  ", mark.style)
    yield from _more(len(told) - SHOWN)


def _became(told: Told) -> str:
    """Return what became of a waiver, to be read on after its name."""
    waiver = told.waiver
    if waiver.status == "used":
        cells = said.listed(waiver.used_for)
        return f", for {cells}; until {told.until}, by {told.approver}: {waiver.reason}"
    soon = f" (and expires soon, on {text.utc(waiver.expires)})" if waiver.expires_soon else ""
    return f": {told.detail or waiver.reason}{soon}"


def _refused(verdict: Verdict, width: int) -> Iterator[Line]:
    runs = said.refused(verdict)
    if not runs:
        return
    yield Line("Runs that were refused and do not count", "title")
    for run in runs[:SHOWN]:
        yield from _item(f"{run.name}: {run.detail}", width, "  - ", "warn")
    yield from _more(len(runs) - SHOWN)


def _list(title: str, reasons: tuple[Reason, ...], width: int, style: Style) -> Iterator[Line]:
    if not reasons:
        return
    yield Line(title, "title")
    groups = said.grouped(reasons)
    for group in groups[:SHOWN]:
        yield from _item(
            f"{group.whom}: {group.detail}" if group.about else group.detail, width, "  - ", style
        )
    yield from _more(sum(group.count for group in groups[SHOWN:]))


def _item(sentence: str, width: int, first: str, style: Style) -> Iterator[Line]:
    return _wrapped(text.shorten(text.one_line(sentence), _LONGEST), width, first, "    ", style)


def _more(number: int) -> Iterator[Line]:
    if number > 0:
        yield Line(f"  … and {number} more in verdict.json")


def _wrapped(sentence: str, width: int, first: str, rest: str, style: Style) -> Iterator[Line]:
    for part in textwrap.wrap(
        sentence,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield Line(part, style)


def _command(command: str, width: int) -> Iterator[str]:
    """Break a command between its words in the way a shell reads on, so that it can be pasted as it stands."""
    tokens = re.findall(r"(?:[^\s'\"]|'[^']*'|\"[^\"]*\"|['\"])+", text.one_line(command))
    row = " "
    for token in tokens:
        if len(row) + 1 + len(token) > width - 2 and row.strip():
            yield f"{row} \\"
            row = "   "
        row += f" {token}"
    yield row


def _symbol(mark: Mark, *, ascii_only: bool) -> str:
    return mark.ascii if ascii_only else mark.symbol


def _fit(row: str, width: int) -> str:
    return row if len(row) <= width else row[: width - 1] + "…"


def _as_ascii(line: str) -> str:
    return line.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def difference_lines(found: Difference) -> Iterator[str]:
    """Yield the lines that say what changed from one verdict to another, the worst first."""
    kinds = (
        ("regressed", found.regressed),
        ("newly unproven", found.newly_unproven),
        ("newly waived", found.newly_waived),
        ("fixed", found.fixed),
        ("no longer asked for", found.dropped),
    )
    for title, changes in kinds:
        if changes:
            yield f"{title}: {len(changes)}"
        for change in changes:
            said = text.shorten(text.one_line(change.detail), DETAIL)
            states = f"{change.old or 'new'} -> {change.new or 'gone'}"
            yield f"  {change.level} {text.one_line(change.cell)}: {states}{f': {said}' if said else ''}"
    if not any(changes for _, changes in kinds):
        yield "no cell changed"
    if found.old.page_sha256 != found.new.page_sha256:
        yield "the release page changed between them"
    if found.old.rehearsal != found.new.rehearsal:
        yield "one of them is a REHEARSAL, the other is not"
    yield f"{found.old.verdict} -> {found.new.verdict}"
