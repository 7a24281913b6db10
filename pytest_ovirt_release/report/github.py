"""What GitHub Actions shows of a verdict: annotations on the run, and the job's summary page.

Workflow commands are lines of the log that begin with `::`; a text from outside must never make a second one,
so line ends and `%` are always escaped. Pure; who writes where is the plugin's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.report import markdown, said, text, view, words
from pytest_ovirt_release.verdict.states import MAY_SHIP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.verdict.model import Verdict

MOST = 10
"""Annotations of one kind that GitHub keeps of one step; the summary has them all."""

LARGEST_SUMMARY = 1024 * 1024
"""Bytes of one step's summary; GitHub shows nothing at all of a larger one."""

_LONGEST = 400


def workflow_commands(verdict: Verdict) -> tuple[str, ...]:
    """Return the workflow commands: an error for what stands against a GO, a warning for what only shows."""
    found = list(_found(verdict))
    errors = [line for kind, line in found if kind == "error"]
    warnings = [line for kind, line in found if kind == "warning"]
    return (*errors[:MOST], *warnings[:MOST], command("notice", "Verdict", verdict.last_line()))


def summary(verdict: Verdict, taken: int = 0) -> str:
    """Return the job's summary as Markdown, small enough for GitHub to show it after `taken` bytes of others."""
    whole = markdown.render(verdict)
    if taken + len(whole.encode()) <= LARGEST_SUMMARY:
        return whole
    mark = words.VERDICTS[verdict.verdict]
    return (
        f"# {markdown.escape(words.subject(verdict))}\n\n**Verdict: {words.heading(verdict)}.** {mark.meaning}\n\n"
        f"The details are too large for this page; they are in announcement.md and acceptance.html.\n\n"
        f"{markdown.code(verdict.last_line())}\n"
    )


def _found(verdict: Verdict) -> Iterator[tuple[str, str]]:
    kind = "warning" if verdict.verdict in MAY_SHIP else "error"
    for group in said.grouped(said.reasons(verdict)):
        yield kind, command(kind, group.whom or words.heading(verdict), group.detail)
    named = {r.cell for r in verdict.reasons}
    for item in view.not_proven(verdict):
        if item.cell.id not in named:
            state = words.STATES[item.cell.state].word
            title = f"{item.requirement.level.upper()} {item.cell.id} ({state})"
            yield "warning", command("warning", title, item.why)


def command(kind: str, title: str, message: str) -> str:
    """Return one workflow command; whatever the texts hold, it is one line and one command."""
    shown = text.shorten(text.one_line(message), _LONGEST)
    return f"::{kind} title={_property(text.one_line(title))}::{_data(shown)}"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
