"""The engine's search language, as far as clients use it: `name=x and status=up`, free text, wild cards."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Item = TypeVar("Item")
    Fields = Mapping[str, Callable[[Item], str | tuple[str, ...]]]

_TOKEN = re.compile(r'\s*([\w.]+)\s*(!=|=)\s*("[^"]*"|\S+)|\s*(\S+)')
_TAIL = re.compile(
    r"\s*\b(?:sortby\s+(?P<sort>\S+)(?:\s+(?P<way>asc|desc))?)?\s*(?:\bpage\s+(?P<page>\d+))?\s*$",
    re.IGNORECASE,
)
PAGE_SIZE = 100
"""How much a page holds when the client does not say `max`."""


@dataclass(frozen=True)
class Term:
    """One comparison; field None is free text."""

    field: str | None
    negated: bool
    value: str


def parse(query: str) -> list[list[Term]]:
    """Return alternatives (joined by `or`) of comparisons that must all hold."""
    alternatives: list[list[Term]] = [[]]
    for match in _TOKEN.finditer(query):
        field, sign, value, word = match.groups()
        if word is not None and word.lower() in {"and", "or"}:
            if word.lower() == "or":
                alternatives.append([])
            continue
        text = (word if field is None else value).strip('"')
        alternatives[-1].append(Term(field.lower() if field else None, sign == "!=", text.lower()))
    return alternatives


def found(
    items: Iterable[Item], query: str | None, fields: Fields[Item], most: int | None = None
) -> list[Item]:
    """Return the items that a query matches, in its order, its page of them, `most` at the most.

    A field that the collection does not have is no mistake: it is searched for as free text, like a word
    without a field. The values of `status` are the back end's: `pendingapproval`, not `pending_approval`
    (both recorded).
    """
    query = query or ""
    tail = _TAIL.search(query)
    wanted = query[: tail.start()] if tail else query
    alternatives = parse(wanted)
    matching = [item for item in items if any(_holds(item, terms, fields) for terms in alternatives)]
    if tail is None:
        return matching[:most]
    if (by := fields.get((tail["sort"] or "").lower())) is not None:
        matching.sort(key=by, reverse=(tail["way"] or "").lower() == "desc")
    first = 0 if tail["page"] is None else (int(tail["page"]) - 1) * (PAGE_SIZE if most is None else most)
    size = PAGE_SIZE if tail["page"] is not None and most is None else most
    return matching[max(first, 0) :][:size]


def _holds(item: Item, terms: list[Term], fields: Fields[Item]) -> bool:
    return all(_matches(item, term, fields) for term in terms)


def _matches(item: Item, term: Term, fields: Fields[Item]) -> bool:
    read = fields.get(term.field or "")
    if read is None:
        text = term.value if term.field is None else f"{term.field}={term.value}"
        return any(
            fnmatch.fnmatchcase(value, f"*{text}*")
            for field in fields.values()
            for value in _values(field(item))
        )
    values = _values(read(item))
    if (term.field or "").endswith("status"):
        values = tuple(value.replace("_", "") for value in values)
    return any(fnmatch.fnmatchcase(value, term.value) for value in values) != term.negated


def _values(read: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return what a field holds; one that belongs to other objects (`storage.name`) may hold several."""
    return (read.lower(),) if isinstance(read, str) else tuple(value.lower() for value in read)
