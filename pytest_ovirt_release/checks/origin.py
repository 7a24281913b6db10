"""Whether a storage domain was new: its own metadata, read on the node that has it mounted.

The engine imports a domain that stands on an NFS export already, without a word and under the new name; only
the metadata on the storage still carry the old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.node import Remote

if TYPE_CHECKING:
    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.target.model import NodeTarget

MOUNTS = "/rhev/data-center/mnt"


def name_on_storage(engine: Engine, node: NodeTarget, domain_id: str) -> str | None:
    """Return the name that an NFS domain's own metadata carry; None where the node cannot show them.

    Raises:
        Unreachable: the node does not answer.
    """
    export = engine.target.storage.nfs
    if export is None:
        return None
    folder = f"{export.address}:{export.path}".replace("_", "__").replace("/", "_")
    seconds = engine.deadlines.ssh
    with Remote(node.ssh, name=node.name, met=engine.met, seconds=seconds, flag=engine.flag) as remote:
        result = remote.run(["cat", f"{MOUNTS}/{folder}/{domain_id}/dom_md/metadata"])
    lines = result.stdout.splitlines() if result.ok else []
    return next((line.partition("=")[2] for line in lines if line.startswith("DESCRIPTION=")), None)
