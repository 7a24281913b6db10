"""What the recorded engine held when a scenario began, and what its simulated hosts were told to do during it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.lab.contract.stage import Stage

Act = Callable[["Stage"], None]


@dataclass(frozen=True)
class World:
    """Hosts that are up (name, address), the NFS domain that is attached, and acts before named exchanges."""

    hosts: tuple[tuple[str, str], ...] = ()
    nfs: str | None = None
    acts: dict[str, Act] = field(default_factory=dict)


def deployment(error: str | None) -> Act:
    """Let the deployment of hosts fail, or succeed again."""

    def act(stage: Stage) -> None:
        stage.bench.ssh.error = None if error is None else RuntimeError(error)

    return act


H12 = ("h12", "127.0.0.12")
NODE13 = ("node13", "127.0.0.13")
NODE14 = ("node14", "127.0.0.14")
NODE15 = ("node15", "127.0.0.15")

WORLDS: dict[str, World] = {
    "01-add-host": World(),
    "02-register-approve": World(
        hosts=(H12,),
        acts={"016-approve-failing-deploy": deployment("Task failed"), "018-approve": deployment(None)},
    ),
    "03-register-approve-reboot": World(hosts=(H12, NODE13)),
    "05-host-maintenance-remove": World(hosts=(H12, NODE13, NODE14, NODE15)),
    "06-host-unresponsive": World(hosts=(H12, NODE13, NODE14)),
    "07-host-non-operational": World(hosts=(H12, NODE13, NODE14)),
    "08-dc-cluster": World(hosts=(H12, NODE13, NODE14)),
    "09-nfs-storage": World(hosts=(H12, NODE13, NODE14)),
    "10-vm-nfs": World(hosts=(H12, NODE13, NODE14), nfs="nfs1"),
    "11-vm-migrate-refused": World(hosts=(H12, NODE13, NODE14), nfs="nfs1"),
    "12-local-storage": World(hosts=(H12,)),
    "13-dc-teardown": World(hosts=(H12,)),
    "16-local-storage-mixed": World(hosts=(H12,)),
    "17-default-dc-local": World(),
}
"""By topic; one that is not here begins with a fresh engine."""
