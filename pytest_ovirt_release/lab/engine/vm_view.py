"""`<vm>`: what the API shows of a virtual machine."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.call import entity
from pytest_ovirt_release.lab.engine.document import Node, link, node
from pytest_ovirt_release.lab.engine.machine_view import base_fields
from pytest_ovirt_release.lab.engine.ovf import ovf
from pytest_ovirt_release.lab.engine.state import BLANK, stamp
from pytest_ovirt_release.target.brand import LAB_BRAND

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.call import Call
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Vm

RESTING = ("down", "suspended")
"""States in which a VM is on no host."""

CACHED = 4096
"""Links that are the same in many VMs; nobody changes them once made."""


@lru_cache(maxsize=CACHED)
def _link(tag: str, prefix: str, folder: str, id_: str) -> Node:
    return link(tag, f"{prefix}/{folder}/{id_}", id_)


def vm_node(core: Core, vm: Vm, prefix: str, *, content: bool = False) -> Node:
    """Return `<vm>`; `content` is what only `all_content` and answers to writing show."""
    if content:
        return _vm_node(
            core, vm, prefix, {"initialization": {"configuration": {"data": ovf(core, vm), "type": "ovf"}}}
        )
    host, data_center = core.state.hosts.get(vm.host or ""), core.state.data_center_of(vm.cluster)
    around = (
        host and host.address,
        data_center and data_center.quota,
        core.state.clusters[vm.cluster].cpu_profile,
    )
    # A list of a hundred VMs is most of a megabyte, and clients poll it.
    parts = (dict(vars(vm)), around)
    return core.shelf.get("vm", f"{prefix}/vms/{vm.id}", parts, lambda: _vm_node(core, vm, prefix, None))


def _vm_node(core: Core, vm: Vm, prefix: str, content: dict[str, object] | None) -> Node:
    fields = base_fields(vm, prefix, _running_display(core, vm), content=content is not None)
    fields |= {"time_zone": {"name": "Etc/GMT"}} | (content or {})
    return entity(
        "vm",
        f"{prefix}/vms/{vm.id}",
        vm.id,
        action_names=known.VM_ACTIONS,
        link_names=known.VM_LINKS,
        head={"name": vm.name, "description": vm.description, "comment": vm.comment},
        fields=dict(sorted(fields.items())) | _place(core, vm, prefix) | _state(vm, prefix),
    )


def all_content(call: Call) -> bool:
    """Return whether a request asked for everything."""
    return call.flag("all_content", default=False)


def vm_target(vm: Vm, prefix: str) -> Node:
    """Return `<vm>` as actions name it: nothing but what can be done with it and where its parts are."""
    return entity(
        "vm",
        f"{prefix}/vms/{vm.id}",
        vm.id,
        action_names=known.VM_ACTIONS,
        link_names=known.VM_LINKS,
        head={},
        fields={},
    )


def _running_display(core: Core, vm: Vm) -> dict[str, object]:
    """Return what a display has only while the VM runs; the certificate's content is the CA's (recorded)."""
    host = core.state.hosts.get(vm.host or "")
    if host is None or vm.status in RESTING:
        return {}
    certificate = {
        "content": core.ca_pem,
        "organization": LAB_BRAND,
        "subject": f"O={LAB_BRAND},CN={host.address}",
    }
    return {"address": host.address, "certificate": certificate, "port": vm.port}


def _place(core: Core, vm: Vm, prefix: str) -> dict[str, object]:
    cluster = core.state.clusters[vm.cluster]
    data_center = core.state.data_center_of(vm.cluster)
    return {
        "cluster": link("cluster", f"{prefix}/clusters/{vm.cluster}", vm.cluster),
        "cpu_profile": link(
            "cpu_profile", f"{prefix}/cpuprofiles/{cluster.cpu_profile}", cluster.cpu_profile
        ),
        "quota": node("quota", id=data_center.quota) if data_center else None,
    }


def _state(vm: Vm, prefix: str) -> dict[str, object]:
    runs = vm.status not in RESTING
    return {
        "next_run_configuration_exists": False,
        "run_once": vm.run_once if runs else None,
        "start_time": stamp(vm.start_time) if runs and vm.start_time else None,
        "status": vm.status,
        "stop_reason": vm.stop_reason,
        "stop_time": stamp(vm.stop_time) if vm.stop_time else None,
        "host": _link("host", prefix, "hosts", vm.host) if vm.host else None,
        "original_template": _link("original_template", prefix, "templates", BLANK),
        "template": _link("template", prefix, "templates", BLANK),
    }
