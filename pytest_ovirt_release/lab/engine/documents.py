"""Which elements the API's documents may have: one that has another is refused as a whole."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.fault import malformed

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.document import Body

ALWAYS = frozenset({"actions", "link"})
"""Of every document that was read before it is sent back."""


def _read() -> dict[str, frozenset[str]]:
    table = (files(__package__) / "documents.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines())
    return {tag: frozenset(elements.split()) | ALWAYS for tag, elements in rows}


ELEMENTS = _read()
"""Elements of each document by its own name, as version 4 of the API has them (first level only)."""


def check(body: Body) -> None:
    """Return when all elements are known; otherwise the request is malformed."""
    known = ELEMENTS.get(body.tag)
    if known is not None and any(child.tag not in known for child in body.element):
        raise malformed(body.usage)
