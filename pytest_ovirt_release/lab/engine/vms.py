"""The collection /vms: what a VM is; running.py is what it does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from pytest_ovirt_release.lab.engine.call import (
    Call,
    Reply,
    by_name,
    created,
    get,
    listing,
    removed,
    updating,
)
from pytest_ovirt_release.lab.engine.clusters import BIOS_TYPES, DEFAULT_BIOS
from pytest_ovirt_release.lab.engine.fault import bad, conflict, entity_not_found, incomplete, not_implemented
from pytest_ovirt_release.lab.engine.images import delete_image
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.search import found
from pytest_ovirt_release.lab.engine.state import BLANK, Vm
from pytest_ovirt_release.lab.engine.storage import check_ready, until_elected
from pytest_ovirt_release.lab.engine.vm_view import all_content, vm_node

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.state import BootDevice, Cluster, Disk

MEBIBYTE = 1024 * 1024
DEFAULT_MEMORY = 1024 * MEBIBYTE
LONGEST_NAME = 255
NAME = re.compile(r"[\w.\-+~ ]+")
AFFINITIES = ("migratable", "pinned", "user_migratable")
AT_ONCE = {"name", "description", "comment"}
"""What can be changed of a VM that runs."""

CREATION_SECONDS = 1.4
"""Event 53 comes this long after event 34 (recorded)."""

FIELDS: dict[str, Callable[[Vm], str]] = {
    "name": lambda item: item.name,
    "status": lambda item: item.status,
    "description": lambda item: item.description,
    "comment": lambda item: item.comment,
    "type": lambda item: item.type,
    "template": lambda _: "Blank",
    "id": lambda item: item.id,
}


async def list_vms(core: Core, call: Call) -> Reply:
    """GET /vms."""
    fields = FIELDS | {
        "cluster": lambda vm: core.state.clusters[vm.cluster].name,
        "datacenter": lambda vm: getattr(core.state.data_center_of(vm.cluster), "name", ""),
        "host": lambda vm: getattr(core.state.hosts.get(vm.host or ""), "name", ""),
    }
    items = found(core.state.vms.values(), call, fields)
    content = all_content(call)
    return listing("vms", (vm_node(core, item, call.prefix, content=content) for item in items))


async def get_vm(core: Core, call: Call) -> Reply:
    """GET /vms/{id}."""
    vm = get(core.state.vms, call.ids[0])
    return Reply(vm_node(core, vm, call.prefix, content=all_content(call)))


def _cluster(core: Core, body: Body) -> Cluster:
    named = body.child("cluster")
    if named is None or (named.id or named.text("name")) is None:
        raise incomplete("Vm", ["cluster.id|name"])
    if named.id is not None:
        if named.id not in core.state.clusters:
            raise bad("Cannot add VM. Cluster ID is not valid.")
        return core.state.clusters[named.id]
    return by_name(core.state.clusters, named.text("name") or "", f"Cluster: name={named.text('name')}")


def _check_template(body: Body) -> None:
    named = body.child("template")
    if named is None or (named.id or named.text("name")) is None:
        raise incomplete("Vm", ["template.id|name"])
    if named.id != BLANK and named.text("name") != "Blank":
        raise entity_not_found("GetVmTemplate")


def _check_name(core: Core, name: str, verb: str) -> None:
    if any(vm.name == name for vm in core.state.vms.values()):
        raise conflict(
            f"Cannot {verb} VM. The VM name is already in use, please choose a unique name and try again."
        )


def _check_letters(name: str, verb: str) -> None:
    """Refuse a name that no VM can have; the engine does so before it looks at anything else."""
    if not 0 < len(name) <= LONGEST_NAME:
        raise bad(f"size must be between 1 and {LONGEST_NAME}, Attribute: vmStatic.name")
    if NAME.fullmatch(name) is None:
        raise bad(
            f"Cannot {verb} VM. The given name contains special characters. Only lower-case and upper-case letters, "
            "numbers, '_', '-', '.' are allowed., Attribute: vmStatic.name"
        )


async def add_vm(core: Core, call: Call) -> Reply:
    """POST /vms, from Blank: down at once, with a stop time although it never ran."""
    body = call.body
    cluster = _cluster(core, body)
    _check_template(body)
    name = body.text("name")
    if name is None:
        raise incomplete("Vm", ["name"])
    memory = body.number("memory") or DEFAULT_MEMORY
    vm = Vm(
        core.ids.uuid("vm"), name, cluster.id, memory, cluster.bios_type or DEFAULT_BIOS, ("hd",), "other"
    )
    _apply(core, body, vm)
    _check_letters(name, "add")
    data_center = core.state.data_center_of(cluster.id)
    if data_center is None or data_center.status != "up":
        raise conflict("Cannot add VM. Unknown Data Center status.")
    _check_name(core, name, "add")
    with core.job(f"Creating VM {name} in Cluster {cluster.name}"):
        core.state.vms[vm.id] = vm
        core.event(34, f"VM {name} was created by admin@internal-authz.", call.correlation, vm=vm)
        core.spawn(_announce(core, vm, call.correlation))
    return created(vm_node(core, vm, call.prefix, content=True))


async def _announce(core: Core, vm: Vm, correlation: str) -> None:
    await core.sleep(CREATION_SECONDS)
    core.event(53, f"VM {vm.name} creation has been completed.", correlation, vm=vm)


def _apply(core: Core, body: Body, vm: Vm) -> None:
    """Put into a VM what a document says of it."""
    bios = body.one_of("bios/type", "BiosType", (*BIOS_TYPES, "cluster_default"))
    if bios == "cluster_default":
        bios = core.state.clusters[vm.cluster].bios_type
    vm.bios_type = bios or vm.bios_type
    if "vm-created-with-uefi" in core.faults:
        vm.bios_type = "q35_ovmf"
    vm.memory = body.number("memory") or vm.memory
    for part in ("cores", "sockets", "threads"):
        setattr(vm, part, body.number(f"cpu/topology/{part}") or getattr(vm, part))
    for part in ("description", "comment", "type"):
        text = body.text(part)
        setattr(vm, part, getattr(vm, part) if text is None else text)
    vm.os_type = body.text("os/type") or vm.os_type
    vm.boot = boot_order(body, "os/boot/devices/device") or vm.boot
    console = body.flag("console/enabled")
    vm.console = vm.console if console is None else console
    vm.high_availability = bool(body.flag("high_availability/enabled")) or vm.high_availability
    vm.affinity = body.one_of("placement_policy/affinity", "VmAffinity", AFFINITIES) or vm.affinity
    if body.child("placement_policy/hosts") is not None:
        vm.pinned = tuple(pinned_host(core, item) for item in body.all("placement_policy/hosts/host"))


def boot_order(body: Body, path: str) -> tuple[BootDevice, ...]:
    """Return the boot devices that a document names."""
    devices = (item.one_of(".", "BootDevice", ("cdrom", "hd", "network")) for item in body.all(path))
    return tuple(cast("BootDevice", device) for device in devices)


def pinned_host(core: Core, named: Body) -> str:
    """Return the id of a host that a placement policy names."""
    for host in core.state.hosts.values():
        if host.id == named.id or (named.id is None and host.name == named.text("name")):
            return host.id
    raise entity_not_found(f"Hosts: {named.id or 'name=' + str(named.text('name'))}")


async def update_vm(core: Core, call: Call) -> Reply:
    """PUT /vms/{id}; of a VM that is not down only what needs no new start, the rest would wait for the next one."""
    vm = updating(core.state.vms, call)
    name = call.body.text("name")
    later = sorted({child.tag for child in call.body.element} - AT_ONCE)
    if vm.status != "down" and later:
        raise not_implemented(
            f"{call.method} {call.path} of a VM that is {vm.status} with {', '.join(later)}"
        )
    if name is not None:
        _check_letters(name, "edit")
    if name is not None and name != vm.name:
        _check_name(core, name, "edit")
    changed = replace(vm, name=name or vm.name)
    _apply(core, call.body, changed)
    # All of it or nothing: a document that is refused halfway has changed nothing.
    vars(vm).update(vars(changed))
    core.event(
        35, f"VM {vm.name} configuration was updated by admin@internal-authz.", call.correlation, vm=vm
    )
    return Reply(vm_node(core, vm, call.prefix, content=True))


async def remove_vm(core: Core, call: Call) -> Reply:
    """DELETE /vms/{id}: the VM is gone at once, its disks follow (`detach_only` leaves them)."""
    vm = get(core.state.vms, call.ids[0])
    disks = [core.state.disks[item.disk] for item in vm.attachments if item.disk in core.state.disks]
    _check_removable(core, vm, disks)
    with core.job(f"Removing VM {vm.name}") as job:
        del core.state.vms[vm.id]
        if not call.flag("detach_only", default=False):
            for disk in disks:
                if not core.state.vms_with(disk.id):
                    disk.status = "locked"
                    core.spawn(delete_image(core, disk))
            for domain in {disk.domain for disk in disks}:
                await until_elected(core, domain)  # it is the SPM that is told to delete them
        core.event(
            113, f"VM {vm.name} was successfully removed by admin@internal-authz.", call.correlation, vm=vm
        )
    return removed(call, job)


def _check_removable(core: Core, vm: Vm, disks: list[Disk]) -> None:
    """Refuse what the engine refuses, in its order; a VM without disks needs no storage."""
    if vm.status == "suspended":
        raise conflict("Cannot remove VM that its state is not down.\n-Please stop the VM first.")
    if vm.status != "down":
        raise conflict("Cannot remove VM. VM is running.")
    if disks:
        check_ready(core, "Cannot remove VM", vm.cluster, disks)
    locked = [disk.name for disk in disks if disk.status == "locked"]
    if locked:
        raise conflict(
            f"Cannot remove VM: The following disks are locked: {', '.join(locked)}. Please try again in a few minutes."
        )


ROUTES = (
    Route("GET", "vms", list_vms),
    Route("POST", "vms", add_vm, "vm"),
    Route("GET", "vms/*", get_vm),
    Route("PUT", "vms/*", update_vm, "vm"),
    Route("DELETE", "vms/*", remove_vm),
)
