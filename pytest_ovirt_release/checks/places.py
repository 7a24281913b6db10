"""The data center and cluster of this run that a node is approved into: one pair for each kind of storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.errors import Blocked

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.ledger import Ledger
    from pytest_ovirt_release.checks.parts import Parts
    from pytest_ovirt_release.target.model import NodeTarget


@dataclass(frozen=True)
class Place:
    """Ids of a data center and its cluster."""

    data_center_id: str
    cluster_id: str


def place_name(ledger: Ledger, node: NodeTarget) -> str:
    """Return the name of both: nodes on one NFS export share them, a local data center holds one host only."""
    return ledger.name("nfs" if node.storage == "nfs" else f"local-{node.name}"[:24])


def ensure_place(parts: Parts, node: NodeTarget) -> Place:
    """Return the place for a node: the cluster that the target names, or one created now or found under the run's name.

    Raises:
        Blocked: the named cluster is not there, or not where this node's storage can be.
    """
    if node.cluster is not None:
        return _named_place(parts.engine, node, node.cluster)
    with parts.locked(f"place-{node.storage}"):
        return _ensure_place(parts.engine, parts.ledger, node)


def _named_place(engine: Engine, node: NodeTarget, cluster: str) -> Place:
    """Return somebody's own cluster and data center; they are used as they are, and not in the ledger."""
    cluster_id = engine.hosts.find_cluster(cluster)
    if cluster_id is None:
        raise Blocked(
            "node-approved", f"the engine has no cluster {cluster}, which the target names for {node.name}"
        )
    standing = engine.hosts.place_of(cluster_id)
    if standing is None or standing.is_local != (node.storage == "local"):
        kind = "in no data center" if standing is None else f"in data center {standing.name}"
        raise Blocked(
            "node-approved",
            f"cluster {cluster} is {kind}, which is not one for {node.storage} storage; name another one for "
            f"{node.name}, or none",
        )
    return Place(standing.data_center_id, cluster_id)


def _ensure_place(engine: Engine, ledger: Ledger, node: NodeTarget) -> Place:
    name, comment, cells = place_name(ledger, node), ledger.name("run"), (f"node-approved[{node.name}]",)
    data_center_id = engine.hosts.find_data_center(name)
    if data_center_id is None:
        entry = ledger.intent("data-center", name, cells=cells)
        data_center_id = engine.hosts.add_data_center(name, comment, local=node.storage == "local")
        ledger.created(entry, data_center_id)
    cluster_id = engine.hosts.find_cluster(name)
    if cluster_id is None:
        entry = ledger.intent("cluster", name, cells=cells)
        cluster_id = engine.hosts.add_cluster(name, comment, data_center_id)
        ledger.created(entry, cluster_id)
    return Place(data_center_id, cluster_id)
