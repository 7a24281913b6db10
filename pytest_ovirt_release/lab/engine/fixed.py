"""The API's root."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.call import Call, Reply
from pytest_ovirt_release.lab.engine.document import Node, kept, link, node
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.state import BLANK, now, stamp
from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core

VERSION = (4, 5, 8)
FULL_VERSION = "4.5.8-1.el9"
PRODUCT = f"oVirt Engine ({LAB_BRAND})"
"""What the product calls itself: the brand tells every client that this is no engine."""


async def get_root(core: Core, call: Call) -> Reply:
    """GET /: links, product, special objects, summary."""
    filtered = call.flag("filter", default=False)
    rels, header = _root_links(call.base, call.prefix)
    answer = Node("api", children=[rels])
    user = f"{call.prefix}/users/{core.user_id}"
    answer.add(
        {
            "engine_backup": None if filtered else node("engine_backup"),
            "fixed": _fixed_objects(None if filtered else core.instance_id, call.prefix),
            "summary": None if filtered else _summary(_counts(core)),
            "time": stamp(now()),
            "authenticated_user": link("authenticated_user", user, core.user_id),
            "effective_user": link("effective_user", user, core.user_id),
        }
    )
    return Reply(answer, headers={"Link": header})


@lru_cache(maxsize=8)
def _root_links(base: str, prefix: str) -> tuple[Node, str]:
    """Return the links of the root, and the header Link that repeats them."""
    rels: dict[str, str] = {}
    for name in known.ROOT:
        rels[name] = f"{prefix}/{name}"
        if name in known.SEARCHABLE:
            middle = ";from={event_id}" if name == "events" else ""
            rels[f"{name}/search"] = f"{prefix}/{name}{middle}?search={{query}}"
    nodes = [Node("link", {"href": href, "rel": rel}) for rel, href in rels.items()]
    return kept(nodes), ",".join(sorted(f"<{base}{href}>; rel={rel}" for rel, href in rels.items()))


@lru_cache(maxsize=8)
def _fixed_objects(instance: str | None, prefix: str) -> Node:
    major, minor, build = VERSION
    version = {"build": build, "full_version": FULL_VERSION, "major": major, "minor": minor, "revision": 0}
    product = {"instance_id": instance, "name": PRODUCT, "version": version}
    special = {
        "blank_template": link("blank_template", f"{prefix}/templates/{BLANK}", BLANK),
        "root_tag": link("root_tag", f"{prefix}/tags/{BLANK}", BLANK),
    }
    return kept([node("product_info", product), node("special_objects", special)])


def _counts(core: Core) -> tuple[tuple[str, int, int], ...]:
    """Return what the summary counts: how many are active, and all."""
    state = core.state
    up = len([host for host in state.hosts.values() if host.status == "up"])
    active = len([domain for domain in state.storage_domains.values() if domain.status == "active"])
    running = len([vm for vm in state.vms.values() if vm.status != "down"])
    return (
        ("hosts", up, len(state.hosts)),
        ("storage_domains", active, len(state.storage_domains)),
        ("users", 1, 1),
        ("vms", running, len(state.vms)),
    )


@lru_cache(maxsize=8)
def _summary(counts: tuple[tuple[str, int, int], ...]) -> Node:
    return kept([node("summary", {name: {"active": some, "total": total} for name, some, total in counts})])


ROUTES = (Route("GET", "", get_root),)
