"""What stands below one host: its network interface, devices, NUMA nodes and processors, and lists that are empty."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, entity, get, listing
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fitness import MANAGEMENT
from pytest_ovirt_release.lab.engine.router import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Host
    from pytest_ovirt_release.lab.node.verbs import Capabilities

NIC_LINKS = "networkattachments networklabels linklayerdiscoveryprotocolelements statistics"
NETMASK, GATEWAY, MTU = "255.0.0.0", "127.0.0.1", 1500
GIGABIT = 10**9
MEBIBYTE = 1024**2
COMPUTER = "computer"

EMPTY = {
    "hooks": "hooks",
    "storage": "host_storages",
    "unmanagednetworks": "unmanaged_networks",
    "fenceagents": "agents",
    "katelloerrata": "katello_errata",
    "affinitylabels": "affinity_labels",
    "storageconnectionextensions": "storage_connection_extensions",
    "externalnetworkproviderconfigurations": "external_network_provider_configurations",
}
"""Collections of which the lab's hosts have nothing: path -> element."""


def part_id(host: Host, name: str) -> str:
    """Return an id that stays the same for a part of a host."""
    return str(uuid.uuid5(uuid.UUID(host.id), name))


def _facts(core: Core, call: Call) -> tuple[Host, Capabilities | None]:
    host = get(core.state.hosts, call.ids[0])
    return host, host.capabilities


def owner(host: Host, prefix: str) -> Node:
    """Return the link back from a part to its host."""
    return link("host", f"{prefix}/hosts/{host.id}", host.id)


def _address(host: Host) -> dict[str, object]:
    return {"address": host.address, "gateway": GATEWAY, "netmask": NETMASK, "version": "v4"}


def _network(core: Core, host: Host, prefix: str) -> Node | None:
    data_center = core.state.data_center_of(host.cluster)
    if data_center is None:
        return None
    return link("network", f"{prefix}/networks/{data_center.network}", data_center.network)


async def nics(core: Core, call: Call) -> Reply:
    """GET nics: the one interface of a host, with the management network when the host has it."""
    host, facts = _facts(core, call)
    if facts is None:
        return listing("host_nics", [])
    managed = MANAGEMENT in facts.networks
    id_ = part_id(host, "eth0")
    last = host.address.rsplit(".", 1)[-1]
    number = int(last) if last.isdecimal() else 0
    fields: dict[str, object] = {
        "boot_protocol": "static" if managed else "none",
        "bridged": managed,
        "custom_configuration": False if managed else None,
        "ip": _address(host) if managed else None,
        "ipv6": {"gateway": "::", "version": "v6"} if managed else None,
        "ipv6_boot_protocol": "none",
        "mac": {"address": f"52:54:00:{number:02x}:00:00"},
        "mtu": MTU,
        "properties": node("properties") if managed else None,
        "speed": GIGABIT,
        "host": owner(host, call.prefix),
        "network": _network(core, host, call.prefix) if managed else None,
    }
    href = f"{call.prefix}/hosts/{host.id}/nics/{id_}"
    nic = entity(
        "host_nic",
        href,
        id_,
        action_names="",
        link_names=NIC_LINKS,
        head={"name": "eth0"},
        fields=fields,
    )
    return listing("host_nics", [nic])


async def network_attachments(core: Core, call: Call) -> Reply:
    """GET networkattachments: the management network on the host's interface, as it should be."""
    host, facts = _facts(core, call)
    if facts is None or MANAGEMENT not in facts.networks:
        return listing("network_attachments", [])
    below, id_, nic = f"{call.prefix}/hosts/{host.id}", part_id(host, MANAGEMENT), part_id(host, "eth0")
    addresses = [
        node("ip_address_assignment", {"assignment_method": "static", "ip": _address(host)}),
        node("ip_address_assignment", {"assignment_method": "none", "ip": {"version": "v6"}}),
    ]
    attachment = node("network_attachment", href=f"{below}/networkattachments/{id_}", id=id_).add(
        {
            "in_sync": True,
            "ip_address_assignments": Node("ip_address_assignments", children=addresses),
            "reported_configurations": Node("reported_configurations", children=_reported(host)),
            "host": owner(host, call.prefix),
            "host_nic": link("host_nic", f"{below}/nics/{nic}", nic),
            "network": _network(core, host, call.prefix),
        }
    )
    return listing("network_attachments", [attachment])


def _reported(host: Host) -> list[Node]:
    values: dict[str, object] = {
        "mtu": MTU,
        "bridged": True,
        "vlan": None,
        "switchType": "LEGACY",
        "ipv4_boot_protocol": "STATIC_IP",
        "ipv4_netmask": NETMASK,
        "ipv4_address": host.address,
        "ipv4_gateway": GATEWAY,
        "ipv6_boot_protocol": "NONE",
        "dns_configuration": GATEWAY,
        "default_route": True,
    }
    return [
        node(
            "reported_configuration",
            {
                "actual_value": value,
                "expected_value": None if name == "dns_configuration" else value,
                "in_sync": True,
                "name": name,
            },
        )
        for name, value in values.items()
    ]


async def devices(core: Core, call: Call) -> Reply:
    """GET devices: the root of a device tree that has no branches. A device's id is its name in hexadecimal."""
    host, facts = _facts(core, call)
    if facts is None:
        return listing("host_devices", [])
    id_ = COMPUTER.encode().hex()
    href = f"{call.prefix}/hosts/{host.id}/devices/{id_}"
    device = node("host_device", href=href, id=id_).add(
        {
            "name": COMPUTER,
            "capability": "system",
            "product": {"name": facts.hardware.product_name or facts.hostname},
            "host": owner(host, call.prefix),
            "parent_device": node("parent_device", {"name": COMPUTER}, href=href, id=id_),
        }
    )
    return listing("host_devices", [device])


async def numa_nodes(core: Core, call: Call) -> Reply:
    """GET numanodes: one node with all processors."""
    host, facts = _facts(core, call)
    if facts is None:
        return listing("host_numa_nodes", [])
    id_ = part_id(host, "numa-0")
    href = f"{call.prefix}/hosts/{host.id}/numanodes/{id_}"
    cores = [node("core", {"index": number}) for number in range(facts.cpu_cores)]
    numa = node("host_numa_node", href=href, id=id_)
    numa.children.append(Node("link", {"href": f"{href}/statistics", "rel": "statistics"}))
    numa.add(
        {
            "cpu": {"cores": Node("cores", children=cores)},
            "index": 0,
            "memory": facts.memory // MEBIBYTE,
            "node_distance": "10",
            "host": owner(host, call.prefix),
        }
    )
    return listing("host_numa_nodes", [numa])


async def cpu_units(core: Core, call: Call) -> Reply:
    """GET cpuunits: the second processor is vdsm's own."""
    _, facts = _facts(core, call)
    units = [
        node(
            "host_cpu_unit",
            {"core_id": number, "cpu_id": number, "runs_vdsm": True if number == 1 else None, "socket_id": 0},
        )
        for number in range(facts.cpu_cores if facts else 0)
    ]
    return listing("host_cpu_units", units)


def _nothing(tag: str) -> Callable[[Core, Call], Awaitable[Reply]]:
    async def answer(core: Core, call: Call) -> Reply:
        get(core.state.hosts, call.ids[0])
        return listing(tag, [])

    return answer


ROUTES = (
    Route("GET", "hosts/*/nics", nics),
    Route("GET", "hosts/*/networkattachments", network_attachments),
    Route("GET", "hosts/*/devices", devices),
    Route("GET", "hosts/*/numanodes", numa_nodes),
    Route("GET", "hosts/*/cpuunits", cpu_units),
    *(Route("GET", f"hosts/*/{path}", _nothing(tag)) for path, tag in EMPTY.items()),
)
