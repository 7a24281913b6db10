"""What the engine refuses of disks, their attachments and their transfers."""

from __future__ import annotations

from typing import Any

from ovirtsdk4 import types

from pytest_ovirt_release.lab.node.verbs import VmStats
from tests.lab.engine.fakes import wait
from tests.lab.engine.flows import GIBIBYTE, Lab, refused

NOBODY = "11111111-2222-4333-8444-555555555555"
NODE = "127.0.0.2"
VIRTIO = types.DiskInterface.VIRTIO


def disk(**fields: Any) -> types.Disk:
    wanted: dict[str, Any] = {"name": "d", "format": types.DiskFormat.RAW, "provisioned_size": GIBIBYTE}
    wanted["storage_domains"] = [types.StorageDomain(name="nfs-1")]
    return types.Disk(**(wanted | fields))


def floating(lab: Lab) -> Any:
    """Return a disk that no VM has."""
    added = lab.system.disks_service().add(disk())
    service = lab.system.disks_service().disk_service(added.id)
    return wait(service.get, lambda seen: seen.status == types.DiskStatus.OK)


def test_a_disk_needs_a_size_and_a_place(lab: Lab) -> None:
    _, _, domain = lab.ready()
    disks = lab.system.disks_service()
    assert refused(lambda: disks.add(disk(provisioned_size=0))) == (
        400,
        "[Cannot add Virtual Disk. Disk's provisioned size has to be greater than 0.]",
    )
    assert refused(lambda: disks.add(disk(storage_domains=None))) == (
        400,
        "[Cannot add Virtual Disk. Storage Domain hasn't been specified.]",
    )
    nowhere = disk(storage_domains=[types.StorageDomain(id=NOBODY)])
    assert refused(lambda: disks.add(nowhere)) == (404, f"Entity not found: {NOBODY}")
    lab.bench.engine.core.state.storage_domains[domain.id].status = "preparing_for_maintenance"
    assert refused(lambda: disks.add(disk())) == (
        409,
        "[Cannot add Virtual Disk. The relevant Storage Domain's status is PreparingForMaintenance.]",
    )


def test_a_disk_without_a_name_is_called_after_its_vm(lab: Lab) -> None:
    _, host, _ = lab.ready()
    attachments = lab.vm_service(lab.vm(host)).disk_attachments_service()
    made = attachments.add(types.DiskAttachment(interface=VIRTIO, disk=disk(name=None)))
    assert lab.system.disks_service().disk_service(made.disk.id).get().name == "vm-1_Disk1"


def test_a_vm_boots_from_one_disk(lab: Lab) -> None:
    _, host, domain = lab.ready()
    vm = lab.vm(host)
    lab.disk(vm, domain)
    attachments = lab.vm_service(vm).disk_attachments_service()
    text = "Virtual Disk. Disk disk-1 in VM vm-1 is already marked as boot.]"
    new = types.DiskAttachment(interface=VIRTIO, bootable=True, disk=disk())
    assert refused(lambda: attachments.add(new)) == (409, f"[Cannot add {text}")
    old = types.DiskAttachment(interface=VIRTIO, bootable=True, disk=types.Disk(id=floating(lab).id))
    assert refused(lambda: attachments.add(old)) == (409, f"[Cannot attach {text}")


def test_a_disk_that_exists_is_attached_without_being_plugged_in(lab: Lab) -> None:
    center, host, _ = lab.ready()
    vm = lab.vm(host)
    attachments = lab.vm_service(vm).disk_attachments_service()
    loose = floating(lab)
    wanted = types.DiskAttachment(interface=VIRTIO, disk=types.Disk(id=loose.id))
    record = lab.bench.engine.core.state.disks[loose.id]
    record.status = "illegal"
    assert refused(lambda: attachments.add(wanted)) == (
        400,
        "[Cannot attach Virtual Disk. Disk is in an illegal state. Disks in an illegal state can only be deleted.]",
    )
    record.status = "ok"
    domain = lab.bench.engine.core.state.storage_domains[record.domain]
    domain.data_center = NOBODY
    assert refused(lambda: attachments.add(wanted)) == (
        409,
        "[Cannot attach Virtual Disk. The target Data Center does not contain the Virtual Disk.]",
    )
    domain.data_center = center.id
    assert attachments.add(wanted).active is False
    assert refused(lambda: attachments.add(wanted)) == (
        409,
        "[Cannot attach Virtual Disk. The disk is already attached to VM.]",
    )


def test_a_disk_of_a_vm_is_removed_with_its_attachment(lab: Lab) -> None:
    _, host, domain = lab.ready()
    vm = lab.vm(host)
    mine = lab.disk(vm, domain)
    service = lab.system.disks_service().disk_service(mine.id)
    record = lab.bench.engine.core.state.disks[mine.id]
    record.status = "locked"
    assert refused(service.remove) == (
        409,
        "[Cannot remove Virtual Disk. Related operation is currently in progress. Please try again later.]",
    )
    record.status = "ok"
    lab.vm_service(vm).disk_attachments_service().attachment_service(mine.id).remove(detach_only=False)
    (event,) = lab.events(type="2042")
    assert event.description == (
        "Disk disk-1 associated to the VMs vm-1 was successfully removed from domain nfs-1 "
        "(User admin@internal-authz)."
    )
    wait(lab.system.disks_service().list, lambda disks: disks == [])
    assert lab.vm_service(vm).disk_attachments_service().list() == []


def test_a_running_vm_keeps_its_disk(lab: Lab) -> None:
    _, host, domain = lab.ready()
    vm = lab.vm(host)
    mine = lab.disk(vm, domain)
    lab.vm_service(vm).start()
    attachment = lab.vm_service(vm).disk_attachments_service().attachment_service(mine.id)
    assert refused(attachment.remove) == (
        409,
        "[Cannot detach Virtual Disk because the VM is in Wait for Launch status.]",
    )
    transfers = lab.system.image_transfers_service()
    wanted = types.ImageTransfer(disk=types.Disk(id=mine.id))
    assert refused(lambda: transfers.add(wanted)) == (
        409,
        "[Cannot transfer Virtual Disk. The disk disk-1 is plugged to non-Down VMs: vm-1]",
    )
    lab.bench.nodes[NODE].stats[vm.id] = VmStats("Up")
    wait(lab.vm_service(vm).get, lambda seen: seen.status == types.VmStatus.UP)
    assert refused(attachment.remove)[0] == 501


def test_a_transfer_is_not_resumed_unless_it_was_paused(lab: Lab) -> None:
    lab.ready()
    loose = floating(lab)
    transfers = lab.system.image_transfers_service()
    wanted = types.ImageTransfer(
        disk=types.Disk(id=loose.id), direction=types.ImageTransferDirection.DOWNLOAD
    )
    service = transfers.image_transfer_service(transfers.add(wanted).id)
    assert refused(service.resume) == (409, "[Cannot resume image transfer as it's not in a paused state.]")
    code, detail = refused(service.pause)
    assert (code, str(detail)[:64]) == (
        409,
        "[Cannot pause image download as it's handled by the client. Note",
    )
