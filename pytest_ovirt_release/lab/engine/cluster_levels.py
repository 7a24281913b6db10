"""The collection /clusterlevels: what a cluster of each version can have; and the one option that names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, links, listing
from pytest_ovirt_release.lab.engine.cpus import CPUS
from pytest_ovirt_release.lab.engine.datacenters import VERSIONS
from pytest_ovirt_release.lab.engine.document import Node, node
from pytest_ovirt_release.lab.engine.fault import NoSuchObject
from pytest_ovirt_release.lab.engine.router import Route

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core

LEVELS = tuple(f"{major}.{minor}" for major, minor in VERSIONS)
OPTIONS = {"SupportedClusterLevels": "[4.2, 4.7, 4.8, 4.6, 4.5, 4.4, 4.3]"}
"""Options that can be seen; the engine writes this one in the order of its set."""

USER = {
    1: "create_vm delete_vm edit_vm_properties vm_basic_operations change_vm_cd migrate_vm connect_to_vm",
    9: "configure_vm_network configure_vm_storage move_vm manipulate_vm_snapshots reconnect_to_vm",
    200: "create_template edit_template_properties delete_template copy_template configure_template_network",
    300: "create_vm_pool edit_vm_pool_configuration delete_vm_pool vm_pool_basic_operations",
    502: "manipulate_permissions",
    901: "consume_quota",
    1100: "create_disk attach_disk edit_disk_properties configure_disk_storage delete_disk",
    1300: "login",
}
ADMIN = {
    8: "import_export_vm",
    100: "create_host edit_host_configuration delete_host manipulate_host configure_host_network",
    400: "create_cluster edit_cluster_configuration delete_cluster configure_cluster_network",
    500: "manipulate_users manipulate_roles",
    600: "create_storage_domain edit_storage_domain_configuration delete_storage_domain manipulate_storage_domain",
    700: "create_storage_pool delete_storage_pool edit_storage_pool_configuration "
    "configure_storage_pool_network",
    800: "configure_engine",
    900: "configure_quota",
    1000: "create_gluster_volume manipulate_gluster_volume delete_gluster_volume",
    1200: "port_mirroring",
}
"""Permits that roles are made of, by the number of the first one; the lab has no roles, and names only the old ones."""


def level_node(level: str, prefix: str) -> Node:
    """Return `<cluster_level>`: the lab has the same processors and permits at all levels."""
    href = f"{prefix}/clusterlevels/{level}"
    kinds = [
        node("cpu_type", {"architecture": cpu.architecture, "level": cpu.level, "name": cpu.name})
        for cpu in CPUS
    ]
    permits = [
        (first + place, name, administrative)
        for table, administrative in ((USER, False), (ADMIN, True))
        for first, names in table.items()
        for place, name in enumerate(names.split())
    ]
    answer = node("cluster_level", href=href, id=level)
    answer.children += links(href, "clusterfeatures")
    answer.children.append(Node("cpu_types", children=kinds))
    items = [
        node("permit", {"name": name, "administrative": administrative}, id=str(number))
        for number, name, administrative in sorted(permits)
    ]
    answer.children.append(Node("permits", children=items))
    return answer


async def list_levels(_core: Core, call: Call) -> Reply:
    """GET /clusterlevels."""
    return listing("cluster_levels", (level_node(level, call.prefix) for level in LEVELS))


async def get_level(_core: Core, call: Call) -> Reply:
    """GET /clusterlevels/{level}."""
    if call.ids[0] not in LEVELS:
        raise NoSuchObject
    return Reply(level_node(call.ids[0], call.prefix))


async def get_option(_core: Core, call: Call) -> Reply:
    """GET /options/{name}: few options can be seen, and the lab shows one."""
    name = call.ids[0]
    if name not in OPTIONS:
        raise NoSuchObject
    value = node("system_option_value", {"value": OPTIONS[name], "version": "general"})
    fields = {"name": name, "values": Node("values", children=[value])}
    return Reply(node("system_option", fields, href=f"{call.prefix}/options/{name}", id=name))


ROUTES = (
    Route("GET", "clusterlevels", list_levels),
    Route("GET", "clusterlevels/*", get_level),
    Route("GET", "options/*", get_option),
)
