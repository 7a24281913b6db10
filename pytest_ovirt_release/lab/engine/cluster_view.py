"""A cluster as the API shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.builtin import DEFAULT_POLICY, MAC_POOL
from pytest_ovirt_release.lab.engine.call import entity
from pytest_ovirt_release.lab.engine.document import Node, link, node

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.state import Cluster

FENCING = {
    "enabled": True,
    "skip_if_connectivity_broken": {"enabled": False, "threshold": 50},
    "skip_if_gluster_bricks_up": False,
    "skip_if_gluster_quorum_not_met": False,
    "skip_if_sd_active": {"enabled": False},
}
MIGRATION = {
    "auto_converge": "inherit",
    "bandwidth": {"assignment_method": "auto"},
    "compressed": "inherit",
    "encrypted": "inherit",
    "parallel_migrations_policy": "disabled",
}
POLICY_PROPERTIES = Node("custom_scheduling_policy_properties").add(
    {"property": {"name": "HighUtilization", "value": "80"}}
)
POLICY_PROPERTIES.add({"property": {"name": "CpuOverCommitDurationMinutes", "value": "2"}})


def cluster_node(cluster: Cluster, prefix: str, folder: str = "clusters", network: str | None = None) -> Node:
    """Return `<cluster>`; `folder` is the collection it was asked for in.

    Only answers to writing name the management `network`.
    """
    data_center = cluster.data_center
    href = f"{prefix}/{folder}/{cluster.id}"
    policy = cluster.migration_policy
    return entity(
        "cluster",
        href,
        cluster.id,
        action_names=known.CLUSTER_ACTIONS,
        link_names=known.CLUSTER_LINKS,
        head={"name": cluster.name, "description": cluster.description, "comment": cluster.comment},
        fields={
            "ballooning_enabled": True,
            "bios_type": cluster.bios_type,
            "cpu": {"architecture": cluster.architecture, "type": cluster.cpu_type},
            "custom_scheduling_policy_properties": POLICY_PROPERTIES if cluster.policy_properties else None,
            "error_handling": {"on_error": "migrate"},
            "fencing_policy": FENCING,
            "fips_mode": cluster.fips_mode,
            "firewall_type": "firewalld",
            "gluster_service": False,
            "ha_reservation": False,
            "ksm": {"enabled": True, "merge_across_nodes": True},
            "log_max_memory_used_threshold": 95,
            "log_max_memory_used_threshold_type": "percentage",
            "memory_policy": {
                "over_commit": {"percent": 100},
                "transparent_hugepages": {"enabled": cluster.transparent_hugepages},
            },
            "migration": MIGRATION | {"policy": node("policy", id=policy) if policy else None},
            "required_rng_sources": {"required_rng_source": "urandom"},
            "switch_type": "legacy",
            "threads_as_cores": False,
            "trusted_service": False,
            "tunnel_migration": False,
            "upgrade_in_progress": False,
            "upgrade_percent_complete": 0,
            "version": node("version", {"major": cluster.version[0], "minor": cluster.version[1]}),
            "virt_service": True,
            "vnc_encryption": cluster.vnc_encryption,
            "data_center": data_center
            and link("data_center", f"{prefix}/datacenters/{data_center}", data_center),
            "mac_pool": link("mac_pool", f"{prefix}/macpools/{MAC_POOL}", MAC_POOL),
            "management_network": network
            and link("management_network", f"{href}/networks/{network}", network),
            "scheduling_policy": link(
                "scheduling_policy", f"{prefix}/schedulingpolicies/{DEFAULT_POLICY}", DEFAULT_POLICY
            ),
        },
    )
