"""What `<vm>` and `<template>` have in common: the description of a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.state import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_ovirt_release.lab.engine.state import Vm

LARGE_ICON = "cc507a05-3cb7-41a9-b316-ba9231a263fc"
SMALL_ICON = "ea5610dd-345d-4789-847f-2d0ca2d32472"
"""Icons of the template Blank; what is made from it has them too, whatever its operating system."""


def base_fields(vm: Vm, prefix: str, running: Mapping[str, object], *, content: bool) -> dict[str, object]:
    """Return the fields; `running` is what the display has while the machine runs."""
    fields = _machine(vm) | _behaviour(vm) | {"display": _display(running)}
    for size, id_ in (("large", LARGE_ICON), ("small", SMALL_ICON)):
        fields[f"{size}_icon"] = link(f"{size}_icon", f"{prefix}/icons/{id_}", id_)
    fields["placement_policy"] = {"affinity": vm.affinity, "hosts": _pinned(vm, prefix)}
    if content:
        fields |= {
            "console": {"enabled": vm.console},
            "rng_device": {"source": "urandom"},
            "soundcard_enabled": True,
            "tpm_enabled": False,
            "virtio_scsi": {"enabled": True},
        }
    return dict(sorted(fields.items()))


def _machine(vm: Vm) -> dict[str, object]:
    boot = Node("devices", children=[Node("device", text=device) for device in vm.boot])
    return {
        "auto_pinning_policy": "disabled",
        "bios": {"boot_menu": {"enabled": False}, "type": vm.bios_type or None},
        "cpu": {
            "architecture": "x86_64" if vm.cluster else "undefined",
            "topology": {"cores": vm.cores, "sockets": vm.sockets, "threads": vm.threads},
        },
        "cpu_pinning_policy": "none",
        "cpu_shares": 0,
        "creation_time": stamp(vm.created),
        "delete_protected": False,
        "io": {"threads": 1},
        "memory": vm.memory,
        "memory_policy": {"ballooning": True, "guaranteed": vm.memory, "max": vm.memory * 4},
        "multi_queues_enabled": True,
        "os": {"boot": {"devices": boot}, "type": vm.os_type},
        "type": vm.type,
        "usb": {"enabled": False},
        "virtio_scsi_multi_queues_enabled": False,
    }


def _behaviour(vm: Vm) -> dict[str, object]:
    parts = ("auto_converge", "compressed", "encrypted", "parallel_migrations_policy")
    method = node("methods", {"method": node("method", id="guest_agent")})
    return {
        "high_availability": {"enabled": vm.high_availability, "priority": 0},
        "migration": dict.fromkeys(parts, "inherit"),
        "migration_downtime": -1,
        "origin": "ovirt",
        "sso": {"methods": method},
        "start_paused": False,
        "stateless": False,
        "storage_error_resume_behaviour": "auto_resume",
    }


def _display(running: Mapping[str, object]) -> dict[str, object]:
    fields = {
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
    return dict(sorted((fields | dict(running)).items()))


def _pinned(vm: Vm, prefix: str) -> Node | None:
    hosts = [link("host", f"{prefix}/hosts/{id_}", id_) for id_ in vm.pinned]
    return Node("hosts", children=hosts) if hosts else None
