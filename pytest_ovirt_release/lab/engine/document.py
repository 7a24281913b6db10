"""XML in and out: what a client sent is read with caps and without entities, answers are built as trees."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from pytest_ovirt_release.lab.engine.fault import Fault, malformed, not_a_boolean, not_a_member

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of a request body that are read; the real engine took 12 MiB."""

DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;"})
_SPECIAL = re.compile(r'[&<>"\x00-\x1f\ufffe\uffff]')
"""What needs any care at all: most texts have none of it and are written as they are."""

_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML 1.0 cannot carry."""

KEPT = 4096
"""Elements whose text is kept at the most."""


@dataclass(slots=True)
class Node:
    """One element of an answer. `text` None is `<a/>`, an empty text is `<a></a>`, as the engine has both.

    With `written` the element is complete: its text is kept there, and nothing can be added to it.
    """

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    text: str | None = None
    written: Written | None = field(default=None, compare=False)

    def add(self, fields: Mapping[str, object]) -> Node:
        """Append fields in order: None is left out, a mapping nests, nodes go in as they are."""
        if self.written is not None:
            raise TypeError(f"<{self.tag}> is complete")
        for tag, value in fields.items():
            self.children.extend(_nodes(tag, value))
        return self


def node(tag: str, fields: Mapping[str, object] | None = None, **attributes: str) -> Node:
    """Return an element with attributes and fields."""
    return Node(tag, dict(attributes)).add(fields or {})


def link(tag: str, href: str, id_: str) -> Node:
    """Return `<tag href id/>`: how one object names another."""
    return Node(tag, {"href": href, "id": id_})


def _nodes(tag: str, value: object) -> list[Node]:
    if value is None:
        return []
    if isinstance(value, Node):
        return [value]
    if isinstance(value, bool):
        return [Node(tag, text="true" if value else "false")]
    if isinstance(value, int | str):
        return [Node(tag, text=str(value))]
    if isinstance(value, Mapping):
        return [Node(tag).add(value)]
    raise TypeError(f"{tag}: {type(value).__name__} is no part of a document")


def write(root: Node) -> bytes:
    """Return the document as the engine writes it: declaration, four blanks a level, final line end."""
    lines: list[str] = []
    _write(root, "", lines)
    return (DECLARATION + "\n".join(lines) + "\n").encode()


def _write(item: Node, indent: str, lines: list[str]) -> None:
    if item.written is None:
        _write_anew(item, indent, lines)
    else:
        lines.append(item.written.at(indent))


def _write_anew(item: Node, indent: str, lines: list[str]) -> None:
    start = f"{indent}<{item.tag}"
    for name, value in item.attributes.items():
        start += f' {name}="{_escaped(value, _ATTRIBUTE)}"'
    if item.children:
        lines.append(f"{start}>")
        for child in item.children:
            _write(child, indent + "    ", lines)
        lines.append(f"{indent}</{item.tag}>")
    elif item.text is None:
        lines.append(f"{start}/>")
    else:
        lines.append(f"{start}>{_escaped(item.text, _TEXT)}</{item.tag}>")


def _escaped(text: str, table: dict[int, str]) -> str:
    return _UNFIT.sub("", text).translate(table) if _SPECIAL.search(text) else text


class Written:
    """The text of what is answered again and again: built when first written, not kept as a tree."""

    __slots__ = ("_build", "_texts")

    def __init__(self, build: Callable[[], Sequence[Node]]) -> None:
        """Take what makes the elements, always the same ones."""
        self._build = build
        self._texts: dict[str, str] = {}

    def made(self) -> Sequence[Node]:
        """Return the elements, made anew."""
        return self._build()

    def at(self, indent: str) -> str:
        """Return the text with so much before its first line."""
        if indent not in self._texts:
            lines: list[str] = []
            for item in self._build():
                _write(item, indent, lines)
            self._texts[indent] = "\n".join(lines)
        return self._texts[indent]


def opened(item: Node) -> Node:
    """Return an element as a tree of its own that can be added to."""
    return item if item.written is None else item.written.made()[0]


def kept(items: Sequence[Node]) -> Node:
    """Return elements that never change as one part of an answer."""
    return Node("", written=Written(lambda: items))


class Shelf:
    """Objects that were answered before: one whose parts are the same again is not built and written again.

    Parts are compared, so nothing has to say when an object has changed.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._kept: dict[str, tuple[object, Node]] = {}

    def get(self, tag: str, href: str, parts: object, build: Callable[[], Node]) -> Node:
        """Return the object at this address that `build` makes of these parts, complete."""
        found = self._kept.get(href)
        if found is not None and found[0] == parts:
            return found[1]
        if len(self._kept) >= KEPT:
            self._kept.clear()
        made = Node(tag, {"href": href}, written=Written(lambda: [build()]))
        self._kept[href] = parts, made
        return made


class Body:
    """A request's element, read by path (`storage/type`); wrong types are the engine's own faults."""

    def __init__(self, element: Element, usage: str) -> None:
        """Take the element, and what the malformed-request fault points at."""
        self.element = element
        self.usage = usage

    @property
    def tag(self) -> str:
        """Name of the element."""
        return self.element.tag

    @property
    def id(self) -> str | None:
        """Its `id` attribute."""
        return self.element.get("id")

    def child(self, path: str) -> Body | None:
        """Return the first element at this path."""
        found = self.element.find(path)
        return None if found is None else Body(found, self.usage)

    def all(self, path: str) -> list[Body]:
        """Return every element at this path."""
        return [Body(found, self.usage) for found in self.element.findall(path)]

    def text(self, path: str) -> str | None:
        """Return the text at this path, empty when the element is; None when there is no such element."""
        found = self.element.find(path)
        return None if found is None else (found.text or "")

    def number(self, path: str) -> int | None:
        """Return the integer at this path; anything else makes the request malformed."""
        text = self.text(path)
        try:
            return None if text is None else int(text)
        except ValueError:
            raise malformed(self.usage) from None

    def flag(self, path: str) -> bool | None:
        """Return the boolean at this path."""
        text = self.text(path)
        if text is None:
            return None
        if text.lower() in {"true", "1"}:
            return True
        if text.lower() in {"false", "0"}:
            return False
        raise not_a_boolean(text)

    def one_of(self, path: str, kind: str, values: tuple[str, ...]) -> str | None:
        """Return the member of an enumeration at this path."""
        text = self.text(path)
        if text is not None and text not in values:
            raise not_a_member(text, kind, values)
        return text

    def echo(self) -> list[Node]:
        """Return the children as an answer's nodes: actions repeat what they were asked."""
        return [_copy(child) for child in self.element]


def _copy(element: Element) -> Node:
    text = (element.text or "") if not len(element) else None
    if not text and not element.attrib and not len(element):
        text = ""
    if element.attrib and not text:
        text = None
    return Node(element.tag, dict(element.attrib), [_copy(child) for child in element], text)


def read(data: bytes, usage: str) -> Body:
    """Parse a request body; broken XML, an empty body and entities are a malformed request."""
    try:
        return Body(fromstring(data), usage)
    except (ParseError, DefusedXmlException, ValueError):
        raise malformed(usage) from None


def empty(usage: str) -> Body:
    """Return what a request without a body is read as."""
    return Body(Element("nothing"), usage)


def fault_node(fault: Fault) -> Node:
    """Return `<fault>` as the engine writes it: detail before reason, no detail where it has none."""
    return node("fault", {"detail": fault.detail, "reason": fault.reason})
