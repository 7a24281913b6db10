"""How a running VM ends, begins again, or goes to sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, acted
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fault import Fault, conflict, nothing_said
from pytest_ovirt_release.lab.engine.images import storage_host
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.running import find_vm
from pytest_ovirt_release.lab.engine.state import now
from pytest_ovirt_release.lab.engine.storage import said, storage_task
from pytest_ovirt_release.lab.engine.vm_states import ended, shown_status
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
REBOOTED = ("up", "powering_up")
LISTENING = ("up", "powering_down", "reboot_in_progress")
"""A guest that can be asked to shut down."""


async def shutdown(core: Core, call: Call) -> Reply:
    """POST shutdown: ask the guest; one that does not listen goes on running. One that is not up yet is stopped."""
    vm = find_vm(core, call, "ShutdownVmCommand")
    with core.exclusive(vm.id, "Cannot shutdown VM"), core.job(f"Shutting Down VM {vm.name}") as job:
        _check_endable(vm, "shutdown")
        if vm.status == "down":
            _skipped(core, call, vm, "Shutdown")
        elif vm.status == "suspended":
            _forget_memory(core, call, vm)
        elif vm.status in LISTENING:
            await _ask_guest(core, call, vm)
        else:
            await _pull_plug(core, call, vm, 76, "was powered off ungracefully")
    return acted(call, job, vm_target(vm, call.prefix))


async def stop(core: Core, call: Call) -> Reply:
    """POST stop: pull the plug; on a VM that is down it is a success that the log calls skipped."""
    vm = find_vm(core, call, "StopVmCommand")
    with core.exclusive(vm.id, "Cannot stop VM"), core.job(f"Powering Off VM {vm.name}") as job:
        _check_endable(vm, "stop")
        if vm.status == "down":
            _skipped(core, call, vm, "Stop")
        elif vm.status == "suspended":
            _forget_memory(core, call, vm)
        else:
            await _pull_plug(core, call, vm, 33, "powered off")
    return acted(call, job, vm_target(vm, call.prefix))


def _check_endable(vm: Vm, action: str) -> None:
    """Refuse to end a VM whose memory is on its way to the storage or back."""
    if vm.status in {"saving_state", "restoring_state"}:
        raise conflict(
            f"Cannot {action} VM. VM is in saving/restoring state.\n"
            "-Please try again when the VM is either up or down."
        )


def _skipped(core: Core, call: Call, vm: Vm, what: str) -> None:
    text = f"VM {vm.name} is already Down, {what} VM was skipped. User: admin@internal-authz."
    core.event(254, text, call.correlation, vm=vm)


def _reason(call: Call, vm: Vm) -> str:
    """Keep the reason that is given, and return it as the log adds it."""
    vm.stop_reason = call.body.text("reason") or ""
    return f" (Reason: {vm.stop_reason})" if vm.stop_reason else ""


def _forget_memory(core: Core, call: Call, vm: Vm) -> None:
    """A VM that sleeps is down when its memory is given up."""
    vm.status = "down"
    text = (
        f"Suspended VM {vm.name} has had its save state cleared by admin@internal-authz{_reason(call, vm)}."
    )
    core.event(111, text, call.correlation, vm=vm)


async def _ask_guest(core: Core, call: Call, vm: Vm) -> None:
    host = core.state.hosts[vm.host or ""]
    await obey(core, core.node(host).shutdown_vm(vm.id))
    reason = _reason(call, vm)
    if vm.status not in RESTING:  # the guest may have been quicker than the host's answer
        vm.status = "powering_down"
    text = f"VM shutdown initiated by admin@internal-authz on VM {vm.name} (Host: {host.name}){reason}."
    core.event(73, text, call.correlation, vm=vm)


async def _pull_plug(core: Core, call: Call, vm: Vm, code: int, done: str) -> None:
    host = core.state.hosts[vm.host or ""]
    vm.stopping = True
    try:
        await obey(core, core.node(host).destroy_vm(vm.id))
    except Fault:
        vm.stopping = False
        raise
    reason = _reason(call, vm)
    text = f"VM {vm.name} {done} by admin@internal-authz (Host: {host.name}){reason}."
    core.event(code, text, call.correlation, vm=vm, host=host)
    ended(core, vm, None)


async def obey(core: Core, verb: Awaitable[None]) -> None:
    """Wait for a host to do something; its refusal is a fault that says nothing."""
    try:
        await core.ask(verb)
    except VdsmError as error:
        raise nothing_said() from error


async def reboot(core: Core, call: Call) -> Reply:
    """POST reboot."""
    vm = find_vm(core, call, "RebootVmCommand")
    with core.exclusive(vm.id, "Cannot restart VM"), core.job(f"Rebooting VM {vm.name}") as job:
        if vm.status not in REBOOTED:
            raise conflict(f"Cannot restart VM because the VM is in {shown_status(vm)} status.")
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
        domain = _check_sleep(core, vm)
        host = core.state.hosts[vm.host or ""]
        text = f"Suspending VM {vm.name} was initiated by User admin@internal-authz (Host: {host.name})."
        core.event(
            501, text, call.correlation, vm=vm, domain=core.state.storage_domains.get(domain), host=host
        )
        core.spawn(_sleep(core, vm, host, domain))
    return Reply(_pending(call, vm, link("job", f"{call.prefix}/jobs/{job.id}", job.id), core.ids), ACCEPTED)


def _check_sleep(core: Core, vm: Vm) -> str:
    """Refuse a VM that cannot be put to sleep; return the id of the storage domain that its memory goes to."""
    if vm.status in {"wait_for_launch", "not_responding"}:
        raise conflict(f"Cannot hibernate VM because the VM is in {shown_status(vm)} status.")
    if vm.status != "up":
        raise conflict("Cannot hibernate VM. VM is not up.")
    for attachment in vm.attachments:
        return core.state.disks[attachment.disk].domain
    data_center = core.state.data_center_of(vm.cluster)
    domains = core.state.domains_in(data_center.id) if data_center is not None else []
    for domain in domains:
        if domain.type == "data" and domain.status == "active":
            return domain.id
    raise conflict(
        "Cannot hibernate VM. No active data Storage Domain with enough storage was found in the Data Center."
    )


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
