"""The collection /clusters, also below a data center."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import (
    Call,
    Reply,
    by_name,
    created,
    get,
    listing,
    removed,
    updating,
)
from pytest_ovirt_release.lab.engine.cluster_checks import ARCHITECTURES, changed_level, check_new
from pytest_ovirt_release.lab.engine.cluster_view import cluster_node
from pytest_ovirt_release.lab.engine.datacenters import LONGEST_NAME, NAME, read_version
from pytest_ovirt_release.lab.engine.fault import (
    bad,
    conflict,
    entity_not_found,
    mandatory,
    mandatory_pair,
)
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.search import found
from pytest_ovirt_release.lab.engine.state import Cluster, DataCenter

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body

BIOS_TYPES = ("i440fx_sea_bios", "q35_ovmf", "q35_sea_bios", "q35_secure_boot")
DEFAULT_BIOS = "q35_ovmf"
"""What a 4.5 cluster gives its VMs: UEFI, which never runs a boot sector."""


FIELDS: dict[str, Callable[[Cluster], str]] = {
    "name": lambda item: item.name,
    "description": lambda item: item.description,
    "comment": lambda item: item.comment,
    "id": lambda item: item.id,
}


async def list_clusters(core: Core, call: Call) -> Reply:
    """GET /clusters, or those of a data center."""
    there = [c for c in core.state.clusters.values() if not call.ids or c.data_center == call.ids[0]]
    items = found(there, call, FIELDS)
    return listing("clusters", (cluster_node(item, call.prefix) for item in items))


async def get_cluster(core: Core, call: Call) -> Reply:
    """GET /clusters/{id}."""
    return Reply(cluster_node(get(core.state.clusters, call.ids[0]), call.prefix))


def _data_center(core: Core, call: Call) -> DataCenter:
    named = call.body.child("data_center")
    if named is None or (named.id or named.text("name")) is None:
        raise mandatory_pair("cluster.data_center.id", "cluster.data_center.name")
    return _wanted(core, named)


async def add_cluster(core: Core, call: Call) -> Reply:
    """POST /clusters. The answer's href goes through the data center, as the engine's does."""
    body = call.body
    name = body.text("name")
    if name is None:
        raise mandatory("cluster.name")
    data_center = _data_center(core, call)
    _check_name(name)
    bios = body.one_of("bios_type", "BiosType", (*BIOS_TYPES, "cluster_default"))
    cpu_type = body.text("cpu/type") or ""
    version = read_version(body) or data_center.version
    check_new(core, name, data_center, version, cpu_type)
    cluster = Cluster(
        core.ids.uuid("cluster"),
        name,
        data_center.id,
        body.text("description") or "",
        body.text("comment") or "",
        architecture=ARCHITECTURES.get(cpu_type, "undefined"),
        cpu_type=cpu_type,
        bios_type=_bios(bios, cpu_type),
        version=version,
        # The engine turns them on only for whoever names a version.
        transparent_hugepages=_hugepages(body),
    )
    core.state.clusters[cluster.id] = cluster
    _announce(core, call, cluster)
    folder = f"datacenters/{data_center.id}/clusters"
    return created(cluster_node(cluster, call.prefix, folder, data_center.network))


def _hugepages(body: Body) -> bool:
    asked = body.flag("memory_policy/transparent_hugepages/enabled")
    if asked is None:
        return body.child("memory_policy") is not None or read_version(body) is not None
    return asked


def _announce(core: Core, call: Call, cluster: Cluster) -> None:
    """Log the cluster, and before it the CPU profile that comes with it and who may use that."""
    name = cluster.name
    for who, role in (("Everyone", "Operator"), ("admin", "Creator")):
        provider = "internal-authz" if who == "admin" else "N/A"
        text = (
            f"User/Group {who}, Namespace *, Authorization provider: {provider} was granted permission for Role "
            f"CpuProfile{role} on Cpu Profile {name}, by admin@internal-authz."
        )
        core.event(850, text, own=True)
    core.event(10130, f"CPU Profile {name} was successfully added (User: admin@internal-authz).", own=True)
    core.event(809, f"Cluster {name} was added by admin@internal-authz", call.correlation, cluster=cluster)


def _check_name(name: str) -> None:
    """Refuse a name as the engine's own validation does (its texts, not recorded)."""
    if len(name) > LONGEST_NAME:
        raise bad(f"Cluster name must not exceed {LONGEST_NAME} characters, Attribute: cluster.name")
    if NAME.fullmatch(name) is None:
        raise bad(
            'Cluster name must be formed of alphanumeric characters, numbers or "-_.", Attribute: cluster.name'
        )


def _bios(asked: str | None, cpu_type: str) -> str | None:
    """A cluster without an architecture has no machine type yet."""
    if asked in BIOS_TYPES:
        return asked
    return DEFAULT_BIOS if cpu_type else None


async def update_cluster(core: Core, call: Call) -> Reply:
    """PUT /clusters/{id}: names, version, CPU, bios_type; a data center only for one that has none."""
    cluster = updating(core.state.clusters, call)
    body = call.body
    wanted = body.child("data_center")
    bios = body.one_of("bios_type", "BiosType", (*BIOS_TYPES, "cluster_default"))
    name = body.text("name")
    if name is not None and name != cluster.name:
        _check_name(name)
        if any(item.name == name for item in core.state.clusters.values()):
            raise conflict("Cannot edit Cluster. Cluster name is already in use.")
    version, cpu_type = changed_level(core, cluster, body)
    if wanted is not None:
        data_center = _wanted(core, wanted)
        if cluster.data_center not in (None, data_center.id):
            raise conflict("Cannot change Data Center association when editing a Cluster.")
        cluster.data_center = data_center.id
    cluster.version = version
    if cpu_type != cluster.cpu_type:
        cluster.cpu_type, cluster.architecture = cpu_type, ARCHITECTURES[cpu_type]
    cluster.bios_type = bios if bios in BIOS_TYPES else cluster.bios_type
    for field in ("name", "description", "comment"):
        if (text := body.text(field)) is not None:
            setattr(cluster, field, text)
    cluster.policy_properties = True
    core.event(
        811,
        f"Host cluster {cluster.name} was updated by admin@internal-authz",
        call.correlation,
        cluster=cluster,
    )
    centre = core.state.data_centers.get(cluster.data_center or "")
    return Reply(cluster_node(cluster, call.prefix, network=centre.network if centre else None))


def _wanted(core: Core, named: Body) -> DataCenter:
    """Return the data center that a document names."""
    if named.id is None:
        name = named.text("name") or ""
        return by_name(core.state.data_centers, name, f"Datacenter: name={name}")
    if named.id not in core.state.data_centers:
        raise entity_not_found(f"Datacenter: id={named.id}")
    return core.state.data_centers[named.id]


async def remove_cluster(core: Core, call: Call) -> Reply:
    """DELETE /clusters/{id}."""
    cluster = get(core.state.clusters, call.ids[0])
    # All that stands against it is told at once.
    obstacles = []
    if any(host.cluster == cluster.id for host in core.state.hosts.values()):
        obstacles.append("Cannot remove Cluster. Cluster contains one or more Hosts")
    if any(vm.cluster == cluster.id for vm in core.state.vms.values()):
        obstacles.append("Cannot remove Cluster. One or more VMs are still assigned to the Cluster")
    if obstacles:
        raise conflict(", ".join(obstacles))
    del core.state.clusters[cluster.id]
    text = f"Host cluster {cluster.name} was removed by admin@internal-authz"
    core.event(813, text, call.correlation, cluster=cluster)
    return removed(call)


ROUTES = (
    Route("GET", "clusters", list_clusters),
    Route("POST", "clusters", add_cluster, "cluster"),
    Route("GET", "clusters/*", get_cluster),
    Route("PUT", "clusters/*", update_cluster, "cluster"),
    Route("DELETE", "clusters/*", remove_cluster),
    Route("GET", "datacenters/*/clusters", list_clusters),
)
