"""The engine's search language, as far as clients use it: `name=x and status=up`, free text, wild cards."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Item = TypeVar("Item")
    Fields = Mapping[str, Callable[[Item], str]]

_TOKEN = re.compile(r'\s*([\w.]+)\s*(!=|=)\s*("[^"]*"|\S+)|\s*(\S+)')
_TAIL = re.compile(r"\s*\b(sortby\s+\S+(\s+(asc|desc))?|page\s+\d+)\b.*$", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """One comparison; field None is free text."""

    field: str | None
    negated: bool
    value: str


def parse(query: str) -> list[list[Term]]:
    """Return alternatives (joined by `or`) of comparisons that must all hold."""
    alternatives: list[list[Term]] = [[]]
    for match in _TOKEN.finditer(_TAIL.sub("", query)):
        field, sign, value, word = match.groups()
        if word is not None and word.lower() in {"and", "or"}:
            if word.lower() == "or":
                alternatives.append([])
            continue
        text = (word if field is None else value).strip('"')
        alternatives[-1].append(Term(field.lower() if field else None, sign == "!=", text.lower()))
    return alternatives


def found(items: Iterable[Item], query: str | None, fields: Fields[Item]) -> list[Item]:
    """Return the items that a query matches.

    A field that the collection does not have is no mistake: it is searched for as free text, like a word
    without a field. The values of `status` are the back end's: `pendingapproval`, not `pending_approval`
    (both recorded).
    """
    if not query or not query.strip():
        return list(items)
    alternatives = parse(query)
    return [item for item in items if any(_holds(item, terms, fields) for terms in alternatives)]


def _holds(item: Item, terms: list[Term], fields: Fields[Item]) -> bool:
    return all(_matches(item, term, fields) for term in terms)


def _matches(item: Item, term: Term, fields: Fields[Item]) -> bool:
    read = fields.get(term.field or "")
    if read is None:
        text = term.value if term.field is None else f"{term.field}={term.value}"
        return any(fnmatch.fnmatchcase(field(item).lower(), f"*{text}*") for field in fields.values())
    value = read(item).lower()
    if term.field == "status":
        value = value.replace("_", "")
    return fnmatch.fnmatchcase(value, term.value) != term.negated
