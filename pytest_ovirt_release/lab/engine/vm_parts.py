"""Collections of a VM that are read only: its CD drive, who uses it, what a guest agent would report, statistics."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, listing, nothing
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.fault import NoSuchObject
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.state import BLANK, now
from pytest_ovirt_release.lab.engine.vm_view import RESTING

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Vm

EMPTY = {
    "applications": "applications",
    "hostdevices": "host_devices",
    "numanodes": "vm_numa_nodes",
    "reporteddevices": "reported_devices",
    "watchdogs": "watchdogs",
}
"""Collections that nothing of the lab fills: path and element."""


@dataclass(frozen=True)
class Statistic:
    """One number about a VM: `history` ones have no address and name no VM (recorded)."""

    name: str
    description: str
    type: str
    unit: str
    kind: str = "gauge"
    history: bool = False


PERIODS = "sorted by date from newest to oldest, at intervals of 30 seconds"
STATISTICS = (
    Statistic("memory.installed", "Total memory configured", "integer", "bytes"),
    Statistic("memory.used", "Memory used (agent)", "integer", "bytes"),
    Statistic("cpu.current.guest", "CPU used by guest", "decimal", "percent"),
    Statistic("cpu.current.hypervisor", "CPU overhead", "decimal", "percent"),
    Statistic("cpu.current.total", "Total CPU used", "decimal", "percent"),
    Statistic("migration.progress", "Migration Progress", "decimal", "percent"),
    Statistic("memory.buffered", "Memory buffered (agent)", "integer", "bytes"),
    Statistic("memory.cached", "Memory cached (agent)", "integer", "bytes"),
    Statistic("memory.free", "Memory free (agent)", "integer", "bytes"),
    Statistic("memory.unused", "Memory unused (agent)", "integer", "bytes"),
    Statistic("network.current.total", "Total network used", "decimal", "percent"),
    Statistic("disks.usage", "Disk usage, in bytes, per filesystem as JSON (agent)", "string", "none"),
    Statistic("elapsed.time", "Elapsed VM runtime", "integer", "seconds", "counter"),
    Statistic(
        "cpu.usage.history", f"List of CPU usage history, {PERIODS}", "decimal", "percent", history=True
    ),
    Statistic(
        "memory.usage.history", f"List of memory usage history, {PERIODS}", "decimal", "percent", history=True
    ),
    Statistic(
        "network.usage.history",
        f"List of network usage history, {PERIODS}",
        "decimal",
        "percent",
        history=True,
    ),
)


def _of_vm(vm: Vm, prefix: str) -> Node:
    return link("vm", f"{prefix}/vms/{vm.id}", vm.id)


def _cdrom(vm: Vm, prefix: str) -> Node:
    """Return `<cdrom>`: every VM has one drive, whose id is nothing but zeros."""
    href = f"{prefix}/vms/{vm.id}/cdroms/{BLANK}"
    return node("cdrom", {"vm": _of_vm(vm, prefix)}, href=href, id=BLANK)


async def list_cdroms(core: Core, call: Call) -> Reply:
    """GET cdroms."""
    vm = core.state.vms.get(call.ids[0])
    return listing("cdroms", [] if vm is None else [_cdrom(vm, call.prefix)])


async def get_cdrom(core: Core, call: Call) -> Reply:
    """GET the one drive."""
    vm = core.state.vms.get(call.ids[0])
    if vm is None or call.ids[1] != BLANK:
        raise NoSuchObject
    return Reply(_cdrom(vm, call.prefix))


async def list_sessions(core: Core, call: Call) -> Reply:
    """GET sessions: without a guest agent all that is known of a running VM is that somebody may use it."""
    vm = core.state.vms.get(call.ids[0])
    if vm is None or vm.status in RESTING:
        return listing("sessions", [])
    id_ = str(uuid.UUID(bytes=hashlib.md5(vm.id.encode(), usedforsecurity=False).digest()))
    href = f"{call.prefix}/vms/{vm.id}/sessions/{id_}"
    fields = {"user": {"user_name": "Unknown"}, "vm": _of_vm(vm, call.prefix)}
    return listing("sessions", [node("session", fields, href=href, id=id_)])


async def list_statistics(core: Core, call: Call) -> Reply:
    """GET statistics: what the engine knows itself; what a host or an agent would measure is 0."""
    vm = core.state.vms.get(call.ids[0])
    items = [] if vm is None else [_statistic(vm, item, call.prefix) for item in STATISTICS]
    return listing("statistics", items)


def _statistic(vm: Vm, item: Statistic, prefix: str) -> Node:
    """Return `<statistic>`; its id is made from its name, as Java does it."""
    digest = hashlib.md5(item.name.encode(), usedforsecurity=False).digest()
    id_ = str(uuid.UUID(bytes=digest, version=3))
    attributes = {"id": id_}
    if not item.history:
        attributes = {"href": f"{prefix}/vms/{vm.id}/statistics/{id_}"} | attributes
    return Node("statistic", attributes).add(
        {
            "name": item.name,
            "description": item.description,
            "kind": item.kind,
            "type": item.type,
            "unit": item.unit,
            "values": _values(vm, item),
            "vm": None if item.history else _of_vm(vm, prefix),
        }
    )


def _values(vm: Vm, item: Statistic) -> Node:
    if item.name == "network.usage.history" or (item.history and vm.status in RESTING):
        return node("values")
    if item.type == "string":
        return node("values", {"value": {"detail": "[]"}})
    runs = vm.start_time is not None and vm.status not in RESTING
    known = {
        "memory.installed": vm.memory,
        "elapsed.time": int((now() - vm.start_time).total_seconds()) if runs and vm.start_time else 0,
    }
    return node("values", {"value": {"datum": known.get(item.name, 0)}})


ROUTES = (
    Route("GET", "vms/*/cdroms", list_cdroms),
    Route("GET", "vms/*/cdroms/*", get_cdrom),
    Route("GET", "vms/*/sessions", list_sessions),
    Route("GET", "vms/*/statistics", list_statistics),
    *(Route("GET", f"vms/*/{path}", nothing(tag)) for path, tag in EMPTY.items()),
)
