"""A node that the engine has up already, as on most test days: smoke tests may use it where it stands.

It is somebody's: never put to maintenance and never moved, unless the target file says `may_move = true`, and then it
is brought back to where it was. Its own cells (registration, approval) stay blocked: nothing of them was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.places import ensure_place
from pytest_ovirt_release.checks.stages import NodeState
from pytest_ovirt_release.checks.waiting import wait_until
from pytest_ovirt_release.errors import Blocked

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.engine import Host
    from pytest_ovirt_release.checks.parts import Parts
    from pytest_ovirt_release.target.model import NodeTarget

MOVED = "moved-host"
"""The ledger's word for a host that has to go back to its own cluster."""

NEVER_UP = ("non_operational", "install_failed", "error", "kdumping", "down")


def standing(parts: Parts, node: NodeTarget) -> Host | None:
    """Return the host that stands at a node's address already and is not this run's; None when there is none up."""
    host = parts.engine.hosts.by_address(node.address)
    if host is None or host.status != "up" or host.comment == parts.ledger.name("run"):
        return None
    return host


def adopt(parts: Parts, node: NodeTarget, host: Host) -> NodeState:
    """Return where an existing host can serve storage; Blocked when it would have to be moved and must not."""
    hosts, requirement = parts.engine.hosts, f"vm-on-{node.storage}"
    place = hosts.place_of(host.cluster_id or "")
    if place is None:
        raise Blocked(requirement, f"host {host.name} stands in no data center; put its cluster into one")
    cluster_id, data_center_id = host.cluster_id or "", place.data_center_id
    if node.storage == "local" and not place.is_local:
        if not node.may_move:
            raise Blocked(
                requirement,
                f"host {host.name} is up in the shared data center {place.name}: for local storage it would have to be "
                "put to maintenance and moved; allow that by may_move = true for this node in the target file, or "
                "name another node",
            )
        cluster_id, data_center_id = _move(parts, node, host)
    return NodeState(
        node.name,
        host_id=host.id,
        host_name=host.name,
        cluster_id=cluster_id,
        data_center_id=data_center_id,
        first_event=parts.engine.events.last(),
        serves=node.storage,
    )


def _move(parts: Parts, node: NodeTarget, host: Host) -> tuple[str, str]:
    """Move a host into this run's local data center; the ledger knows before where it has to go back to."""
    place = ensure_place(parts, node)
    entry = parts.ledger.intent(
        MOVED, host.name, cells=(f"vm-on-{node.storage}",), from_cluster=host.cluster_id, host_id=host.id
    )
    parts.ledger.created(entry, host.id)
    move(parts, host, place.cluster_id)
    return place.cluster_id, place.data_center_id


def move(parts: Parts, host: Host, cluster_id: str) -> None:
    """Put a host into another cluster, by way of maintenance, and see it up there; what is done already is left out."""
    hosts = parts.engine.hosts
    if host.cluster_id != cluster_id:
        if host.status not in {"maintenance", "preparing_for_maintenance"}:
            hosts.deactivate(host.id)
        _await(parts, host, "maintenance")
        hosts.move(host.id, cluster_id)
    now = hosts.get(host.id)
    if now is not None and now.status == "maintenance":
        hosts.activate(host.id)
    _await(parts, host, "up")


def _await(parts: Parts, host: Host, wanted: str) -> None:
    wait_until(
        lambda: (getattr(parts.engine.hosts.get(host.id), "status", "gone"), None),
        what=f"host {host.name} {wanted}",
        deadline=parts.target.deadlines.host_up,
        wanted=(wanted,),
        failing=("gone",) if wanted == "maintenance" else ("gone", *NEVER_UP),
        say=parts.say,
        flag=parts.engine.flag,
    )
