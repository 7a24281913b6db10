"""The engine's search language, as far as clients use it: `name=x and status=up`, free text, wild cards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_ovirt_release.lab.engine.call import Call

    Item = TypeVar("Item")
    Fields = Mapping[str, Callable[[Item], str | tuple[str, ...]]]

_TOKEN = re.compile(r'\s*([\w.]+)\s*(!=|>=|<=|=|>|<)\s*("[^"]*"|\S+)|\s*(\S+)')
_TAIL = re.compile(
    r"\s*\b(?:sortby\s+(?P<sort>\S+)(?:\s+(?P<way>asc|desc))?)?\s*(?:\bpage\s+(?P<page>\d+))?\s*$",
    re.IGNORECASE,
)
PAGE_SIZE = 100
"""How much a page holds when the client does not say `max`."""

WORDS = frozenset({"status", "type", "severity"})
"""Fields whose values are words of the engine's own, which it reads in any case."""

SEVERITIES = ("normal", "warning", "error", "alert")
"""Of all fields here only this one has an order besides the alphabet's, and can be asked for more or less."""


@dataclass(frozen=True)
class Term:
    """One comparison; field None is free text."""

    field: str | None
    sign: str
    value: str

    @property
    def word(self) -> bool:
        """Return whether the field holds one of the engine's own words; `hosts.status` does too."""
        return (self.field or "").rpartition(".")[2] in WORDS


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
        alternatives[-1].append(Term(field.lower() if field else None, sign or "=", text))
    return alternatives


def found(items: Iterable[Item], call: Call, fields: Fields[Item], order: str | None = "name") -> list[Item]:
    """Return the items that a request's `search` matches: in its order, its page of them, `max` at the most.

    Without `sortby` they come in the order of their names, as the engine's own searches do (recorded for hosts);
    with `order` None as they are. A field that the collection does not have is no mistake: it is searched for as
    free text, like a word without a field. The values of `status` are the back end's: `pendingapproval`, not
    `pending_approval` (both recorded). Upper and lower case differ unless `case_sensitive` is false.
    """
    query, most = call.query.get("search") or "", call.limit()
    exact = call.flag("case_sensitive", default=True)
    tail = _TAIL.search(query)
    alternatives = parse(query[: tail.start()] if tail else query)
    matching = [
        item for item in items if any(_holds(item, terms, fields, exact=exact) for terms in alternatives)
    ]
    if order is not None:
        matching.sort(key=fields[order])
    if tail is None:
        return matching[:most]
    if (by := fields.get((tail["sort"] or "").lower())) is not None:
        matching.sort(key=by, reverse=(tail["way"] or "").lower() == "desc")
    first = 0 if tail["page"] is None else (int(tail["page"]) - 1) * (PAGE_SIZE if most is None else most)
    size = PAGE_SIZE if tail["page"] is not None and most is None else most
    return matching[max(first, 0) :][:size]


def _holds(item: Item, terms: list[Term], fields: Fields[Item], *, exact: bool) -> bool:
    return all(_matches(item, term, fields, exact=exact) for term in terms)


def _matches(item: Item, term: Term, fields: Fields[Item], *, exact: bool) -> bool:
    read = fields.get(term.field or "")
    if read is None:
        text = term.value if term.field is None else f"{term.field}{term.sign}{term.value}"
        return any(
            _like(value, f"*{text}*", exact=exact)
            for field in fields.values()
            for value in _values(field(item))
        )
    values = _values(read(item))
    if term.word:
        values, exact = tuple(value.replace("_", "") for value in values), False
    if term.sign not in {"=", "!="}:
        return any(_compared(value, term) for value in values)
    if term.value.lower() in {"", "null"}:
        return any(values) == (term.sign == "!=")
    return any(_like(value, term.value, exact=exact) for value in values) != (term.sign == "!=")


def _like(value: str, pattern: str, *, exact: bool) -> bool:
    """Return whether a text is as a pattern says, in which only the star is a wild card."""
    wanted = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(wanted, value, re.DOTALL if exact else re.DOTALL | re.IGNORECASE) is not None


def _compared(value: str, term: Term) -> bool:
    """Return whether a severity is above or below another; nothing else here has an order."""
    if value not in SEVERITIES or (wanted := term.value.lower()) not in SEVERITIES:
        return False
    distance = SEVERITIES.index(value) - SEVERITIES.index(wanted)
    if distance == 0:
        return "=" in term.sign
    return (distance > 0) == (term.sign[0] == ">")


def _values(read: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return what a field holds; one that belongs to other objects (`storage.name`) may hold several."""
    return (read,) if isinstance(read, str) else read
