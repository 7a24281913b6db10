"""Pools, policies, profiles and quotas that come with an engine, a cluster, a data center or a domain; empty collections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.builtin import DEFAULT_POLICY, MAC_POOL, MAC_RANGE, SCHEDULING_POLICIES
from pytest_ovirt_release.lab.engine.call import Call, Reply, entity, get, listing, nothing, pick
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fault import NoSuchObject, mandatory, not_implemented
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.scheduling_units import PROPERTIES, UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_ovirt_release.lab.engine.builtin import SchedulingPolicy
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.scheduling_units import Unit
    from pytest_ovirt_release.lab.engine.state import Cluster, DataCenter, StorageDomain


def _mac_pool(prefix: str) -> Node:
    low, high = MAC_RANGE
    return entity(
        "mac_pool",
        f"{prefix}/macpools/{MAC_POOL}",
        MAC_POOL,
        link_names="permissions",
        head={"name": "Default", "description": "Default MAC pool"},
        fields={
            "allow_duplicates": False,
            "default_pool": True,
            "ranges": {"range": {"from": low, "to": high}},
        },
    )


async def list_mac_pools(_core: Core, call: Call) -> Reply:
    """GET /macpools: the one that the engine's setup makes."""
    return listing("mac_pools", [_mac_pool(call.prefix)][: call.limit()])


async def get_mac_pool(_core: Core, call: Call) -> Reply:
    """GET /macpools/{id}."""
    return Reply(pick([_mac_pool(call.prefix)], call.ids[0]))


async def add_mac_pool(_core: Core, call: Call) -> Reply:
    """POST /macpools: only what the engine refuses."""
    if call.body.text("name") is None:
        raise mandatory("pool.name")
    raise not_implemented(f"{call.method} {call.path}")


def _properties(pairs: Iterable[tuple[str, str]]) -> Node | None:
    rows = [node("property", {"name": name, "value": value}) for name, value in pairs]
    return Node("properties", children=rows) if rows else None


def _policy(policy: SchedulingPolicy, prefix: str) -> Node:
    return entity(
        "scheduling_policy",
        f"{prefix}/schedulingpolicies/{policy.id}",
        policy.id,
        link_names="filters weights balances",
        head={"name": policy.name},
        fields={
            "default_policy": policy.id == DEFAULT_POLICY,
            "locked": True,
            "properties": _properties(policy.properties),
        },
    )


async def list_policies(_core: Core, call: Call) -> Reply:
    """GET /schedulingpolicies."""
    return listing("scheduling_policies", [_policy(p, call.prefix) for p in SCHEDULING_POLICIES])


async def get_policy(_core: Core, call: Call) -> Reply:
    """GET /schedulingpolicies/{id}."""
    return Reply(pick([_policy(p, call.prefix) for p in SCHEDULING_POLICIES], call.ids[0]))


def _unit(unit: Unit, prefix: str) -> Node:
    return entity(
        "scheduling_policy_unit",
        f"{prefix}/schedulingpolicyunits/{unit.id}",
        unit.id,
        head={"name": unit.name, "description": unit.description or None},
        fields={
            "enabled": True,
            "internal": True,
            "properties": _properties((name, PROPERTIES[name]) for name in unit.properties),
            "type": unit.type or None,
        },
    )


async def list_units(_core: Core, call: Call) -> Reply:
    """GET /schedulingpolicyunits."""
    return listing("scheduling_policy_units", [_unit(u, call.prefix) for u in UNITS])


async def get_unit(_core: Core, call: Call) -> Reply:
    """GET /schedulingpolicyunits/{id}."""
    return Reply(pick([_unit(u, call.prefix) for u in UNITS], call.ids[0]))


def _cpu_profile(cluster: Cluster, prefix: str) -> Node:
    where = f"{prefix}/clusters/{cluster.id}"
    return entity(
        "cpu_profile",
        f"{where}/cpuprofiles/{cluster.cpu_profile}",
        cluster.cpu_profile,
        link_names="permissions",
        head={"name": cluster.name_when_made},
        fields={"cluster": link("cluster", where, cluster.id)},
    )


async def list_cpu_profiles(core: Core, call: Call) -> Reply:
    """GET /cpuprofiles, or those of one cluster."""
    clusters = [c for c in core.state.clusters.values() if not call.ids or c.id == call.ids[0]]
    return listing("cpu_profiles", (_cpu_profile(c, call.prefix) for c in clusters))


async def get_cpu_profile(core: Core, call: Call) -> Reply:
    """GET /cpuprofiles/{id}, also below its cluster."""
    nodes = [_cpu_profile(c, call.prefix) for c in core.state.clusters.values()]
    return Reply(pick(nodes, call.ids[-1]))


def _disk_profile(domain: StorageDomain, prefix: str) -> Node:
    where = f"{prefix}/storagedomains/{domain.id}"
    return entity(
        "disk_profile",
        f"{where}/diskprofiles/{domain.disk_profile}",
        domain.disk_profile,
        head={"name": domain.name_when_made},
        fields={"storage_domain": link("storage_domain", where, domain.id)},
    )


async def list_disk_profiles(core: Core, call: Call) -> Reply:
    """GET /diskprofiles, or those of one storage domain; only data domains have one."""
    domains = [d for d in core.state.storage_domains.values() if not call.ids or d.id == call.ids[0]]
    return listing("disk_profiles", (_disk_profile(d, call.prefix) for d in domains if d.type == "data"))


async def get_disk_profile(core: Core, call: Call) -> Reply:
    """GET /diskprofiles/{id}, also below its storage domain."""
    nodes = [_disk_profile(d, call.prefix) for d in core.state.storage_domains.values() if d.type == "data"]
    return Reply(pick(nodes, call.ids[-1]))


def _quota(data_center: DataCenter, prefix: str) -> Node:
    where = f"{prefix}/datacenters/{data_center.id}"
    return entity(
        "quota",
        f"{where}/quotas/{data_center.quota}",
        data_center.quota,
        link_names="permissions quotaclusterlimits quotastoragelimits",
        head={"name": "Default", "description": "Default unlimited quota"},
        fields={
            "cluster_hard_limit_pct": 20,
            "cluster_soft_limit_pct": 80,
            "data_center": link("data_center", where, data_center.id),
            "storage_hard_limit_pct": 20,
            "storage_soft_limit_pct": 80,
        },
    )


async def list_quotas(core: Core, call: Call) -> Reply:
    """GET /datacenters/{id}/quotas: the unlimited one."""
    centre = core.state.data_centers.get(call.ids[0])
    return listing("quotas", [] if centre is None else [_quota(centre, call.prefix)])


async def get_quota(core: Core, call: Call) -> Reply:
    """GET /datacenters/{id}/quotas/{id}."""
    centre = get(core.state.data_centers, call.ids[0])
    if centre.quota != call.ids[1]:
        raise NoSuchObject
    return Reply(_quota(centre, call.prefix))


EMPTY = {
    "datacenters/*/qoss": "qoss",
    "datacenters/*/iscsibonds": "iscsi_bonds",
    "clusters/*/affinitygroups": "affinity_groups",
    "clusters/*/glusterhooks": "gluster_hooks",
    "clusters/*/glustervolumes": "gluster_volumes",
    "clusters/*/enabledfeatures": "cluster_features",
    "clusters/*/externalnetworkproviders": "external_providers",
    "storagedomains/*/templates": "templates",
    "storagedomains/*/disksnapshots": "disk_snapshots",
    "networks/*/networklabels": "network_labels",
}
"""Collections below a data center, cluster, domain or network that stay empty, and the element they answer."""

ROUTES = (
    Route("GET", "macpools", list_mac_pools),
    Route("POST", "macpools", add_mac_pool, "mac_pool"),
    Route("GET", "macpools/*", get_mac_pool),
    Route("GET", "schedulingpolicies", list_policies),
    Route("GET", "schedulingpolicies/*", get_policy),
    Route("GET", "schedulingpolicyunits", list_units),
    Route("GET", "schedulingpolicyunits/*", get_unit),
    Route("GET", "cpuprofiles", list_cpu_profiles),
    Route("GET", "cpuprofiles/*", get_cpu_profile),
    Route("GET", "clusters/*/cpuprofiles", list_cpu_profiles),
    Route("GET", "clusters/*/cpuprofiles/*", get_cpu_profile),
    Route("GET", "diskprofiles", list_disk_profiles),
    Route("GET", "diskprofiles/*", get_disk_profile),
    Route("GET", "storagedomains/*/diskprofiles", list_disk_profiles),
    Route("GET", "storagedomains/*/diskprofiles/*", get_disk_profile),
    Route("GET", "datacenters/*/quotas", list_quotas),
    Route("GET", "datacenters/*/quotas/*", get_quota),
    *(Route("GET", pattern, nothing(tag)) for pattern, tag in EMPTY.items()),
)
