"""No report says GO or GO-CONDITIONAL as a verdict unless it is the verdict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_ovirt_release.report import console, github, html, junit, mail, markdown, pytest_html
from pytest_ovirt_release.verdict.states import EXIT_CODES

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.verdict.model import Verdict
    from pytest_ovirt_release.verdict.states import Word

REPORTS: dict[str, Callable[[Verdict], str]] = {
    "html": html.render,
    "markdown": markdown.render,
    "mail": lambda verdict: " ".join(mail.render(verdict).split()),
    "GitHub annotations": lambda verdict: "\n".join(github.workflow_commands(verdict)),
    "GitHub summary": github.summary,
    "GitHub summary, cut": lambda verdict: github.summary(verdict, github.LARGEST_SUMMARY),
    "junit": junit.render,
    "pytest-html": lambda verdict: "".join(pytest_html.summary_fragments(verdict)),
    "console": lambda verdict: "\n".join(line.text for line in console.lines(verdict, 400)),
}
WORD = re.compile(r"(?<![\w-])GO(?:-CONDITIONAL)?(?![\w-])")
DENIAL = "This is not a GO."


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("word", ["NO-GO", "INCOMPLETE", "INVALID", "GO-CONDITIONAL"])
@pytest.mark.parametrize("name", ["go", "no_go", "conditional"])
def test_the_word_is_the_verdicts_own(
    name: str, word: Word, report: str, request: pytest.FixtureRequest
) -> None:
    given: Verdict = request.getfixturevalue(name)
    # A copy is not validated: so a report is shown cells that would allow more, or less, than the verdict says.
    verdict = given.model_copy(update={"verdict": word, "exit_code": EXIT_CODES[word]})
    said = set(WORD.findall(REPORTS[report](verdict).replace(DENIAL, "")))
    assert said <= {word}
    assert word in REPORTS[report](verdict)
