"""What stands against the start of a VM, in the engine's order, and the hosts that it may start on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.fault import Fault, bad, conflict, refuse
from pytest_ovirt_release.lab.engine.storage import check_ready
from pytest_ovirt_release.lab.engine.vm_states import shown_status
from pytest_ovirt_release.lab.engine.vm_view import RESTING

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Host, Vm

BYSTANDER = "host-0"
"""The host that guest-on-wrong-node runs pinned VMs on."""

TRIES = 3
"""Hosts that a VM is tried on before the engine gives up."""

INTERNAL_ERROR = 500
NO_HOSTS = "There are no hosts to use. Check that the cluster contains at least one host in Up state."
NO_DISK = (
    "Cannot run VM without at least one bootable disk.\n"
    "Alternatives:\n"
    "- Create a disk for this VM, and rerun the VM.\n"
    "- Change the boot sequence using the Edit VM command (Boot Option Sub-Tab).\n"
    "- Use the 'Run Once' command to select a different boot option and rerun the VM."
)
NO_ACTIVE_DISK = "Cannot run VM without at least one active disk.\nPlease activate a disk and rerun the VM."
NO_NETWORK = (
    "VM is configured to be 'Network bootable', but no Network Interface is configured.\n"
    "Alternatives:\n"
    "- Select a different boot device (using the 'Run Once' command or 'Edit VM' command on Boot Option Sub-Tab).\n"
    "- Configure Network Interface and rerun the VM."
)


def check_start(core: Core, vm: Vm) -> None:
    """Refuse a VM that has nothing to boot from, is not at rest, or whose storage is not ready."""
    _check_boot(vm)
    if vm.status not in RESTING:
        raise conflict(f"Cannot run VM because the VM is in {shown_status(vm)} status.")
    disks = [core.state.disks[item.disk] for item in vm.attachments if item.active]
    check_ready(core, "Cannot run VM", vm.cluster, disks)
    locked = [disk.name for disk in disks if disk.status == "locked"]
    if locked:
        raise conflict(
            f"Cannot run VM: The following disks are locked: {', '.join(locked)}. Please try again in a few minutes."
        )
    illegal = [disk.name for disk in disks if disk.status == "illegal"]
    if illegal:
        raise illegal_disks("Cannot run VM", illegal)


def illegal_disks(what: str, names: list[str]) -> Fault:
    """Return the refusal of disks that cannot be read, which the engine counts among its own errors."""
    return refuse(
        INTERNAL_ERROR,
        f"{what}. The following attached disks are in ILLEGAL status: {', '.join(names)} - please remove them and try "
        "again.",
    )


def _check_boot(vm: Vm) -> None:
    """Refuse the only boot device that a VM is to have if there is none of its kind."""
    if vm.boot == ("hd",) and not any(item.active for item in vm.attachments):
        raise conflict(NO_ACTIVE_DISK if vm.attachments else NO_DISK)
    if vm.boot == ("network",) and not vm.nics:
        raise conflict(NO_NETWORK)


def candidates(core: Core, vm: Vm) -> list[Host]:
    """Return the hosts to try, the idlest first; a pinned VM has only those it names."""
    hosts = [host for host in core.state.hosts.values() if host.cluster == vm.cluster]
    if vm.pinned and "guest-on-wrong-node" in core.faults:
        data_center = core.state.data_center_of(vm.cluster)
        stranger = [host for host in core.state.hosts.values() if host.name == BYSTANDER]
        if stranger and data_center is not None and not data_center.local:
            return stranger
    ready = [host for host in hosts if host.status == "up"]
    if not ready:
        raise bad(NO_HOSTS)
    fit = [host for host in ready if not vm.pinned or host.id in vm.pinned]
    if not fit:
        # One line for each, all with the first one's name, as with migrations.
        why = (
            f", The host {ready[0].name} did not satisfy internal filter PinToHost because the host is not present in "
            "the pinning list.."
        ) * len(ready)
        raise conflict(
            "Cannot run VM. There is no host that satisfies current scheduling constraints. See below for details:"
            + why
        )
    return sorted(fit, key=lambda host: len(core.state.vms_on(host.id)))[:TRIES]
