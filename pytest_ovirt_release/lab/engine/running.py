"""How a VM starts, and where."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, acted
from pytest_ovirt_release.lab.engine.fault import CONFLICT, Fault, not_implemented, nothing_said
from pytest_ovirt_release.lab.engine.images import volume_of
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.start_checks import candidates, check_start
from pytest_ovirt_release.lab.engine.state import now
from pytest_ovirt_release.lab.engine.storage import connect_host, said
from pytest_ovirt_release.lab.engine.vm_view import vm_target
from pytest_ovirt_release.lab.engine.vms import boot_order, pinned_host
from pytest_ovirt_release.lab.node.verbs import VdsmError, VmDisk, VmSpec

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.state import Host, Vm

INTERNAL_ERROR = 500
FIRST_PORT = 5900
INITIALIZATIONS = ("use_sysprep", "use_cloud_init", "use_ignition", "use_initialization")
MIXED = "Cannot use multiple initialization tags simultaneously when running VM."
UEFI = ("q35_ovmf", "q35_secure_boot")
UNKNOWN_VM = (
    'java.lang.NullPointerException: Cannot invoke "org.ovirt.engine.core.common.businessentities.VM.getStatus()" '
    'because the return value of "org.ovirt.engine.core.bll.{command}.getVm()" is null'
)


def find_vm(core: Core, call: Call, command: str) -> Vm:
    """Return the VM; an action on an unknown one is a 500 with Java's words."""
    vm = core.state.vms.get(call.ids[0])
    if vm is None:
        raise Fault(INTERNAL_ERROR, UNKNOWN_VM.format(command=command))
    return vm


async def start(core: Core, call: Call) -> Reply:
    """POST start, with `<vm>` as run once."""
    vm = find_vm(core, call, "RunVmCommand")
    once = call.body.child("vm")
    if sum(bool(call.body.flag(tag)) for tag in INITIALIZATIONS) > 1:
        raise Fault(CONFLICT, None, MIXED, bare=True)
    paused = bool(call.body.flag("pause"))
    spec_of = _once(core, call, vm, once)
    if vm.status == "paused":
        raise not_implemented(f"{call.method} {call.path} of a paused VM")
    with core.exclusive(vm.id, "Cannot run VM"), core.job(f"Launching VM {vm.name}") as job:
        try:
            check_start(core, spec_of)
            hosts = candidates(core, spec_of)
        except Fault as fault:
            text = f"Failed to run VM {vm.name} due to a failed validation: {fault.detail}"
            core.event(54, f"{text} (User: admin@internal-authz).", call.correlation, vm=vm)
            raise
        before, vm.status, vm.stop_reason = vm.status, "wait_for_launch", None
        vm.run_once, vm.announced, vm.stopping = once is not None, False, False
        vm.run_correlation = call.correlation
        spec = replace(_spec(core, spec_of), paused=paused, kernel=_kernel(once))
        if not await _launch(core, call, vm, spec, hosts):
            vm.status = before
            text = f"Failed to run VM {vm.name}  (User: admin@internal-authz)."
            core.event(54, text, call.correlation, vm=vm)
            raise nothing_said()
    return acted(call, job, vm_target(vm, call.prefix))


def _once(core: Core, call: Call, vm: Vm, once: Body | None) -> Vm:
    """Return the VM as this one run wants it."""
    wanted = replace(vm, attachments=list(vm.attachments))
    for unknown in ("stateless", "initialization", "cdroms"):
        if once is not None and once.child(unknown) is not None:
            raise not_implemented(f"{call.method} {call.path} with vm/{unknown}")
    if once is not None:
        wanted.boot = boot_order(once, "os/boot/devices/device") or vm.boot
        pinned = tuple(pinned_host(core, item) for item in once.all("placement_policy/hosts/host"))
        wanted.pinned = pinned or vm.pinned
    return wanted


def _kernel(once: Body | None) -> str:
    return (once.text("os/kernel") or "") if once is not None else ""


def _spec(core: Core, vm: Vm) -> VmSpec:
    """Return what the node is told: firmware and machine follow the VM's BIOS type."""
    disks = []
    for item in sorted(vm.attachments, key=lambda attachment: not attachment.bootable):
        if item.active:
            disk = core.state.disks[item.disk]
            disks.append(VmDisk(volume_of(disk), item.interface, item.bootable))
    return VmSpec(
        id=vm.id,
        name=vm.name,
        memory=vm.memory,
        firmware="uefi" if vm.bios_type in UEFI else "bios",
        machine="pc" if vm.bios_type.startswith("i440fx") else "q35",
        boot=vm.boot,
        disks=tuple(disks),
    )


async def _launch(core: Core, call: Call, vm: Vm, spec: VmSpec, hosts: list[Host]) -> bool:
    """Try the hosts one after the other within the request; when all refuse only the log says why."""
    for host in hosts:
        try:
            await _connect(core, host, spec)
            await core.ask(core.node(host).create_vm(spec))
        except VdsmError as error:
            text = f"VDSM {host.name} command CreateBrokerVDS failed: {said(error)}"
            core.event(10802, text, user="nobody", host=host)
            core.event(
                151, f"Failed to run VM {vm.name} on Host {host.name}.", call.correlation, vm=vm, host=host
            )
            continue
        taken = {other.port for other in core.state.vms_on(host.id)}
        vm.host, vm.start_time = host.id, now()
        vm.port = next(port for port in range(FIRST_PORT, FIRST_PORT + 1000) if port not in taken)
        if spec.paused:
            text = f"Starting in paused mode VM {vm.name} was initiated by admin@internal-authz."
            core.event(179, text, call.correlation, vm=vm)
        else:
            text = f"VM {vm.name} was started by admin@internal-authz (Host: {host.name})."
            core.event(153, text, call.correlation, vm=vm)
        return True
    return False


async def _connect(core: Core, host: Host, spec: VmSpec) -> None:
    """Connect a host that is not of the VM's data center to the VM's storage."""
    for disk in spec.disks:
        domain = core.state.storage_domains[disk.volume.domain_id]
        data_center = core.state.data_center_of(host.cluster)
        if data_center is None or data_center.id != domain.data_center:
            await connect_host(core, host, domain)


ROUTES = (Route("POST", "vms/*/start", start, "action"),)
