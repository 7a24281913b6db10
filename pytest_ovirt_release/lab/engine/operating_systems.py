"""The collections /operatingsystems and /icons: what guests may be, and their pictures."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, listing
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fault import NoSuchObject
from pytest_ovirt_release.lab.engine.router import Route

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core

ICONS = {
    "debian": ("32db3660-d311-236c-6125-0431349843c3", "bddc4722-9bf8-54df-d286-53b2bcecd9a9"),
    "freebsd": ("b2cdb6bc-ed31-5999-a044-b453abb99452", "1e11dcad-e03a-9a47-20e0-158e1d54f93d"),
    "linux": ("b02cef78-8ac2-095d-3d7e-c98430b5f4d7", "f2d72fa9-a562-ea7c-90ca-c2ed627fc926"),
    "suse": ("2f61e97a-ba1e-e496-6206-bc4a1ae35b0b", "6725f774-ddd1-dd24-cf94-307a4ce4b68d"),
    "ubuntu": ("4022d5ab-2a9d-8396-56c9-aa8aa9bc6a58", "866d82c1-0f4b-c78b-e216-c78cc95d1f81"),
    "windows": ("6dcf9e1d-5418-7c8e-4e88-aa03f4d22ddb", "3ad16207-a091-2cfe-5000-95e0e649cc34"),
    "other": ("cc507a05-3cb7-41a9-b316-ba9231a263fc", "ea5610dd-345d-4789-847f-2d0ca2d32472"),
    "rhel": ("e1d02dc9-16b1-4586-870b-5600d1294490", "6abfc4a7-133a-4b85-b729-b5ecc950d75f"),
    "atomic": ("435f74d7-be31-4132-8d3d-b703bfef91e7", "38fa10f1-746c-49ca-8002-e467fd2f2244"),
    "coreos": ("1e19ce82-a5a6-4025-bf0e-6d23f109ae46", "15effa21-be94-4427-9b66-ad04df99f892"),
}
"""Large and small icon of each family; their ids come with the engine."""

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
"""One transparent pixel: the engine's pictures are its own."""


@dataclass(frozen=True)
class OperatingSystem:
    """What a guest may be; `icons` is its family, or `none`."""

    id: str
    name: str
    description: str
    architecture: str
    icons: str
    tpm_support: str


def _read() -> tuple[OperatingSystem, ...]:
    table = (files(__package__) / "operating_systems.tsv").read_text(encoding="utf-8")
    return tuple(OperatingSystem(*line.split("\t")) for line in table.splitlines())


OPERATING_SYSTEMS = _read()


def system_node(system: OperatingSystem, prefix: str) -> Node:
    """Return `<operating_system>`."""
    answer = node("operating_system", href=f"{prefix}/operatingsystems/{system.id}", id=system.id)
    pair = zip(("large_icon", "small_icon"), ICONS.get(system.icons, ()), strict=False)
    return answer.add(
        {
            "name": system.name,
            "description": system.description,
            "architecture": system.architecture,
            **{tag: link(tag, f"{prefix}/icons/{icon}", icon) for tag, icon in pair},
            "tpm_support": system.tpm_support,
        }
    )


def icon_node(id_: str, prefix: str) -> Node:
    """Return `<icon>`."""
    return node("icon", {"data": PICTURE, "media_type": "image/png"}, href=f"{prefix}/icons/{id_}", id=id_)


async def list_systems(_core: Core, call: Call) -> Reply:
    """GET /operatingsystems: its element is not called as one would think."""
    return listing("operation_systems", (system_node(item, call.prefix) for item in OPERATING_SYSTEMS))


async def get_system(_core: Core, call: Call) -> Reply:
    """GET /operatingsystems/{number}."""
    for item in OPERATING_SYSTEMS:
        if item.id == call.ids[0]:
            return Reply(system_node(item, call.prefix))
    raise NoSuchObject


async def list_icons(_core: Core, call: Call) -> Reply:
    """GET /icons: all small ones and all large ones."""
    return listing("icons", (icon_node(id_, call.prefix) for pair in ICONS.values() for id_ in pair))


async def get_icon(_core: Core, call: Call) -> Reply:
    """GET /icons/{id}."""
    if not any(call.ids[0] in pair for pair in ICONS.values()):
        raise NoSuchObject
    return Reply(icon_node(call.ids[0], call.prefix))


ROUTES = (
    Route("GET", "operatingsystems", list_systems),
    Route("GET", "operatingsystems/*", get_system),
    Route("GET", "icons", list_icons),
    Route("GET", "icons/*", get_icon),
)
