"""What is done with a VM besides starting and stopping it, and the collections below it."""

from __future__ import annotations

from typing import Any

import ovirtsdk4 as sdk
import pytest
from ovirtsdk4 import types

from pytest_ovirt_release.lab.node.verbs import VdsmError, VmStats
from tests.lab.engine.fakes import wait
from tests.lab.engine.flows import Lab, refused, watching

NODE = "127.0.0.2"


def up(lab: Lab) -> Any:
    """Return a VM that is up, with a disk."""
    _, host, domain = lab.ready()
    vm = lab.vm(host)
    lab.disk(vm, domain)
    lab.vm_service(vm).start()
    lab.bench.nodes[NODE].stats[vm.id] = VmStats("Up")
    wait(lab.vm_service(vm).get, lambda seen: seen.status == types.VmStatus.UP)
    return vm


def test_a_reboot_begins_again(lab: Lab) -> None:
    vm = up(lab)
    service = lab.vm_service(vm)
    with watching(lab.bench.engine.core.state.vms[vm.id]) as states:
        service.reboot()
        lab.bench.nodes[NODE].stats[vm.id] = VmStats("Up")
        wait(service.get, lambda seen: seen.status == types.VmStatus.UP)
    assert states == ["up", "reboot_in_progress", "up"]
    assert 157 in lab.codes()


def test_a_suspended_vm_is_on_no_host_and_can_be_started_but_not_removed(lab: Lab) -> None:
    vm = up(lab)
    service = lab.vm_service(vm)
    with watching(lab.bench.engine.core.state.vms[vm.id]) as states:
        service.suspend()
        seen = wait(service.get, lambda now: now.status == types.VmStatus.SUSPENDED)
    assert states == ["up", "saving_state", "suspended"]
    assert (seen.host, seen.start_time, seen.run_once) == (None, None, None)
    text = "[Cannot remove VM that its state is not down.\n-Please stop the VM first.]"
    assert refused(service.remove) == (409, text)
    service.start()
    assert service.get().host is not None
    service.stop(reason="enough")
    assert (service.get().status, service.get().stop_reason) == (types.VmStatus.DOWN, "enough")


def test_a_host_that_cannot_save_a_vm_goes_on_running_it(lab: Lab) -> None:
    vm = up(lab)
    lab.bench.nodes[NODE].broken["hibernate_vm"] = VdsmError(67, "no room")
    lab.vm_service(vm).suspend()
    wait(lab.codes, lambda codes: 10802 in codes)
    wait(lab.vm_service(vm).get, lambda seen: seen.status == types.VmStatus.UP)


def test_migration_is_refused_as_recorded(lab: Lab) -> None:
    vm = up(lab)
    service = lab.vm_service(vm)
    host = service.get().host
    nowhere = "There are no hosts to use. Check that the cluster contains at least one host in Up state."
    assert refused(lambda: service.migrate(host=types.Host(id=host.id))) == (400, f"[{nowhere}]")
    assert refused(lambda: service.migrate(host=types.Host(name="nosuch"))) == (
        404,
        "Entity not found: nosuch",
    )
    status, text = refused(service.migrate)
    assert (status, "internal filter Migration" in str(text)) == (409, True)
    service.stop()
    assert refused(service.migrate) == (409, "[Cannot migrate VM. VM is not running.]")
    assert lab.codes().count(65) == 3


def test_initialization_is_asked_for_in_one_way_only(lab: Lab) -> None:
    vm = up(lab)
    assert refused(lambda: lab.vm_service(vm).start(use_sysprep=True, use_cloud_init=True)) == (409, None)


def test_an_interface_is_plugged_into_a_vm_and_taken_away(lab: Lab) -> None:
    vm = up(lab)
    nics = lab.vm_service(vm).nics_service()
    wanted = types.Nic(name="nic1", interface=types.NicInterface.VIRTIO)
    nic = nics.add(wanted)
    assert (nic.plugged, nic.linked, nic.mac.address) == (True, True, "56:6f:1a:2b:00:00")
    assert nics.nic_service(nic.id).get().name == "nic1"
    assert [code for code in lab.codes() if code in {932, 1012}] == [1012, 932]
    assert refused(lambda: nics.add(types.Nic())) == (400, "Nic [name] required for add")
    assert refused(lambda: nics.add(wanted))[0] == 409
    assert refused(nics.nic_service(nic.id).remove)[0] == 409
    lab.vm_service(vm).stop()
    nics.nic_service(nic.id).remove()
    assert nics.list() == []


def test_what_is_below_a_vm(lab: Lab) -> None:
    vm = up(lab)
    service = lab.vm_service(vm)
    (drive,) = service.cdroms_service().list()
    assert service.cdroms_service().cdrom_service(drive.id).get().vm.id == vm.id
    assert [session.user.user_name for session in service.sessions_service().list()] == ["Unknown"]
    numbers = {item.name: item.values for item in service.statistics_service().list()}
    assert numbers["memory.installed"][0].datum == vm.memory
    assert service.applications_service().list() == []
    service.stop()
    assert service.sessions_service().list() == []


def test_everything_of_a_vm_is_shown_when_asked_for(lab: Lab) -> None:
    vm = up(lab)
    plain, full = lab.vm_service(vm).get(), lab.vm_service(vm).get(all_content=True)
    assert (plain.console, full.console.enabled) == (None, False)
    assert "<Name>" in full.initialization.configuration.data
    assert plain.display.certificate.content.startswith("-----BEGIN CERTIFICATE-----")
    with pytest.raises(sdk.NotFoundError):
        lab.vm_service(vm).cdroms_service().cdrom_service("nosuch").get()
