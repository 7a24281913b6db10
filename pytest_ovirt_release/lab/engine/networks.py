"""Networks, their vNIC profiles and filters.

Every data center has one network, the management network that came with it; more networks are not made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.builtin import NETWORK_FILTERS, NO_MAC_SPOOFING
from pytest_ovirt_release.lab.engine.call import Call, Reply, entity, get, listing, pick
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fault import (
    NoSuchObject,
    incomplete,
    mandatory,
    mandatory_pair,
    not_implemented,
)
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.search import found

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Cluster, DataCenter

NAME = "ovirtmgmt"
CLUSTER_USAGES = ("vm", "display", "migration", "management", "default_route")
FIELDS: dict[str, Callable[[DataCenter], str]] = {
    "name": lambda _: NAME,
    "description": lambda item: item.network_description,
    "datacenter": lambda item: item.name,
    "id": lambda item: item.network,
}


def network_node(
    data_center: DataCenter, prefix: str, *, link_names: str = "", cluster: Cluster | None = None
) -> Node:
    """Return `<network>`: the management network, by itself or with what it is in a cluster."""
    where = prefix if cluster is None else f"{prefix}/clusters/{cluster.id}"
    usages = ("vm",) if cluster is None else CLUSTER_USAGES
    inside = None if cluster is None else True
    return entity(
        "network",
        f"{where}/networks/{data_center.network}",
        data_center.network,
        link_names=link_names,
        head={"name": NAME, "description": data_center.network_description, "comment": ""},
        fields={
            "display": inside,
            "mtu": 0,
            "port_isolation": False,
            "required": inside,
            "status": inside and "operational",
            "stp": False,
            "usages": Node("usages", children=[Node("usage", text=usage) for usage in usages]),
            "vdsm_name": NAME,
            "cluster": cluster and link("cluster", where, cluster.id),
            "data_center": link("data_center", f"{prefix}/datacenters/{data_center.id}", data_center.id),
        },
    )


def _by_network(core: Core) -> dict[str, DataCenter]:
    return {item.network: item for item in core.state.data_centers.values()}


async def list_networks(core: Core, call: Call) -> Reply:
    """GET /networks."""
    items = found(core.state.data_centers.values(), call, FIELDS, "datacenter")
    return listing("networks", (_shown(item, call.prefix) for item in items))


async def get_network(core: Core, call: Call) -> Reply:
    """GET /networks/{id}."""
    return Reply(_shown(get(_by_network(core), call.ids[0]), call.prefix))


def _shown(data_center: DataCenter, prefix: str) -> Node:
    return network_node(data_center, prefix, link_names=known.NETWORK_LINKS)


async def add_network(_core: Core, call: Call) -> Reply:
    """POST /networks: only what the engine refuses."""
    if call.body.id is None and call.body.text("name") is None:
        raise mandatory_pair("network.id", "network.name")
    centre = call.body.child("data_center")
    if centre is None or (centre.id or centre.text("name")) is None:
        raise incomplete("Network", ["dataCenter.name|id"])
    raise not_implemented(f"{call.method} {call.path}")


async def list_data_center_networks(core: Core, call: Call) -> Reply:
    """GET /datacenters/{id}/networks: without the links, and where the networks are by themselves."""
    centre = core.state.data_centers.get(call.ids[0])
    return listing("networks", [] if centre is None else [network_node(centre, call.prefix)])


async def get_data_center_network(core: Core, call: Call) -> Reply:
    """GET /datacenters/{id}/networks/{id}."""
    centre = get(core.state.data_centers, call.ids[0])
    return Reply(pick([network_node(centre, call.prefix)], call.ids[1]))


async def list_cluster_networks(core: Core, call: Call) -> Reply:
    """GET /clusters/{id}/networks; a cluster without a data center has none."""
    cluster = core.state.clusters.get(call.ids[-1])
    found_ = _cluster_network(core, cluster, call.prefix) if cluster is not None else None
    return listing("networks", [] if found_ is None else [found_])


async def get_cluster_network(core: Core, call: Call) -> Reply:
    """GET /clusters/{id}/networks/{id}."""
    network = _cluster_network(core, get(core.state.clusters, call.ids[0]), call.prefix)
    if network is None or network.attributes["id"] != call.ids[1]:
        raise NoSuchObject
    return Reply(network)


def _cluster_network(core: Core, cluster: Cluster, prefix: str) -> Node | None:
    data_center = core.state.data_centers.get(cluster.data_center or "")
    if data_center is None:
        return None
    return network_node(data_center, prefix, cluster=cluster)


def profile_node(data_center: DataCenter, prefix: str) -> Node:
    """Return `<vnic_profile>` of a management network."""
    network, id_ = data_center.network, data_center.vnic_profile
    return entity(
        "vnic_profile",
        f"{prefix}/vnicprofiles/{id_}",
        id_,
        link_names="permissions",
        head={"name": NAME},
        fields={
            "pass_through": {"mode": "disabled"},
            "port_mirroring": False,
            "network": link("network", f"{prefix}/networks/{network}", network),
            "network_filter": link(
                "network_filter", f"{prefix}/networkfilters/{NO_MAC_SPOOFING}", NO_MAC_SPOOFING
            ),
        },
    )


async def list_profiles(core: Core, call: Call) -> Reply:
    """GET /vnicprofiles, or those of one network."""
    centres = [c for c in core.state.data_centers.values() if not call.ids or c.network == call.ids[0]]
    return listing("vnic_profiles", (profile_node(c, call.prefix) for c in centres[: call.limit()]))


async def get_profile(core: Core, call: Call) -> Reply:
    """GET /vnicprofiles/{id}."""
    by_id = {item.vnic_profile: item for item in core.state.data_centers.values()}
    return Reply(profile_node(get(by_id, call.ids[0]), call.prefix))


async def add_profile(_core: Core, call: Call) -> Reply:
    """POST /vnicprofiles: only what the engine refuses."""
    if call.body.text("name") is None:
        raise mandatory("profile.name")
    raise not_implemented(f"{call.method} {call.path}")


def _filter_nodes(prefix: str) -> list[Node]:
    return [
        node("network_filter", href=f"{prefix}/networkfilters/{f.id}", id=f.id).add(
            {"name": f.name, "version": {"major": f.version[0], "minor": f.version[1]}}
        )
        for f in NETWORK_FILTERS
    ]


async def list_filters(_core: Core, call: Call) -> Reply:
    """GET /networkfilters, also below a cluster."""
    return listing("network_filters", _filter_nodes(call.prefix))


async def get_filter(_core: Core, call: Call) -> Reply:
    """GET /networkfilters/{id}."""
    return Reply(pick(_filter_nodes(call.prefix), call.ids[-1]))


ROUTES = (
    Route("GET", "networks", list_networks),
    Route("POST", "networks", add_network, "network"),
    Route("GET", "networks/*", get_network),
    Route("GET", "networks/*/vnicprofiles", list_profiles),
    Route("GET", "datacenters/*/networks", list_data_center_networks),
    Route("GET", "datacenters/*/networks/*", get_data_center_network),
    Route("GET", "clusters/*/networks", list_cluster_networks),
    Route("GET", "clusters/*/networks/*", get_cluster_network),
    Route("GET", "clusters/*/networkfilters", list_filters),
    Route("GET", "vnicprofiles", list_profiles),
    Route("POST", "vnicprofiles", add_profile, "vnic_profile"),
    Route("GET", "vnicprofiles/*", get_profile),
    Route("GET", "networkfilters", list_filters),
    Route("GET", "networkfilters/*", get_filter),
)
