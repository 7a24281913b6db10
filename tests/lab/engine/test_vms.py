"""Disks, transfers, and a VM from its start to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ovirtsdk4 as sdk
import pytest
from ovirtsdk4 import types

from pytest_ovirt_release.lab.node.verbs import VdsmError, VmStats
from tests.lab.engine.fakes import Bench, wait
from tests.lab.engine.flows import GIBIBYTE, Lab, refused, watching

Phase = types.ImageTransferPhase


def test_a_vm_from_blank_is_down_at_once_and_keeps_what_was_asked(lab: Lab) -> None:
    _, host, _ = lab.ready()
    vm = lab.vm(host)
    assert (vm.status.value, vm.bios.type, vm.memory) == (
        "down",
        types.BiosType.Q35_SEA_BIOS,
        256 * 1024 * 1024,
    )
    assert [item.id for item in lab.vm_service(vm).get().placement_policy.hosts] == [host.id]
    assert vm.stop_time is not None
    default = lab.vm(name="vm-2", bios=None)
    assert default.bios.type == types.BiosType.Q35_OVMF
    wait(lab.codes, lambda codes: codes.count(53) == 2)
    assert refused(lambda: lab.vm(host)) == (
        409,
        "[Cannot add VM. The VM name is already in use, please choose a unique name and try again.]",
    )
    assert refused(lambda: lab.vm(name="vm-3", cluster="nosuch")) == (
        404,
        "Entity not found: Cluster: name=nosuch",
    )


def test_a_new_disk_is_locked_until_its_image_is_made(lab: Lab) -> None:
    _, host, domain = lab.ready()
    vm = lab.vm(host)
    disk = lab.disk(vm, domain)
    assert (disk.provisioned_size, disk.storage_domains[0].id) == (1024 * 1024, domain.id)
    assert lab.bench.nodes["127.0.0.2"].images == {disk.id: 1024 * 1024}
    attachments = lab.vm_service(vm).disk_attachments_service().list()
    assert [(item.disk.id, item.bootable, item.active) for item in attachments] == [(disk.id, True, True)]
    assert [code for code in lab.codes() if code in {78, 97}] == [78, 97]
    lab.vm_service(vm).disk_attachments_service().attachment_service(disk.id).remove(detach_only=True)
    service = lab.system.disks_service().disk_service(disk.id)
    assert service.get().status == types.DiskStatus.OK
    service.remove()

    def gone() -> bool:
        try:
            service.get()
        except sdk.NotFoundError:
            return True
        return False

    wait(gone, bool)
    assert lab.bench.nodes["127.0.0.2"].images == {}


@pytest.mark.parametrize("direction", ["upload", "download"])
def test_a_transfer_goes_through_its_phases(lab: Lab, direction: str) -> None:
    _, host, domain = lab.ready()
    disk = lab.disk(lab.vm(host), domain)
    disk_now = lab.system.disks_service().disk_service(disk.id)
    transfers = lab.system.image_transfers_service()
    transfer = transfers.add(
        types.ImageTransfer(disk=types.Disk(id=disk.id), direction=types.ImageTransferDirection(direction))
    )
    assert transfer.phase == Phase.INITIALIZING
    service = transfers.image_transfer_service(transfer.id)
    with watching(lab.bench.engine.core.state.transfers[transfer.id], "phase") as phases:
        seen = wait(service.get, lambda now: now.phase == Phase.TRANSFERRING)
        assert seen.transfer_url.startswith("https://127.0.0.2:54322/images/")
        assert seen.host.id == host.id
        assert disk_now.get().status == types.DiskStatus.LOCKED
        service.finalize()
        wait(service.get, lambda now: now.phase == Phase.FINISHED_SUCCESS)
    assert phases[-3:] == ["transferring", "finalizing_success", "finished_success"]
    assert disk_now.get().status == types.DiskStatus.OK
    operation = "write" if direction == "upload" else "read"
    said = lab.bench.nodes["127.0.0.2"].said
    assert said[-2:] == [f"add_image_ticket {operation} 1048576", "remove_image_ticket"]


def test_a_cancelled_upload_leaves_no_usable_disk(lab: Lab) -> None:
    _, host, domain = lab.ready()
    disk = lab.disk(lab.vm(host), domain)
    transfers = lab.system.image_transfers_service()
    transfer = transfers.add(types.ImageTransfer(disk=types.Disk(id=disk.id)))
    service = transfers.image_transfer_service(transfer.id)
    wait(service.get, lambda seen: seen.phase == Phase.TRANSFERRING)
    service.cancel()
    wait(service.get, lambda seen: seen.phase == Phase.FINISHED_CLEANUP)
    assert lab.system.disks_service().disk_service(disk.id).get().status == types.DiskStatus.ILLEGAL


def run(lab: Lab, **fields: Any) -> tuple[Any, Any, Any]:
    """Return a VM that was just started, its host and its disk."""
    _, host, domain = lab.ready()
    vm = lab.vm(host, **fields)
    disk = lab.disk(vm, domain)
    lab.vm_service(vm).start(headers={"Correlation-Id": "start-1"})
    return vm, host, disk


def test_a_vm_runs_on_its_host_and_ends_by_itself(lab: Lab) -> None:
    _, host, domain = lab.ready()
    vm = lab.vm(host)
    disk = lab.disk(vm, domain)
    service = lab.vm_service(vm)
    node = lab.bench.nodes["127.0.0.2"]
    with watching(lab.bench.engine.core.state.vms[vm.id]) as states:
        service.start(headers={"Correlation-Id": "start-1"})
        assert (service.get().host.id, service.get().run_once) == (host.id, False)
        shown = {"Powering up": "powering_up", "Up": "up", "Powering down": "powering_down"}
        for said, status in shown.items():
            node.stats[vm.id] = VmStats(said)  # type: ignore[arg-type]  # the three names above
            wait(lambda: service.get().status.value, status.__eq__)
        node.stats[vm.id] = VmStats("Down", 0, "User shut down from within the guest")
        wait(service.get, lambda now: now.status.value == "down")
    assert states == ["down", "wait_for_launch", "powering_up", "up", "powering_down", "down"]
    spec = node.vms[vm.id]
    assert (spec.firmware, spec.boot, spec.memory) == ("bios", ("hd",), 256 * 1024 * 1024)
    assert [(item.volume.image_id, item.volume.id, item.bus, item.bootable) for item in spec.disks] == [
        (disk.id, disk.image_id, "virtio", True)
    ]
    ended = service.get()
    assert (ended.host, ended.stop_time > vm.stop_time) == (None, True)
    told = {event.code: event for event in lab.events() if event.code in {153, 32, 61}}
    assert list(told) == [153, 32, 61]
    assert told[153].description == "VM vm-1 was started by admin@internal-authz (Host: node-1)."
    assert told[32].description == "VM vm-1 started on Host node-1"
    assert (told[32].correlation_id, told[32].host.id) == ("start-1", host.id)
    assert told[61].description == "VM vm-1 is down. Exit message: User shut down from within the guest"
    assert told[61].correlation_id is None
    wait(lambda: node.said[-1], lambda said: said == "destroy_vm")


def test_stop_pulls_the_plug(lab: Lab) -> None:
    vm, _, disk = run(lab)
    service = lab.vm_service(vm)
    assert refused(service.start) == (409, "[Cannot run VM because the VM is in Wait for Launch status.]")
    assert refused(service.remove) == (409, "[Cannot remove VM. VM is running.]")
    assert refused(lab.system.disks_service().disk_service(disk.id).remove) == (
        409,
        "[Cannot remove Virtual Disk. At least one of the VMs is not down.]",
    )
    lab.bench.nodes["127.0.0.2"].stats[vm.id] = VmStats("Up")
    wait(service.get, lambda seen: seen.status.value == "up")
    service.shutdown()
    service.stop(headers={"Correlation-Id": "stop-1"})
    wait(service.get, lambda seen: seen.status.value == "down")
    codes = [code for code in lab.codes() if code in {73, 33, 61}]
    assert codes == [73, 33, 61]
    assert lab.events(type="61")[0].description == "VM vm-1 is down.  "
    service.stop()
    assert lab.events(type="254")[0].description.startswith("VM vm-1 is already Down, Stop VM was skipped.")
    service.remove()
    with pytest.raises(sdk.NotFoundError):
        service.get()
    wait(lab.system.disks_service().list, lambda disks: disks == [])


def test_a_vm_that_crashes_is_down_with_an_error(lab: Lab) -> None:
    vm, _, _ = run(lab)
    node = lab.bench.nodes["127.0.0.2"]
    node.stats.pop(vm.id)
    wait(lab.vm_service(vm).get, lambda seen: seen.status.value == "down")
    event = lab.events(type="119")[0]
    assert (event.severity.value, event.description) == (
        "error",
        "VM vm-1 is down with error. Exit message: Lost connection with qemu process.",
    )


def test_when_every_host_refuses_only_the_log_says_why(lab: Lab) -> None:
    _, host, domain = lab.ready()
    vm = lab.vm(host)
    lab.disk(vm, domain)
    lab.bench.nodes["127.0.0.2"].broken["create_vm"] = VdsmError(9, "Failed to create VM")
    assert refused(lambda: lab.vm_service(vm).start()) == (400, "[]")
    assert lab.vm_service(vm).get().status.value == "down"
    assert [code for code in lab.codes() if code in {10802, 151, 54}] == [10802, 151, 54]


def test_a_start_that_cannot_be_is_refused_and_logged(lab: Lab) -> None:
    _, host, _ = lab.ready()
    vm = lab.vm(host)
    code, detail = refused(lambda: lab.vm_service(vm).start())
    assert (
        code,
        str(detail).startswith("[Cannot run VM without at least one bootable disk.\nAlternatives:"),
    ) == (
        409,
        True,
    )
    assert 54 in lab.codes()[-2:]  # 53, that the VM has been made, may come after it
    nobody = lab.system.vms_service().vm_service("11111111-2222-4333-8444-555555555555")
    code, detail = refused(nobody.start)
    assert (code, "NullPointerException" in str(detail)) == (500, True)
    bystander = lab.system.hosts_service().list(search="name=host-0")[0]
    pinned = lab.vm(
        bystander,
        name="vm-2",
        os=types.OperatingSystem(boot=types.Boot(devices=[types.BootDevice.HD, types.BootDevice.NETWORK])),
    )
    code, detail = refused(lambda: lab.vm_service(pinned).start())
    assert (code, "There is no host that satisfies current scheduling constraints" in str(detail)) == (
        409,
        True,
    )


def test_under_vm_created_with_uefi_the_wish_is_ignored(make_bench: Callable[..., Bench]) -> None:
    lab = Lab(make_bench("vm-created-with-uefi"))
    vm, _, _ = run(lab)
    assert lab.vm_service(vm).get().bios.type == types.BiosType.Q35_OVMF
    assert lab.bench.nodes["127.0.0.2"].vms[vm.id].firmware == "uefi"
    lab.close()


def test_under_guest_on_wrong_node_a_pinned_vm_runs_on_the_bystander(
    make_bench: Callable[..., Bench],
) -> None:
    lab = Lab(make_bench("guest-on-wrong-node"))
    vm, host, _ = run(lab)
    bystander = lab.system.hosts_service().list(search="name=host-0")[0]
    assert lab.vm_service(vm).get().host.id == bystander.id != host.id
    said = lab.bench.nodes["127.0.0.9"].said
    assert said == ["connect /exports/data", "create_vm vm-1 bios"]
    lab.close()


def test_under_guest_on_wrong_node_local_storage_is_spared(make_bench: Callable[..., Bench]) -> None:
    lab = Lab(make_bench("guest-on-wrong-node"))
    lab.center(local=True)
    host = lab.host_up(cluster="dc-1-cluster")
    domain = lab.local()
    vm = lab.vm(host)
    lab.disk(vm, domain)
    lab.vm_service(vm).start()
    assert lab.vm_service(vm).get().host.id == host.id
    lab.close()


def test_a_disk_too_big_or_without_a_home_is_refused(lab: Lab) -> None:
    _, host, domain = lab.ready()
    vm = lab.vm(host)
    attachments = lab.vm_service(vm).disk_attachments_service()

    def wanted(**fields: Any) -> types.DiskAttachment:
        disk = {
            "name": "d",
            "format": types.DiskFormat.RAW,
            "sparse": False,
            "provisioned_size": GIBIBYTE,
            "storage_domains": [types.StorageDomain(name=domain.name)],
        }
        return types.DiskAttachment(
            interface=types.DiskInterface.VIRTIO, bootable=True, disk=types.Disk(**(disk | fields))
        )

    assert refused(lambda: attachments.add(wanted(format=None))) == (
        400,
        "Disk [format] required for invoke0",
    )
    assert refused(lambda: attachments.add(wanted(provisioned_size=999 * 1024 * GIBIBYTE))) == (
        409,
        "[Cannot add Virtual Disk. Low disk space on Storage Domain nfs-1.]",
    )
    nowhere = wanted(storage_domains=[types.StorageDomain(name="nosuch")])
    assert refused(lambda: attachments.add(nowhere)) == (404, None)
