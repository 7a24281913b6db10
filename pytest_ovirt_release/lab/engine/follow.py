"""The parameter `follow`: linked documents stand in the answer itself (`follow=networks,data_center.clusters`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.document import empty, opened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pytest_ovirt_release.lab.engine.call import Call
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Node
    from pytest_ovirt_release.lab.engine.router import Router

    Fetch = Callable[[str], Awaitable[Node]]


class BadLink(Exception):  # noqa: N818 - an answer, not a mistake
    """A link that an object does not have: the engine answers 500 with a page about it."""


@dataclass(frozen=True)
class Branch:
    """What is asked below one link, by the link's name."""

    children: dict[str, Branch] = field(default_factory=dict)

    def grow(self, path: list[str]) -> None:
        """Add one path of links; what two paths have in common is followed once."""
        if path:
            self.children.setdefault(path[0], Branch()).grow(path[1:])


def parse(text: str) -> Branch:
    """Return the tree of the links that a parameter names."""
    tree = Branch()
    for path in text.split(","):
        tree.grow(path.strip().split("."))
    return tree


async def follow(content: Node, tree: Branch, fetch: Fetch) -> Node:
    """Return a document with what its links (or those of each item of a collection) lead to in their place."""
    if "href" in content.attributes:
        return await _followed(
            opened(content), tree, fetch, f"Problem fetching '{{}}' from {_title(content.tag)}"
        )
    problem = f"Problem following '{{}}' link in {_title(content.tag)} entity."
    content.children = [await _followed(opened(item), tree, fetch, problem) for item in content.children]
    return content


async def _followed(item: Node, tree: Branch, fetch: Fetch, problem: str) -> Node:
    for name, below in tree.children.items():
        href = _href(item, name)
        if href is None:
            raise BadLink(problem.format(name))
        _place(item, name, await follow(await fetch(href), below, fetch))
    return item


def fetcher(core: Core, router: Router, call: Call) -> Fetch:
    """Return what reads a linked document as the request's own client would."""

    async def fetch(href: str) -> Node:
        parts = tuple(href.removeprefix(call.prefix).strip("/").split("/"))
        route, ids = router.find("GET", parts, call.base + href)
        linked = replace(call, method="GET", path=href, ids=ids, query={}, body=empty(""))
        return (await route.handler(core, linked)).content

    return fetch


def _href(item: Node, name: str) -> str | None:
    """Return where a link leads: a collection's stands among the links, an object's in its own element."""
    rel = name.lower().replace("_", "")
    for child in item.children:
        if child.tag == "link" and child.attributes.get("rel") == rel:
            return child.attributes["href"]
    return next((child.attributes.get("href") for child in item.children if child.tag == name.lower()), None)


def _place(item: Node, name: str, linked: Node) -> None:
    """Replace the element of that name; a collection comes in among the links to other objects, by name."""
    tags = [child.tag for child in item.children]
    linked.tag = name.lower() if name.lower() in tags else linked.tag
    if linked.tag in tags:
        item.children[tags.index(linked.tag)] = linked
        return
    objects = [
        i for i, child in enumerate(item.children) if child.tag != "link" and "href" in child.attributes
    ]
    place = next((i for i in objects if tags[i] > linked.tag), len(item.children))
    item.children.insert(place, linked)


def _title(tag: str) -> str:
    return "".join(part.capitalize() for part in tag.split("_"))
