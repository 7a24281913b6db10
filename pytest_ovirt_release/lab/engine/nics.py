"""The collection /vms/{id}/nics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, created, entity, get, listing, removed
from pytest_ovirt_release.lab.engine.document import Node, link
from pytest_ovirt_release.lab.engine.fault import NoSuchObject, conflict, incomplete
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.state import Nic

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Vm

ACTIONS = "activate deactivate"
LINKS = "reporteddevices networkfilterparameters statistics"
INTERFACES = {"virtio": "VirtIO", "e1000": "e1000", "e1000e": "e1000e", "rtl8139": "rtl8139"}
"""What the API calls a kind of interface, and what events call it."""

FIRST_MAC = 0x566F1A2B0000


def nic_node(nic: Nic, vm: Vm, prefix: str) -> Node:
    """Return `<nic>`."""
    profile = nic.profile
    return entity(
        "nic",
        f"{prefix}/vms/{vm.id}/nics/{nic.id}",
        nic.id,
        action_names=ACTIONS,
        link_names=LINKS,
        head={"name": nic.name},
        fields={
            "vm": link("vm", f"{prefix}/vms/{vm.id}", vm.id),
            "interface": nic.interface,
            "linked": nic.linked,
            "mac": {"address": nic.mac},
            "plugged": nic.plugged,
            "synced": True,
            "vnic_profile": link("vnic_profile", f"{prefix}/vnicprofiles/{profile}", profile)
            if profile
            else None,
        },
    )


async def list_nics(core: Core, call: Call) -> Reply:
    """GET; the collection of an unknown VM is empty."""
    vm = core.state.vms.get(call.ids[0])
    return listing("nics", [] if vm is None else [nic_node(nic, vm, call.prefix) for nic in vm.nics])


def _find(core: Core, call: Call) -> tuple[Vm, Nic]:
    vm = get(core.state.vms, call.ids[0])
    for nic in vm.nics:
        if nic.id == call.ids[1]:
            return vm, nic
    raise NoSuchObject


async def get_nic(core: Core, call: Call) -> Reply:
    """GET one."""
    vm, nic = _find(core, call)
    return Reply(nic_node(nic, vm, call.prefix))


async def add_nic(core: Core, call: Call) -> Reply:
    """POST: it is plugged in at once, unless the request says otherwise."""
    body = call.body
    name = body.text("name")
    if name is None:
        raise incomplete("Nic", ["name"])
    vm = get(core.state.vms, call.ids[0])
    interface = body.one_of("interface", "NicInterface", tuple(INTERFACES)) or "virtio"
    _check_status(vm, "add")
    if any(nic.name == name for nic in vm.nics):
        raise conflict("Cannot add Interface. The network interface name is already in use.")
    profile = body.child("vnic_profile")
    plugged, linked = body.flag("plugged"), body.flag("linked")
    nic = Nic(
        core.ids.uuid("nic"),
        name,
        interface,
        None if profile is None else profile.id,
        body.text("mac/address") or _mac(core),
        linked=linked is not False,
        plugged=plugged is not False,
    )
    vm.nics.append(nic)
    shown = f"{name} ({INTERFACES[interface]})"
    if nic.plugged:
        # Plugging in is a command of its own.
        text = f"Network Interface {shown} was plugged to VM {vm.name}. (User: admin@internal-authz)"
        core.event(1012, text, own=True, vm=vm)
    text = f"Interface {shown} was added to VM {vm.name}. (User: admin@internal-authz)"
    core.event(932, text, call.correlation, vm=vm)
    return created(nic_node(nic, vm, call.prefix))


def _check_status(vm: Vm, verb: str) -> None:
    """Refuse a change of a VM that is neither up nor down."""
    if vm.status not in {"up", "down"}:
        raise conflict(f"Cannot {verb} a Network Interface when VM is not Down, Up or Image-Locked.")


def _mac(core: Core) -> str:
    """Return the first free address of the pool."""
    taken = {nic.mac for vm in core.state.vms.values() for nic in vm.nics}
    number = FIRST_MAC
    while (text := number.to_bytes(6, "big").hex(":")) in taken:
        number += 1
    return text


async def remove_nic(core: Core, call: Call) -> Reply:
    """DELETE one."""
    vm, nic = _find(core, call)
    _check_status(vm, "remove")
    if vm.status != "down" and nic.plugged:
        raise conflict("Cannot remove Interface. The VM Network Interface is plugged to a running VM.")
    vm.nics.remove(nic)
    text = (
        f"Interface {nic.name} ({INTERFACES[nic.interface]}) was removed from VM {vm.name}. "
        "(User: admin@internal-authz)"
    )
    core.event(930, text, call.correlation, vm=vm)
    return removed(call)


ROUTES = (
    Route("GET", "vms/*/nics", list_nics),
    Route("POST", "vms/*/nics", add_nic, "nic"),
    Route("GET", "vms/*/nics/*", get_nic),
    Route("DELETE", "vms/*/nics/*", remove_nic),
)
