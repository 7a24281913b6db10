"""What the recorded engine held when a scenario began, and what its simulated hosts were told to do during it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_ovirt_release.lab.engine.sso import FAILED_LOGIN
from pytest_ovirt_release.lab.node.verbs import VdsmError
from tests.lab.contract.host import RecordedHost

if TYPE_CHECKING:
    from tests.lab.contract.stage import Stage

Act = Callable[["Stage"], None]


@dataclass(frozen=True)
class World:
    """Hosts that are up (name, address), the NFS domain that is attached, and acts before named exchanges.

    Of the hosts in `unseen` the engine has not seen the SSH key: they were approved without password and reboot.
    `comments` were given to hosts before; a host of a name in `alerts` was there before, and the alert about it still is.
    """

    hosts: tuple[tuple[str, str], ...] = ()
    nfs: str | None = None
    acts: dict[str, Act] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    comments: dict[str, str] = field(default_factory=dict)
    alerts: tuple[str, ...] = ()


def deployment(error: str | None) -> Act:
    """Let the deployment of hosts fail, or succeed again."""

    def act(stage: Stage) -> None:
        stage.bench.ssh.error = None if error is None else RuntimeError(error)

    return act


def starts_on(name: str) -> Act:
    """Let the next VM start on this host: which of several idle ones it is, is the scheduler's choice."""

    def act(stage: Stage) -> None:
        hosts = stage.bench.engine.core.state.hosts
        first = next(host for host in hosts.values() if host.name == name)
        others = [host for host in hosts.values() if host is not first]
        hosts.clear()
        hosts.update({host.id: host for host in [first, *others]})

    return act


def domains(address: str, refusal: str | None) -> Act:
    """Let a host find no domain that is to be attached, or all of them again."""

    def act(stage: Stage) -> None:
        node = stage.node(address)
        assert isinstance(node, RecordedHost)
        node.refuses_domains = refusal

    return act


def crash(name: str) -> Act:
    """Lose the process of a VM, and wait until the engine knows."""

    def act(stage: Stage) -> None:
        state = stage.bench.engine.core.state
        vm = next(vm for vm in state.vms.values() if vm.name == name)
        host = stage.bench.nodes[state.hosts[vm.host or ""].address]
        assert isinstance(host, RecordedHost)
        host.crash(vm.id)
        stage.until(f"/vms/{vm.id}", "status", "down")

    return act


def cannot_create_vms(stage: Stage) -> None:
    """Let every host refuse to create a VM, the last ones in another order."""
    starts_on("h11")(stage)
    starts_on("node14")(stage)
    for host in stage.bench.nodes.values():
        host.broken["create_vm"] = VdsmError(9, "Failed to create VM")


def create_vms(stage: Stage) -> None:
    """Let the hosts create VMs again."""
    for host in stage.bench.nodes.values():
        host.broken.pop("create_vm", None)


def logins(stage: Stage) -> None:
    """Leave in the log what the topics before had left: a wrong password, a login, and version 3 of the API."""
    core = stage.bench.engine.core
    core.event(114, FAILED_LOGIN.format(user="admin@internal"), user="admin@internal")
    headers = {"Authorization": f"Bearer {stage.log_in()}"}
    stage.send("GET", "/ovirt-engine/api/v3", headers, None)


def events(count: int) -> Act:
    """Let the log hold so many events."""

    def act(stage: Stage) -> None:
        core = stage.bench.engine.core
        while len(core.events.events) < count:
            core.event(114, FAILED_LOGIN.format(user="admin@internal"), user="admin@internal")

    return act


def silent(address: str, *, answers: bool = False) -> Act:
    """Let a host not answer any more, or answer again."""

    def act(stage: Stage) -> None:
        broken = stage.node(address).broken
        broken.pop("host_get_capabilities", None)
        if not answers:
            broken["host_get_capabilities"] = VdsmError(5022, "Message timeout")

    return act


def reports(address: str, **changes: object) -> Act:
    """Let a host report other capabilities, or its own again; a told one calls its system another name."""

    def act(stage: Stage) -> None:
        node = stage.node(address)
        assert isinstance(node, RecordedHost)
        node.changes = {"os_name": "oVirt Node"} | changes if changes else {}

    return act


def registered(name: str, address: str, unique_id: str) -> Act:
    """Register a host, as an exchange did that is kept apart."""

    def act(stage: Stage) -> None:
        query = f"version=1&command=register&name={name}&address={address}&uniqueId={quote(unique_id)}"
        stage.send("GET", f"/ovirt-engine/services/host-register?{query}", {}, None)

    return act


def nameless(address: str) -> Act:
    """Let the engine not know a host's unique id: the play that installed it did not tell."""

    def act(stage: Stage) -> None:
        for host in stage.bench.engine.core.state.hosts.values():
            if host.address == address:
                host.unique_id = ""

    return act


H11 = ("h11", "127.0.0.11")
H12 = ("h12", "127.0.0.12")
NODE13 = ("node13", "127.0.0.13")
NODE14 = ("node14", "127.0.0.14")
NODE15 = ("node15", "127.0.0.15")

SEEN = {"h12": "a comment", "node13": "seen"}

WORLDS: dict[str, World] = {
    "01-add-host": World(),
    "02-register-approve": World(
        hosts=(H12,),
        acts={"016-approve-failing-deploy": deployment("Task failed"), "018-approve": deployment(None)},
    ),
    "03-register-approve-reboot": World(hosts=(H12, NODE13)),
    "05-host-maintenance-remove": World(hosts=(H12, NODE13, NODE14, NODE15), unseen=("node15",)),
    "06-host-unresponsive": World(
        hosts=(H12, NODE13, NODE14),
        acts={"001-mark-down": silent(NODE14[1]), "004-mark-back": silent(NODE14[1], answers=True)},
    ),
    "07-host-non-operational": World(
        hosts=(H12, NODE13, NODE14),
        acts={
            "002-activate-old-cluster-levels": reports(NODE14[1], cluster_levels=("4.2",)),
            "005-activate-vdsm-4.9": reports(
                NODE14[1],
                vdsm_version="4.9-112.el6",
                libvirt_version="libvirt-0.9.4-23.el6",
            ),
            "008-activate-no-mgmt-network": reports(NODE14[1], networks=()),
            "011-activate-wrong-cpu": reports(NODE14[1], cpu_flags=("nx",), cpu_model="Old CPU"),
            "014-activate-no-kvm": reports(NODE14[1], kvm_enabled=False),
            "017-activate": reports(NODE14[1]),
        },
    ),
    "08-dc-cluster": World(hosts=(H12, NODE13, NODE14)),
    "09-nfs-storage": World(hosts=(H12, NODE13, NODE14), comments=SEEN),
    "10-vm-nfs": World(
        hosts=(NODE13, NODE14, H12, H11),
        nfs="nfs1",
        comments=SEEN,
        acts={
            "023-start": starts_on("h12"),
            "051-start-suspended": starts_on("node14"),
            "054-start-again": starts_on("h11"),
            "058-run-once-kernel": starts_on("h12"),
            "064-vm-after-crash": crash("vm1"),
            "065-start-failing": cannot_create_vms,
            "066-vm-after-failed-start": create_vms,
        },
    ),
    "11-vm-migrate-refused": World(
        hosts=(NODE13, H12, NODE14, H11),
        nfs="nfs1",
        acts={"002-start": starts_on("h12"), "009-activate-host": nameless(H12[1])},
    ),
    "12-local-storage": World(hosts=(H12,), alerts=("node16",)),
    "13-dc-teardown": World(
        hosts=(H12,),
        alerts=("hT",),
        acts={
            "003-add-host": reports("127.0.0.15", os_name="oVirt Node"),
            "006-attach-failing": domains("127.0.0.15", "Storage domain cannot be attached"),
            "008-attach": domains("127.0.0.15", None),
        },
    ),
    "16-local-storage-mixed": World(hosts=(H12,)),
    "17-default-dc-local": World(alerts=("node13",)),
    "static-06-collections": World(acts={"003-events": logins}),
    "static-07-host-register": World(
        acts={"015-register-bad-port": registered("127.0.0.90", "127.0.0.90", "!!!")}
    ),
    "static-08-faults": World(acts={"091-event-add": events(78)}),
}
"""By topic; one that is not here begins with a fresh engine."""

RECORDED_IDS = {"a8114442-e68b-11f1-a9b4-02fc00000001": "{datacenter:Default}"}
"""Objects of the recorded engine whose id some topic watches without ever naming them."""
