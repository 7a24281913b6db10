"""`<vm>`: what the API shows of a virtual machine, and of the template it came from."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.call import entity
from pytest_ovirt_release.lab.engine.document import Node, link
from pytest_ovirt_release.lab.engine.state import BLANK, stamp

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Vm

CACHED = 4096
"""Small parts that are the same in many VMs, or in one VM each time; nobody changes them once made."""


@lru_cache(maxsize=CACHED)
def _link(tag: str, prefix: str, folder: str, id_: str) -> Node:
    return link(tag, f"{prefix}/{folder}/{id_}", id_)


@lru_cache(maxsize=CACHED)
def _boot(devices: tuple[str, ...]) -> Node:
    return Node("devices", children=[Node("device", text=device) for device in devices])


@lru_cache(maxsize=CACHED)
def _hosts(prefix: str, ids: tuple[str, ...]) -> Node:
    return Node("hosts", children=[_link("host", prefix, "hosts", id_) for id_ in ids])


def vm_node(core: Core, vm: Vm, prefix: str) -> Node:
    """Return `<vm>`."""
    href = f"{prefix}/vms/{vm.id}"
    head: dict[str, str | None] = {"name": vm.name, "description": vm.description, "comment": vm.comment}
    fields = machine_fields(vm) | _running_fields(core, vm, prefix)

    def build() -> Node:
        return entity(
            "vm",
            href,
            vm.id,
            action_names=known.VM_ACTIONS,
            link_names=known.VM_LINKS,
            head=head,
            fields=fields,
        )

    # A list of a hundred VMs is most of a megabyte, and clients poll it.
    return core.shelf.get("vm", href, (head, fields), build)


def machine_fields(vm: Vm) -> dict[str, object]:
    """Return the part of `<vm>` that describes the machine."""
    return {
        "auto_pinning_policy": "disabled",
        "bios": {"boot_menu": {"enabled": False}, "type": vm.bios_type},
        "cpu": {
            "architecture": "x86_64",
            "topology": {"cores": vm.cores, "sockets": vm.sockets, "threads": vm.threads},
        },
        "cpu_pinning_policy": "none",
        "cpu_shares": 0,
        "creation_time": stamp(vm.created),
        "delete_protected": False,
    }


def _display(core: Core, vm: Vm) -> dict[str, object]:
    host = core.state.hosts.get(vm.host or "")
    return {
        "address": host.address if host else None,
        "allow_override": False,
        "copy_paste_enabled": True,
        "disconnect_action": "LOCK_SCREEN",
        "disconnect_action_delay": 0,
        "file_transfer_enabled": True,
        "monitors": 1,
        "smartcard_enabled": False,
        "type": "vnc",
        "video_type": "vga",
    }


def _running_fields(core: Core, vm: Vm, prefix: str) -> dict[str, object]:
    return {
        "display": _display(core, vm),
        "high_availability": {"enabled": vm.high_availability, "priority": 0},
        "io": {"threads": 1},
        "memory": vm.memory,
        "memory_policy": {"ballooning": True, "guaranteed": vm.memory, "max": max(vm.memory * 4, vm.memory)},
        "migration": {"auto_converge": "inherit", "compressed": "inherit", "encrypted": "inherit"},
        "migration_downtime": -1,
        "multi_queues_enabled": True,
        "origin": "ovirt",
        "os": {"boot": {"devices": _boot(vm.boot)}, "type": vm.os_type},
        "placement_policy": {
            "affinity": vm.affinity,
            "hosts": _hosts(prefix, vm.pinned) if vm.pinned else None,
        },
        "start_paused": False,
        "stateless": False,
        "storage_error_resume_behaviour": "auto_resume",
        "time_zone": {"name": "Etc/GMT"},
        "type": vm.type,
        "usb": {"enabled": False},
        "virtio_scsi_multi_queues_enabled": False,
        "cluster": _link("cluster", prefix, "clusters", vm.cluster),
        "next_run_configuration_exists": False,
        "run_once": vm.run_once if vm.start_time else None,
        "start_time": stamp(vm.start_time) if vm.start_time and vm.status != "down" else None,
        "status": vm.status,
        "stop_time": stamp(vm.stop_time) if vm.stop_time else None,
        "host": _link("host", prefix, "hosts", vm.host) if vm.host else None,
        "original_template": _link("original_template", prefix, "templates", BLANK),
        "template": _link("template", prefix, "templates", BLANK),
    }
