"""Does a release page still say what its wiki page says? Line by line, by digest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_ovirt_release.release.page import Page, PageLine, Requirement

# Only capitals: the wiki page writes its demands that way, and "should be by then" is none.
_WORD = re.compile(r"\b(MUST|SHOULD)\b")
_LONGEST = 90


@dataclass(frozen=True)
class PageCheck:
    """What was compared, and one sentence for everything that does not fit."""

    demands: int
    requirements: int
    findings: tuple[str, ...]


@dataclass(frozen=True)
class _Line:
    number: int
    text: str
    sha256: str

    @property
    def levels(self) -> frozenset[str]:
        return frozenset(word.lower() for word in _WORD.findall(self.text))


def check_page(page: Page, wiki: bytes) -> PageCheck:
    """Compare a release page with the wiki page it was read from.

    Found are: demands (lines with MUST or SHOULD) that no requirement of that level stands for, lines whose
    digest no longer fits (with the number of the line where that text stands now), requirements whose line
    is not there or demands nothing, and a wiki page that changed as a whole.
    """
    lines = [_line(n, text) for n, text in enumerate(wiki.decode("utf-8", "replace").split("\n"), start=1)]
    findings: list[str] = []
    covered: set[tuple[int, str]] = set()
    for requirement in page.requirements:
        found, sentences = _locate(requirement, lines)
        findings += sentences
        if found is not None:
            covered.add((found.number, requirement.level))
            findings += _level(requirement, found)
    demands = [(line, level) for line in lines for level in sorted(line.levels)]
    findings += [
        f"line {line.number}: {level.upper()} without a requirement: {_short(line.text)}"
        for line, level in demands
        if (line.number, level) not in covered
    ]
    if hashlib.sha256(wiki).hexdigest() != page.source.sha256:
        findings.append(
            "source.sha256: the wiki page changed; read its timeline, gaps and open questions again, then put in "
            + hashlib.sha256(wiki).hexdigest()
        )
    return PageCheck(len(demands), len(page.requirements), tuple(findings))


def _line(number: int, text: str) -> _Line:
    stripped = text.strip()
    return _Line(number, stripped, hashlib.sha256(stripped.encode()).hexdigest())


def _locate(requirement: Requirement, lines: list[_Line]) -> tuple[_Line | None, list[str]]:
    """Return the line that a requirement stands for, and what is wrong with its reference and its detail's."""
    found, sentence = _find(requirement.id, requirement, lines)
    sentences = [sentence] if sentence else []
    if requirement.detail is not None:
        _, about_detail = _find(f"{requirement.id}.detail", requirement.detail, lines)
        sentences += [about_detail] if about_detail else []
    return found, sentences


def _find(where: str, wanted: PageLine | Requirement, lines: list[_Line]) -> tuple[_Line | None, str | None]:
    declared = lines[wanted.line - 1] if wanted.line <= len(lines) else None
    if declared is not None and declared.sha256 == wanted.sha256:
        return declared, None
    same = [line for line in lines if line.sha256 == wanted.sha256]
    if same:
        nearest = min(same, key=lambda line: abs(line.number - wanted.line))
        return nearest, f"{where}: its text moved from line {wanted.line} to line {nearest.number}"
    if declared is None or not declared.text:
        what = f"has only {len(lines)} lines" if declared is None else "is empty there"
        return None, f"{where}: no line {wanted.line}: the wiki page {what}, and the text stands nowhere else"
    return declared, f"{where}: line {wanted.line} changed; it now reads: {_short(declared.text)}"


def _level(requirement: Requirement, line: _Line) -> Iterator[str]:
    if not line.levels:
        yield f"{requirement.id}: line {line.number} demands nothing (no MUST, no SHOULD): {_short(line.text)}"
    elif requirement.level not in line.levels:
        said = " and ".join(sorted(line.levels)).upper()
        yield f"{requirement.id}: level is {requirement.level!r}, but line {line.number} says {said}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
