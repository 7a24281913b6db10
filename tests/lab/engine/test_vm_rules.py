"""What the engine refuses of virtual machines, in which state, and what a command does instead."""

from __future__ import annotations

from typing import Any

import pytest
from ovirtsdk4 import types

from pytest_ovirt_release.lab.node.verbs import VmStats
from tests.lab.engine.fakes import wait
from tests.lab.engine.flows import Lab, refused

NODE = "127.0.0.2"
DOWN = types.VmStatus.DOWN
NO_DATA_CENTER = "[Cannot {} VM. Unknown Data Center status.]"


def started(lab: Lab, **fields: Any) -> tuple[Any, Any]:
    """Return the service of a VM that was just started, and the engine's own record of it."""
    _, host, domain = lab.ready()
    vm = lab.vm(host, **fields)
    lab.disk(vm, domain)
    service = lab.vm_service(vm)
    service.start()
    return service, lab.bench.engine.core.state.vms[vm.id]


def up(lab: Lab) -> tuple[Any, Any]:
    service, vm = started(lab)
    lab.bench.nodes[NODE].stats[vm.id] = VmStats("Up")
    wait(service.get, lambda seen: seen.status == types.VmStatus.UP)
    return service, vm


def boot(*devices: str) -> types.OperatingSystem:
    return types.OperatingSystem(boot=types.Boot(devices=[types.BootDevice(item) for item in devices]))


def test_a_vm_needs_what_it_is_to_boot_from(lab: Lab) -> None:
    _, host, domain = lab.ready()
    vm = lab.vm(host, os=boot("network"))
    code, detail = refused(lab.vm_service(vm).start)
    assert (code, str(detail)[:40]) == (409, "[VM is configured to be 'Network bootabl")
    other = lab.vm(host, name="vm-2")
    disk = lab.disk(other, domain)
    core = lab.bench.engine.core
    core.state.vms[other.id].attachments[0].active = False
    assert refused(lab.vm_service(other).start) == (
        409,
        "[Cannot run VM without at least one active disk.\nPlease activate a disk and rerun the VM.]",
    )
    core.state.vms[other.id].attachments[0].active = True
    core.state.disks[disk.id].status = "illegal"
    assert refused(lab.vm_service(other).start) == (
        500,
        (
            "[Cannot run VM. The following attached disks are in ILLEGAL status: disk-1 - please remove them and try "
            "again.]"
        ),
    )


def test_a_vm_needs_its_data_center_its_storage_and_a_host(lab: Lab) -> None:
    center, host, domain = lab.ready()
    vm = lab.vm(host)
    lab.disk(vm, domain)
    service = lab.vm_service(vm)
    core = lab.bench.engine.core
    core.state.data_centers[center.id].status = "maintenance"
    assert refused(service.start) == (409, NO_DATA_CENTER.format("run"))
    assert refused(service.remove) == (409, NO_DATA_CENTER.format("remove"))
    core.state.data_centers[center.id].status = "up"
    core.state.storage_domains[domain.id].status = "preparing_for_maintenance"
    what = "VM. The relevant Storage Domain's status is PreparingForMaintenance.]"
    assert refused(service.start) == (409, f"[Cannot run {what}")
    assert refused(service.remove) == (409, f"[Cannot remove {what}")
    core.state.storage_domains[domain.id].status = "active"
    core.state.hosts[host.id].status = "maintenance"
    assert refused(service.start) == (
        400,
        "[There are no hosts to use. Check that the cluster contains at least one host in Up state.]",
    )


def test_a_pinned_vm_waits_for_its_own_host(lab: Lab) -> None:
    lab.ready()
    (bystander,) = lab.system.hosts_service().list(search="name=host-0")
    vm = lab.vm(bystander, os=boot("hd", "network"))
    assert refused(lab.vm_service(vm).start) == (
        409,
        (
            "[Cannot run VM. There is no host that satisfies current scheduling constraints. See below for details:, "
            "The host node-1 did not satisfy internal filter PinToHost because the host is not present in the pinning "
            "list..]"
        ),
    )


def test_a_vm_that_is_not_up_yet_is_stopped_instead_of_asked(lab: Lab) -> None:
    service, _ = started(lab)
    service.shutdown(reason="enough")
    wait(service.get, lambda seen: seen.status == DOWN)
    (event,) = lab.events(type="76")
    assert event.description == (
        "VM vm-1 was powered off ungracefully by admin@internal-authz (Host: node-1) (Reason: enough)."
    )
    assert "shutdown_vm" not in " ".join(lab.bench.nodes[NODE].said)


def test_a_reason_is_told(lab: Lab) -> None:
    service, _ = up(lab)
    service.shutdown(reason="soon")
    service.stop(reason="now")
    texts = [event.description for event in lab.events() if event.code in {73, 33}]
    assert texts == [
        "VM shutdown initiated by admin@internal-authz on VM vm-1 (Host: node-1) (Reason: soon).",
        "VM vm-1 powered off by admin@internal-authz (Host: node-1) (Reason: now).",
    ]


@pytest.mark.parametrize("action", ["stop", "shutdown"])
def test_a_sleeping_vm_gives_its_memory_up(lab: Lab, action: str) -> None:
    service, vm = up(lab)
    service.stop()
    vm.status = "suspended"
    getattr(service, action)()
    assert service.get().status == DOWN
    (event,) = lab.events(type="111")
    assert event.description == "Suspended VM vm-1 has had its save state cleared by admin@internal-authz."


@pytest.mark.parametrize("action", ["stop", "shutdown"])
def test_a_vm_is_not_ended_while_its_memory_is_saved(lab: Lab, action: str) -> None:
    service, vm = up(lab)
    vm.stopping, vm.status = True, "saving_state"
    code, detail = refused(getattr(service, action))
    text = f"[Cannot {action} VM. VM is in saving/restoring state.\n-Please try again when the VM is either up or down.]"
    assert (code, detail) == (409, text)


@pytest.mark.parametrize(
    ("status", "words"),
    [("down", "Down"), ("paused", "Paused"), ("reboot_in_progress", "Reboot in Progress")],
)
def test_only_a_vm_that_is_up_begins_again(lab: Lab, status: str, words: str) -> None:
    service, vm = up(lab)
    vm.stopping, vm.status = True, status
    assert refused(service.reboot) == (409, f"[Cannot restart VM because the VM is in {words} status.]")


def test_a_vm_is_put_to_sleep_only_when_it_is_up(lab: Lab) -> None:
    service, vm = started(lab)
    text = "[Cannot hibernate VM because the VM is in Wait for Launch status.]"
    assert refused(service.suspend) == (409, text)
    vm.stopping, vm.status = True, "powering_up"
    assert refused(service.suspend) == (409, "[Cannot hibernate VM. VM is not up.]")


def test_a_vm_without_a_disk_leaves_its_memory_on_any_data_domain(lab: Lab) -> None:
    _, host, domain = lab.ready()
    vm = lab.vm(host, os=boot("hd", "network"))
    service = lab.vm_service(vm)
    service.start()
    lab.bench.nodes[NODE].stats[vm.id] = VmStats("Up")
    wait(service.get, lambda seen: seen.status == types.VmStatus.UP)
    state = lab.bench.engine.core.state.storage_domains[domain.id]
    state.status = "inactive"
    code, detail = refused(service.suspend)
    assert (code, str(detail)[:56]) == (409, "[Cannot hibernate VM. No active data Storage Domain with")
    state.status = "active"
    service.suspend()
    wait(service.get, lambda seen: seen.status == types.VmStatus.SUSPENDED)


def test_a_running_vm_is_renamed_but_not_rebuilt(lab: Lab) -> None:
    service, _ = up(lab)
    seen = service.update(types.Vm(name="vm-9", comment="renamed"))
    assert (seen.name, seen.comment) == ("vm-9", "renamed")
    code, _ = refused(lambda: service.update(types.Vm(memory=512 * 1024 * 1024)))
    assert code == 501
    code, detail = refused(lambda: service.update(types.Vm(name="a/b")))
    assert (code, str(detail)[:42]) == (400, "[Cannot edit VM. The given name contains s")


def test_an_interface_comes_and_goes_only_when_a_vm_is_up_or_down(lab: Lab) -> None:
    service, vm = up(lab)
    nics = service.nics_service()
    nic = nics.add(types.Nic(name="nic1"))
    vm.stopping, vm.status = True, "reboot_in_progress"
    text = "a Network Interface when VM is not Down, Up or Image-Locked.]"
    assert refused(lambda: nics.add(types.Nic(name="nic2"))) == (409, f"[Cannot add {text}")
    assert refused(nics.nic_service(nic.id).remove) == (409, f"[Cannot remove {text}")
