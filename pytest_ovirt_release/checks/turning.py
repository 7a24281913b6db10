"""A target's only node serves NFS and local storage one after the other: in between it leaves all that the first needed.

A local data center holds one host only and its own kind of storage, so the host has to move between clusters. Storage
that stayed behind in a data center without a host could never be removed again, so it goes first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.adopted import MOVED, move
from pytest_ovirt_release.checks.ledger import open_entries, read_records
from pytest_ovirt_release.checks.places import ensure_place
from pytest_ovirt_release.checks.removal import remove_all
from pytest_ovirt_release.errors import Unproven

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.parts import Parts
    from pytest_ovirt_release.checks.stages import NodeState
    from pytest_ovirt_release.target.model import NodeTarget

ONE_AFTER_THE_OTHER = "one-after-the-other"
"""Key of the fact by which the verdict says so."""


def sentence(node: NodeTarget, before: str) -> str:
    """Return what the verdict says of a node that was turned."""
    return (
        f"{node.name} is the target's only node: it served {before} storage first, then {node.storage} storage, "
        "one after the other"
    )


def leave(parts: Parts, node: NodeTarget, host_id: str) -> None:
    """Remove the storage made over a host, and bring the host back to where it was if the run has moved it.

    Raises:
        Unproven: something of it is still there, so the node cannot serve anything else.
    """
    own = [
        entry
        for entry in open_entries(read_records(parts.folder.parent))
        if entry.what in {"storage-domain", MOVED} and entry.details.get("host_id") == host_id
    ]
    if left := remove_all(parts.engine, parts.ledger, own, parts.say):
        raise Unproven(
            f"{node.name} cannot serve {node.storage} storage after the other kind: {left[0]} is still there: "
            f"{left[0].left}"
        )


def turned(parts: Parts, node: NodeTarget, state: NodeState) -> NodeState:
    """Bring a node of this run to where it can serve its other kind of storage, and up there."""
    leave(parts, node, state.host_id)
    place = ensure_place(parts, node)
    host = parts.engine.hosts.get(state.host_id)
    if host is None:
        raise Unproven(f"host {state.host_name} is gone")
    move(parts, host, place.cluster_id)
    return replace(
        state,
        cluster_id=place.cluster_id,
        data_center_id=place.data_center_id,
        domain_id="",
        serves=node.storage,
        is_moving=False,
        first_event=parts.engine.events.last(),
    )
