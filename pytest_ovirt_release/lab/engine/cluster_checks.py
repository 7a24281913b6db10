"""What the engine refuses of a cluster's version and processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.cpus import CPUS
from pytest_ovirt_release.lab.engine.datacenters import VERSIONS, read_version
from pytest_ovirt_release.lab.engine.fault import Fault, bad, conflict

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.state import Cluster, DataCenter

ARCHITECTURES = {cpu.name: cpu.architecture for cpu in CPUS}
"""Of each processor that a cluster can have."""


def check_new(
    core: Core, name: str, data_center: DataCenter, version: tuple[int, int], cpu_type: str
) -> None:
    """Refuse what the engine refuses, in its order."""
    if any(item.name == name for item in core.state.clusters.values()):
        raise conflict("Cannot create Cluster. Cluster name is already in use.")
    if version not in VERSIONS:
        raise Fault(
            500,
            'java.lang.NullPointerException: Cannot invoke "org.ovirt.engine.core.bll.CommandBase.getParameters()"'
            ' because "commandBase" is null',
        )
    if cpu_type and cpu_type not in ARCHITECTURES:
        raise bad("Cannot create Cluster. The chosen CPU is not supported.")
    if version < data_center.version:
        raise bad(
            "Cannot add Cluster with Compatibility Version that is lower than the Data Center Compatibility Version.\n"
            "-Please upgrade your Cluster to a later Compatibility version first."
        )
    if data_center.local and any(c.data_center == data_center.id for c in core.state.clusters.values()):
        raise bad('Cannot add more than one Cluster to a Data Center with "Local Storage".')


def changed_level(core: Core, cluster: Cluster, body: Body) -> tuple[tuple[int, int], str]:
    """Return version and CPU that a cluster is to have; what its hosts stand against is refused."""
    version = read_version(body) or cluster.version
    cpu_type = body.text("cpu/type") or cluster.cpu_type
    hosts = [host for host in core.state.hosts.values() if host.cluster == cluster.id]
    centre = core.state.data_centers.get(cluster.data_center or "")
    if version not in VERSIONS:
        raise bad("Cannot edit Cluster. Selected Compatibility Version is not supported.")
    if version < cluster.version and hosts:
        raise bad("Cluster compatibility version can't be decreased if there are hosts in the Cluster.")
    if version < cluster.version and centre is not None and version < centre.version:
        raise bad("Cannot decrease cluster compatibility version beneath data center compatibility version.")
    if cpu_type != cluster.cpu_type and cpu_type not in ARCHITECTURES:
        raise bad("Cannot edit Cluster. The chosen CPU is not supported.")
    if cpu_type != cluster.cpu_type and any(host.status != "maintenance" for host in hosts):
        raise conflict(
            "Cannot change Cluster CPU type unless all Hosts attached to this Cluster are in Maintenance."
        )
    return version, cpu_type
