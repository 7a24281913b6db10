"""The collection /vms/{id}/diskattachments."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pytest_ovirt_release.lab.engine.call import Call, Reply, created, get, listing, removed
from pytest_ovirt_release.lab.engine.disks import begin_removal, new_disk
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fault import NoSuchObject, bad, conflict, incomplete, not_implemented
from pytest_ovirt_release.lab.engine.images import make_image
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.state import Attachment
from pytest_ovirt_release.lab.engine.vm_states import shown_status

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Bus, Disk, Vm

PLUGGABLE = ("up", "down", "paused")
INTERFACES = ("ide", "virtio_scsi", "virtio", "spapr_vscsi", "sata")


def attachment_node(attachment: Attachment, vm: Vm, prefix: str) -> Node:
    """Return `<disk_attachment>`: its id is the disk's."""
    disk = attachment.disk
    answer = node("disk_attachment", href=f"{prefix}/vms/{vm.id}/diskattachments/{disk}", id=disk)
    return answer.add(
        {
            "active": attachment.active,
            "bootable": attachment.bootable,
            "interface": attachment.interface,
            "pass_discard": False,
            "read_only": False,
            "uses_scsi_reservation": False,
            "disk": link("disk", f"{prefix}/disks/{disk}", disk),
            "vm": link("vm", f"{prefix}/vms/{vm.id}", vm.id),
        }
    )


async def list_attachments(core: Core, call: Call) -> Reply:
    """GET; the collection of an unknown VM is empty."""
    vm = core.state.vms.get(call.ids[0])
    items = [] if vm is None else vm.attachments
    return listing("disk_attachments", (attachment_node(item, vm, call.prefix) for item in items if vm))


def _find(core: Core, call: Call) -> tuple[Vm, Attachment]:
    vm = get(core.state.vms, call.ids[0])
    for attachment in vm.attachments:
        if attachment.disk == call.ids[1]:
            return vm, attachment
    raise NoSuchObject


async def get_attachment(core: Core, call: Call) -> Reply:
    """GET one."""
    vm, attachment = _find(core, call)
    return Reply(attachment_node(attachment, vm, call.prefix))


async def add_attachment(core: Core, call: Call) -> Reply:
    """POST: attach a disk that exists, or make one. 201 although a new disk is still locked."""
    vm = get(core.state.vms, call.ids[0])
    body = call.body
    wanted = body.child("disk")
    interface = body.one_of("interface", "DiskInterface", INTERFACES)
    if interface == "spapr_vscsi":
        raise not_implemented("a disk of another architecture")
    if wanted is None:
        raise incomplete("DiskAttachment", ["disk"])
    existing = wanted.id
    if existing is None and interface is None:
        raise incomplete("DiskAttachment", ["interface"])
    bootable, active = bool(body.flag("bootable")), body.flag("active")
    if active is None:
        active = existing is None  # one that exists is attached, but not plugged in
    if active and vm.status == "up":
        raise not_implemented(f"{call.method} {call.path} of a disk that is plugged into a running VM")
    if existing is None:
        _check_boot(core, vm, "add", bootable=bootable)
        disk = new_disk(core, wanted, "invoke0", vm)
    else:
        disk = _attachable(core, vm, get(core.state.disks, existing), bootable=bootable)
    attachment = Attachment(disk.id, bootable, cast("Bus", interface or "virtio"), active)
    vm.attachments.append(attachment)
    domain = core.state.storage_domains[disk.domain]
    if existing is None:
        text = f"Add-Disk operation of {disk.name} was initiated on VM {vm.name} by admin@internal-authz."
        core.event(78, text, call.correlation, vm=vm, domain=domain)
        core.spawn(make_image(core, disk, call.correlation, vm))
    else:
        text = f"Disk {disk.name} was successfully attached to VM {vm.name} by admin@internal-authz."
        core.event(2016, text, call.correlation, vm=vm)
    return created(attachment_node(attachment, vm, call.prefix))


def _check_boot(core: Core, vm: Vm, verb: str, *, bootable: bool) -> None:
    """Refuse a second disk to boot from."""
    for item in vm.attachments:
        if bootable and item.bootable:
            name = core.state.disks[item.disk].name
            raise conflict(
                f"Cannot {verb} Virtual Disk. Disk {name} in VM {vm.name} is already marked as boot."
            )


def _attachable(core: Core, vm: Vm, disk: Disk, *, bootable: bool) -> Disk:
    """Return a disk that exists if it can be attached; the engine's order of checks."""
    if disk.status == "illegal":
        raise bad(
            "Cannot attach Virtual Disk. Disk is in an illegal state. Disks in an illegal state can only be deleted."
        )
    if any(item.disk == disk.id for item in vm.attachments):
        raise conflict("Cannot attach Virtual Disk. The disk is already attached to VM.")
    if core.state.vms_with(disk.id):
        raise conflict(
            "Cannot attach Virtual Disk. The disk is not shareable and is already attached to a VM."
        )
    if vm.status not in PLUGGABLE:
        raise conflict(f"Cannot attach Virtual Disk. VM {vm.name} must be in status Down, Up or Paused.")
    _check_boot(core, vm, "attach", bootable=bootable)
    domain = core.state.storage_domains[disk.domain]
    data_center = core.state.data_center_of(vm.cluster)
    if data_center is None or domain.data_center != data_center.id:
        raise conflict(
            "Cannot attach Virtual Disk. The target Data Center does not contain the Virtual Disk."
        )
    if disk.status == "locked":
        raise conflict(
            f"Cannot attach Virtual Disk: The following disks are locked: {disk.name}. "
            "Please try again in a few minutes."
        )
    return disk


async def remove_attachment(core: Core, call: Call) -> Reply:
    """DELETE: detach (`detach_only`, the engine's default), or delete the disk too."""
    vm, attachment = _find(core, call)
    disk = core.state.disks[attachment.disk]
    if not call.flag("detach_only", default=True):
        return removed(call, begin_removal(core, call, disk))
    if vm.status not in {"up", "down"}:
        raise conflict(f"Cannot detach Virtual Disk because the VM is in {shown_status(vm)} status.")
    if vm.status == "up" and attachment.active:
        raise not_implemented(f"{call.method} {call.path} of a disk that is plugged into a running VM")
    vm.attachments.remove(attachment)
    text = f"Disk {disk.name} was successfully detached from VM {vm.name} by admin@internal-authz."
    core.event(2018, text, call.correlation, vm=vm)
    return removed(call)


ROUTES = (
    Route("GET", "vms/*/diskattachments", list_attachments),
    Route("POST", "vms/*/diskattachments", add_attachment, "disk_attachment"),
    Route("GET", "vms/*/diskattachments/*", get_attachment),
    Route("DELETE", "vms/*/diskattachments/*", remove_attachment),
)
