"""How a running VM ends, begins again, or goes to sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, acted
from pytest_ovirt_release.lab.engine.disks import storage_host
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fault import Fault, conflict, nothing_said
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.running import find_vm, shown_status
from pytest_ovirt_release.lab.engine.state import now
from pytest_ovirt_release.lab.engine.storage import said, storage_task
from pytest_ovirt_release.lab.engine.vm_states import ended
from pytest_ovirt_release.lab.engine.vm_view import RESTING, vm_target
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Host, Vm
    from pytest_ovirt_release.lab.ids import Ids

ACCEPTED = 202
MEMORY_DISKS_SECONDS = 8.0
"""Before a VM's memory is saved two disks are made for it (recorded)."""

SAVING_SECONDS = 0.5
REBOOTED = ("up", "powering_up", "powering_down", "reboot_in_progress")


async def shutdown(core: Core, call: Call) -> Reply:
    """POST shutdown: ask the guest; one that does not listen goes on running."""
    vm = find_vm(core, call, "ShutdownVmCommand")
    with core.exclusive(vm.id, "Cannot shutdown VM"), core.job(f"Shutting Down VM {vm.name}") as job:
        if vm.status in RESTING:
            text = f"VM {vm.name} is already Down, Shutdown VM was skipped. User: admin@internal-authz."
            core.event(254, text, call.correlation, vm=vm)
        else:
            host = core.state.hosts[vm.host or ""]
            await obey(core, core.node(host).shutdown_vm(vm.id))
            vm.stop_reason = call.body.text("reason") or ""
            if vm.status not in RESTING:  # the guest may have been quicker than the host's answer
                vm.status = "powering_down"
            text = f"VM shutdown initiated by admin@internal-authz on VM {vm.name} (Host: {host.name})."
            core.event(73, text, call.correlation, vm=vm)
    return acted(call, job, vm_target(vm, call.prefix))


async def stop(core: Core, call: Call) -> Reply:
    """POST stop: pull the plug; on a VM that is down it is a success that the log calls skipped."""
    vm = find_vm(core, call, "StopVmCommand")
    with core.exclusive(vm.id, "Cannot stop VM"), core.job(f"Powering Off VM {vm.name}") as job:
        if vm.status == "down":
            text = f"VM {vm.name} is already Down, Stop VM was skipped. User: admin@internal-authz."
            core.event(254, text, call.correlation, vm=vm)
        elif (host := core.state.hosts.get(vm.host or "")) is not None:
            vm.stopping = True
            try:
                await obey(core, core.node(host).destroy_vm(vm.id))
            except Fault:
                vm.stopping = False
                raise
            text = f"VM {vm.name} powered off by admin@internal-authz (Host: {host.name})."
            core.event(33, text, call.correlation, vm=vm, host=host)
            vm.stop_reason = call.body.text("reason") or ""
            ended(core, vm, None)
        elif vm.status == "suspended":
            vm.status, vm.stop_reason = "down", call.body.text("reason") or ""
    return acted(call, job, vm_target(vm, call.prefix))


async def obey(core: Core, verb: Awaitable[None]) -> None:
    """Wait for a host to do something; its refusal is a fault that says nothing."""
    try:
        await core.ask(verb)
    except VdsmError as error:
        raise nothing_said() from error


async def reboot(core: Core, call: Call) -> Reply:
    """POST reboot."""
    vm = find_vm(core, call, "RebootVmCommand")
    with core.exclusive(vm.id, "Cannot reboot VM"), core.job(f"Rebooting VM {vm.name}") as job:
        if vm.status not in REBOOTED:
            raise conflict(f"Cannot reboot VM because the VM is in {shown_status(vm)} status.")
        host = core.state.hosts[vm.host or ""]
        await obey(core, core.node(host).reboot_vm(vm.id))
        if vm.host == host.id:
            vm.status = "reboot_in_progress"
        text = f"VM {vm.name} is rebooting. Rebooted by: admin@internal-authz"
        core.event(157, text, call.correlation, vm=vm)
    return acted(call, job, vm_target(vm, call.prefix))


async def suspend(core: Core, call: Call) -> Reply:
    """POST suspend: answered at once, the VM goes to sleep seconds later."""
    vm = find_vm(core, call, "HibernateVmCommand")
    with core.job(f"Hibernating VM {vm.name}") as job:
        if vm.status != "up":
            raise conflict("Cannot hibernate VM. VM is not up.")
        host = core.state.hosts[vm.host or ""]
        text = f"Suspending VM {vm.name} was initiated by User admin@internal-authz (Host: {host.name})."
        domain = next((core.state.disks[item.disk].domain for item in vm.attachments), "")
        core.event(
            501, text, call.correlation, vm=vm, domain=core.state.storage_domains.get(domain), host=host
        )
        core.spawn(_sleep(core, vm, host, domain))
    return Reply(_pending(call, vm, link("job", f"{call.prefix}/jobs/{job.id}", job.id), core.ids), ACCEPTED)


def _pending(call: Call, vm: Vm, job: Node, ids: Ids) -> Node:
    """Return an action that has not ended: it has an address of its own."""
    first, second = ids.uuid("action"), ids.uuid("action")
    id_ = f"{first}%2C{second}"
    parent = f"{call.prefix}/vms/{vm.id}"
    answer = node("action", href=f"{parent}/suspend/{id_}", id=id_)
    answer.children += [
        Node("link", {"href": parent, "rel": "parent"}),
        Node("link", {"href": f"{parent}/suspend", "rel": "replay"}),
    ]
    return answer.add({"async": True, "job": job, "status": "pending"})


async def _sleep(core: Core, vm: Vm, host: Host, domain: str) -> None:
    """Make room for the memory, let the host save it; a host that cannot goes on running the VM."""
    try:
        storage_host(core, domain)
        async with storage_task(core, core.state.storage_domains[domain].data_center):
            await core.sleep(MEMORY_DISKS_SECONDS)
        if vm.host != host.id:
            return
        vm.status, vm.stopping = "saving_state", True
        await core.ask(core.node(host).hibernate_vm(vm.id))
        await core.sleep(SAVING_SECONDS)
    except (VdsmError, KeyError) as error:
        vm.stopping = False
        why = said(error) if isinstance(error, VdsmError) else "no storage for the VM's memory"
        core.event(10802, f"VDSM {host.name} command HibernateVDS failed: {why}", user="nobody", host=host)
        return
    core.event(503, f"VM {vm.name} on Host {host.name} is suspended.", user="nobody", vm=vm, host=host)
    vm.status, vm.host, vm.stop_time = "suspended", None, now()
    vm.run_once = vm.stopping = False


ROUTES = (
    Route("POST", "vms/*/shutdown", shutdown, "action"),
    Route("POST", "vms/*/stop", stop, "action"),
    Route("POST", "vms/*/reboot", reboot, "action"),
    Route("POST", "vms/*/suspend", suspend, "action"),
)
