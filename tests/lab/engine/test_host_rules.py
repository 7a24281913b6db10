"""What the engine refuses of hosts, in which state and in what words."""

from __future__ import annotations

from typing import Any

import pytest
from ovirtsdk4 import types

from pytest_ovirt_release.lab.node.verbs import VmStats
from tests.lab.engine.fakes import wait
from tests.lab.engine.flows import Lab, refused

NOBODY = "11111111-2222-4333-8444-555555555555"
NODE = "127.0.0.2"


@pytest.mark.parametrize(
    ("action", "body", "code", "detail"),
    [
        ("activate", "", 400, "[Cannot activate Host. Invalid Host Id.]"),
        ("deactivate", "", 400, "[Cannot maintenance Host. Invalid Host Id.]"),
        ("upgradecheck", "", 400, "[Cannot check for upgrade Host. Invalid Host Id.]"),
        ("refresh", "", 400, "[The selected Host does not exist.]"),
        ("fence", "<fence_type>start</fence_type>", 400, "[Cannot start Host. Invalid Host Id.]"),
        ("install", "<root_password>x</root_password>", 404, ""),
        ("approve", "", 400, "[Cannot approve Host - Host does not exists.]"),
        ("approve", "<cluster><name>Default</name></cluster>", 404, ""),
    ],
)
def test_each_action_has_its_words_for_a_host_that_is_not_there(
    lab: Lab, action: str, body: str, code: int, detail: str
) -> None:
    answer = lab.http.api("POST", f"/hosts/{NOBODY}/{action}", f"<action>{body}</action>")
    said = answer.text.partition("<detail>")[2].partition("</detail>")[0]
    assert (answer.status, said) == (code, detail)


def test_capabilities_are_read_of_a_host_that_is_up_or_at_rest(lab: Lab) -> None:
    host = lab.register()
    service = lab.host(host.id)
    assert refused(service.refresh) == (
        409,
        (
            "[Cannot refresh Host capabilities. Operation can be performed only when Host status is Up, Maintenance or "
            "Non operational.]"
        ),
    )
    assert refused(service.upgrade_check) == (
        409,
        "[Cannot check for upgrade Host. Valid Host statuses for upgrade check are Up or Non-Operational.]",
    )
    assert refused(service.force_select_spm) == (
        409,
        "[Cannot force select SPM. The Host node-1 is not active.]",
    )
    service.approve(reboot=False)
    wait(service.get, lambda seen: seen.status == types.HostStatus.UP)
    service.deactivate()
    wait(service.get, lambda seen: seen.status == types.HostStatus.MAINTENANCE)
    service.refresh()
    assert 606 in lab.codes()


def test_the_storage_pool_manager_is_not_selected_again(lab: Lab) -> None:
    _, host, _ = lab.ready()
    record = lab.bench.engine.core.state.hosts[host.id]
    wait(lambda: record.spm_status, "spm".__eq__)
    assert refused(lab.host(host.id).force_select_spm) == (
        409,
        "[Cannot force select SPM. The Host node-1 is already SPM or contending.]",
    )
    record.spm_status = "contending"
    code, detail = refused(lab.host(host.id).deactivate)
    assert (code, str(detail)[:63]) == (
        409,
        "[Cannot switch Host to Maintenance mode. Host is contending for",
    )


def test_another_address_is_only_for_a_host_that_was_not_installed(lab: Lab) -> None:
    host = lab.register()
    service = lab.host(host.id)
    code, detail = refused(lambda: service.update(types.Host(address="127.0.0.3")))
    assert (code, str(detail)[:40]) == (400, "[Host Address can not be modified due to")
    lab.bench.ssh.error = OSError("no route to host")
    assert refused(lambda: service.approve(reboot=False)) == (400, "[]")
    assert service.update(types.Host(address="127.0.0.3")).address == "127.0.0.3"
    assert refused(lambda: service.update(types.Host(port=54322))) == (
        400,
        "[The Host Port number cannot be changed without reinstalling the Host.]",
    )


def running(lab: Lab, **fields: Any) -> tuple[Any, Any]:
    """Return a host and the VM that runs on it."""
    _, host, domain = lab.ready()
    vm = lab.vm(host, **fields)
    lab.disk(vm, domain)
    lab.vm_service(vm).start()
    lab.bench.nodes[NODE].stats[vm.id] = VmStats("Up")
    wait(lab.vm_service(vm).get, lambda seen: seen.status == types.VmStatus.UP)
    return host, vm


def test_a_host_stays_up_under_a_vm_that_cannot_be_moved(lab: Lab) -> None:
    host, vm = running(lab)
    service = lab.host(host.id)
    assert refused(service.deactivate) == (
        409,
        (
            "[Cannot switch the following Hosts to Maintenance mode: node-1.\n"
            "One or more running VMs are indicated as non-migratable. The non-migratable VMs are: vm-1.]"
        ),
    )
    assert service.get().status == types.HostStatus.UP
    lab.vm_service(vm).stop()
    service.deactivate()
    wait(service.get, lambda seen: seen.status == types.HostStatus.MAINTENANCE)
    code, detail = refused(service.remove)
    assert (code, str(detail)[:101]) == (
        409,
        "[Cannot remove Host. The following VMs are set to run specifically only on this Host: vm-1.\nIn order ",
    )


def test_the_last_host_of_a_cluster_keeps_its_vms(lab: Lab) -> None:
    host, _ = running(lab, placement_policy=types.VmPlacementPolicy(affinity=types.VmAffinity.MIGRATABLE))
    assert refused(lab.host(host.id).deactivate) == (
        409,
        (
            "[The following hosts have running VMs and cannot be switched to maintenance mode: node-1.\n"
            "Please ensure that the following Clusters have at least one Host in UP state: dc-1-cluster.]"
        ),
    )
