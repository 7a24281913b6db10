"""The data center and cluster of this run that a node is approved into: one pair for each kind of storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """Return the place for a node, created now or found under this run's own name."""
    with parts.locked(f"place-{node.storage}"):
        return _ensure_place(parts.engine, parts.ledger, node)


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
