"""An answer as a set of lines that two engines can agree on: element paths, attributes, and texts with names for ids."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
LOG = re.compile(r"/\S*/\S+-\d{14}-\S+\.log")
"""A play's log file: its place and its name's time are another machine's."""

SESSION = re.compile(r"(?<=using session ')[^']+(?=')")
LONGEST = 600
"""Characters of a page that is no document; a longer one is only named by its kind."""


@dataclass
class Names:
    """Which object an id belongs to, learned from documents that say both; ids nobody names stay `<id>`."""

    base: str
    plain_base: str
    known: dict[str, str] = field(default_factory=dict)

    def learn(self, body: bytes) -> None:
        """Learn the ids of all named elements of a document; the first name of an id stays."""
        root = parse(body)
        for element in root.iter() if root is not None else ():
            if (id_ := element.get("id")) and (name := (element.findtext("name") or "").strip()):
                self.known.setdefault(id_, f"{{{kind_of(element)}:{name}}}")

    def symbols(self, text: str) -> str:
        """Return a text with names for ids, where they are known."""
        return UUID.sub(lambda m: self.known.get(m[0], m[0]), text)

    def plain(self, text: str) -> str:
        """Return a text that does not depend on when and where: names, `<id>`, `<time>`, `{base}`, `{session}`."""
        for base, name in ((self.base, ""), (self.plain_base, "plain-")):
            text = text.replace(base, f"{{{name}base}}").replace(base.split("//")[1], f"{{{name}host}}")
        text = SESSION.sub("{session}", LOG.sub("<log>", text))
        return TIME.sub("<time>", UUID.sub("<id>", self.symbols(text)))


def kind_of(element: Element) -> str:
    """Return what an element is by its address, for in other documents it may have another tag."""
    parts = (element.get("href") or "").strip("/").split("/")
    collection = parts[-2] if len(parts) > 1 else element.tag
    return re.sub(r"s$", "", collection)


def parse(body: bytes) -> Element | None:
    """Return the document, or None where the body is none."""
    if not body.lstrip().startswith(b"<") or body.lstrip()[:6].lower() in {b"<html>", b"<!doct"}:
        return None
    try:
        root: Element = fromstring(body)
    except ParseError:
        return None
    return None if root.tag == "html" else root


def lines(body: bytes, names: Names) -> tuple[str, ...]:
    """Return what of an answer's body can be compared, sorted, each line once."""
    root = parse(body)
    if root is not None:
        return tuple(sorted(set(_element(root, root.tag, names))))
    text = body.decode("utf-8", "replace")
    if text.startswith("{"):
        return tuple(sorted(set(_json(json.loads(text), "$", names))))
    if "-----BEGIN" in text:
        return (f"<{text.strip().splitlines()[0].strip('-').lower()}>",)
    if re.match(r"ssh-\S+ ", text):
        kind, _, *comment = text.strip().split(" ", 2)
        return (" ".join([f"<{kind} public key>", *comment]),)
    if len(text) > LONGEST:
        return ("<long page>",)
    return (names.plain(text),) if text else ()


def _element(element: Element, path: str, names: Names) -> Iterator[str]:
    yield path
    for attribute, value in element.attrib.items():
        yield f"{path}@{attribute}={value}" if attribute == "rel" else f"{path}@{attribute}"
    text = (element.text or "").strip("\n ") if not len(element) else ""
    if text:
        yield f"{path}={names.plain(text)}"
    for child in element:
        yield from _element(child, f"{path}/{child.tag}", names)


def _json(value: object, path: str, names: Names) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _json(inner, f"{path}.{key}", names)
    elif isinstance(value, list):
        for inner in value:
            yield from _json(inner, f"{path}[]", names)
    else:
        yield f"{path}={names.plain(str(value))}"


def at(root: Element, where: str) -> str | None:
    """Return the id of the element at a path like `jobs/job[2]`."""
    found = root if "/" not in where else root.find(where.split("/", 1)[1])
    return None if found is None else found.get("id")


def places(root: Element, where: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield every id of a document with the path at which it stands."""
    here = where or root.tag
    if root.get("id"):
        yield here, root.get("id") or ""
    counts: dict[str, int] = {}
    for child in root:
        counts[child.tag] = counts.get(child.tag, 0) + 1
        yield from places(child, f"{here}/{child.tag}[{counts[child.tag]}]")
