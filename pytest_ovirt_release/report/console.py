"""What the terminal shows at the end of a run, as plain lines with a style word each."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.report import text, view, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.report.words import Mark, Style
    from pytest_ovirt_release.verdict.model import Reason, RequirementVerdict, Verdict

SHOWN = 12
"""How many different reasons are printed; verdict.json holds all of them."""

NARROWEST = 40
REPORTS = ("acceptance.html", "announcement.md", "junit.xml", "verdict.json")
_ASCII = str.maketrans(
    {"·": "-", "…": "...", "\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "“": '"', "”": '"'}
)
_LONGEST = 480


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


def _lines(verdict: Verdict, width: int, folder: str | None, *, ascii_only: bool) -> Iterator[Line]:
    yield from _table(verdict, width, ascii_only=ascii_only)
    yield from _list(
        f"Why {words.heading(verdict)}", verdict.reasons, width, words.VERDICTS[verdict.verdict].style
    )
    yield from _list("Remarks", words.other_remarks(verdict), width, "")
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
    name = min(max(len(r.id) for r in verdict.requirements), width // 3)
    yield Line(f"  {'requirement':<{name}}  level   proven  state", "title")
    for requirement in view.in_order(verdict):
        yield _row(requirement, name, width, ascii_only=ascii_only)


def _row(requirement: RequirementVerdict, name: int, width: int, *, ascii_only: bool) -> Line:
    worst = words.STATES[requirement.state]
    done, of = view.proven(requirement)
    several = len(requirement.cells) > 1
    states = ", ".join(f"{n} {m.word}" if several else m.word for m, n in view.state_counts(requirement))
    row = (
        f"{_symbol(worst, ascii_only=ascii_only)} {_fit(requirement.id, name):<{name}}  {requirement.level:<6}"
        f"  {f'{done}/{of}':<6}  {states}"
    )
    return Line(_fit(row, width), worst.style)


def _list(title: str, reasons: tuple[Reason, ...], width: int, style: Style) -> Iterator[Line]:
    if not reasons:
        return
    yield Line(title, "title")
    groups = view.grouped(reasons)
    for group in groups[:SHOWN]:
        about = f"{group.about} ({group.of})" if group.values else group.about
        said = f"{about}: {group.detail}" if about else group.detail
        yield from _wrapped(text.shorten(text.one_line(said), _LONGEST), width, "  - ", "    ", style)
    more = sum(group.count for group in groups[SHOWN:])
    if more:
        yield Line(f"  … and {more} more in verdict.json")


def _wrapped(said: str, width: int, first: str, rest: str, style: Style) -> Iterator[Line]:
    for part in textwrap.wrap(
        said,
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


def _fit(said: str, width: int) -> str:
    return said if len(said) <= width else said[: width - 1] + "…"


def _as_ascii(said: str) -> str:
    return said.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")
