"""One request as an operation sees it, and the answers it can give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fault import CONFLICT, Fault, NoSuchObject, entity_not_found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.router import Handler
    from pytest_ovirt_release.lab.engine.state import (
        Cluster,
        DataCenter,
        Disk,
        Host,
        Job,
        StorageDomain,
        Transfer,
        Vm,
    )

    Object = TypeVar("Object", Cluster, DataCenter, Disk, Host, Job, StorageDomain, Transfer, Vm)

OK = 200
CREATED = 201


@dataclass(frozen=True)
class Call:
    """A request after authentication and routing.

    `prefix` is how the client wrote the API's path (links repeat it), `ids` the parts of the path that are ids.
    """

    method: str
    path: str
    base: str
    prefix: str
    ids: tuple[str, ...]
    query: dict[str, str]
    body: Body
    correlation: str

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean query parameter in any of the engine's spellings."""
        text = self.query.get(name)
        return default if text is None else text.lower() in {"", "true", "t", "yes", "y", "1"}

    def option(self, name: str, *, default: bool) -> bool:
        """Return a boolean that an action takes in its body or in the query."""
        asked = self.body.flag(name)
        return self.flag(name, default=default) if asked is None else asked

    def limit(self) -> int | None:
        """Return `max`; what is not a number is ignored."""
        text = self.query.get("max", "")
        return int(text) if text.isdecimal() else None


@dataclass(frozen=True)
class Reply:
    """An answer: a document, and where a created object is."""

    content: Node
    status: int = OK
    location: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def nothing(tag: str) -> Handler:
    """Return the operation of a collection in which the lab never has anything, whoever owns it."""

    async def empty_collection(_core: Core, _call: Call) -> Reply:
        return listing(tag, ())

    return empty_collection


def created(content: Node) -> Reply:
    """Return 201 with the object; its Location comes from the object's own href."""
    return Reply(content, CREATED, content.attributes["href"])


def listing(tag: str, items: Iterable[Node]) -> Reply:
    """Return a collection."""
    return Reply(Node(tag, children=list(items)))


def removed(call: Call, job: Job | None = None) -> Reply:
    """Return what a DELETE answers."""
    return Reply(action_node([], call.prefix, job, "complete"))


def acted(call: Call, job: Job | None, target: Node | None) -> Reply:
    """Return what an action answers: what it was asked, its job, its object, complete."""
    return Reply(action_node(call.body.echo(), call.prefix, job, "complete", target))


def action_node(
    echo: list[Node], prefix: str, job: Job | None, status: str, extra: Node | None = None
) -> Node:
    """Return `<action>`, its elements in alphabetical order as the engine has them."""
    parts = [item for item in echo if extra is None or item.tag != extra.tag]
    if extra is not None:
        parts.append(extra)
    if job is not None:
        parts.append(link("job", f"{prefix}/jobs/{job.id}", job.id))
    parts.append(node("status"))
    parts[-1].text = status
    return Node("action", children=sorted(parts, key=lambda part: part.tag))


def get(items: dict[str, Object], id_: str) -> Object:
    """Return the object with this id, or the empty 404."""
    try:
        return items[id_]
    except KeyError:
        raise NoSuchObject from None


def updating(items: dict[str, Object], call: Call) -> Object:
    """Return the object that an update is for; its document may repeat the id, but not change it."""
    item = get(items, call.ids[0])
    if call.body.id not in (None, item.id):
        raise Fault(CONFLICT, "Attempt to set immutable field: id", "Broken immutability constraint")
    return item


def pick(nodes: list[Node], id_: str) -> Node:
    """Return the object with this id, or the empty 404."""
    for item in nodes:
        if item.attributes["id"] == id_:
            return item
    raise NoSuchObject


def by_name(items: dict[str, Object], name: str, what: str) -> Object:
    """Return the object with this name, or the fault that names it."""
    for item in items.values():
        if getattr(item, "name", None) == name:
            return item
    raise entity_not_found(what)


def actions(href: str, names: str) -> Node:
    """Return `<actions>` with a link for each name."""
    return Node("actions", children=[Node("link", {"href": f"{href}/{n}", "rel": n}) for n in names.split()])


def links(href: str, names: str) -> list[Node]:
    """Return the links to an object's own collections."""
    return [Node("link", {"href": f"{href}/{n}", "rel": n}) for n in names.split()]


def entity(  # noqa: PLR0913 - the parts of every object of the API
    tag: str,
    href: str,
    id_: str,
    *,
    head: dict[str, str | None],
    fields: dict[str, object],
    action_names: str | None = None,
    link_names: str = "",
) -> Node:
    """Return an object: actions, name and comments, links, the rest."""
    answer = node(tag, href=href, id=id_)
    if action_names is not None:
        answer.children.append(actions(href, action_names))
    answer.add(head)
    answer.children.extend(links(href, link_names))
    return answer.add(fields)
