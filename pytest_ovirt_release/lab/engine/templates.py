"""The collection /templates: there is Blank, and no other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.call import Call, Reply, entity, listing
from pytest_ovirt_release.lab.engine.document import Node, link
from pytest_ovirt_release.lab.engine.fault import NoSuchObject
from pytest_ovirt_release.lab.engine.machine_view import base_fields
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.search import found
from pytest_ovirt_release.lab.engine.state import BLANK, Vm
from pytest_ovirt_release.lab.engine.vm_view import all_content

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core

GIBIBYTE = 1024**3
BORN = datetime(2008, 3, 31, 21, tzinfo=UTC)


def blank_node(prefix: str, *, content: bool = False) -> Node:
    """Return the template Blank."""
    blank = Vm(BLANK, "Blank", "", GIBIBYTE, "", ("hd",), "other", created=BORN)
    href = f"{prefix}/templates/{BLANK}"
    version = {
        "version_name": "",
        "version_number": 0,
        "base_template": link("base_template", href, BLANK),
    }
    return entity(
        "template",
        href,
        BLANK,
        action_names=known.TEMPLATE_ACTIONS,
        link_names=known.TEMPLATE_LINKS,
        head={"name": "Blank", "description": "Blank template", "comment": ""},
        fields=base_fields(blank, prefix, {}, content=content) | {"status": "ok", "version": version},
    )


async def list_templates(_core: Core, call: Call) -> Reply:
    """GET /templates."""
    items = found(["Blank"], call, {"name": str})
    return listing("templates", (blank_node(call.prefix, content=all_content(call)) for _ in items))


async def get_template(_core: Core, call: Call) -> Reply:
    """GET /templates/{id}."""
    if call.ids[0] != BLANK:
        raise NoSuchObject
    return Reply(blank_node(call.prefix, content=all_content(call)))


ROUTES = (
    Route("GET", "templates", list_templates),
    Route("GET", "templates/*", get_template),
)
