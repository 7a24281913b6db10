"""The collection /disks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.call import Call, Reply, created, entity, get, listing, removed
from pytest_ovirt_release.lab.engine.document import Node, link
from pytest_ovirt_release.lab.engine.fault import NoSuchObject, bad, conflict, entity_not_found, incomplete
from pytest_ovirt_release.lab.engine.images import delete_image, make_image
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.search import found
from pytest_ovirt_release.lab.engine.state import Disk
from pytest_ovirt_release.lab.engine.storage import wrong_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.state import Job, StorageDomain, Vm

FORMATS = ("cow", "raw")
IN_PROGRESS = "Related operation is currently in progress. Please try again later."

FIELDS: dict[str, Callable[[Disk], str]] = {
    "name": lambda item: item.name,
    "alias": lambda item: item.name,
    "status": lambda item: item.status,
    "description": lambda item: item.description,
    "id": lambda item: item.id,
}


def disk_node(core: Core, disk: Disk, prefix: str) -> Node:
    """Return `<disk>`."""
    domain = core.state.storage_domains[disk.domain]
    profile = domain.disk_profile
    where = link("storage_domain", f"{prefix}/storagedomains/{disk.domain}", disk.domain)
    return entity(
        "disk",
        f"{prefix}/disks/{disk.id}",
        disk.id,
        action_names=known.DISK_ACTIONS,
        link_names=known.DISK_LINKS,
        head={"name": disk.name, "description": disk.description},
        fields={
            "actual_size": disk.actual_size,
            "alias": disk.name,
            "backup": "none",
            "content_type": "data",
            "format": disk.format,
            "image_id": disk.image_id,
            "propagate_errors": False,
            "provisioned_size": disk.provisioned_size,
            "qcow_version": "qcow2_v3" if disk.format == "cow" and disk.status == "ok" else None,
            "shareable": False,
            "sparse": disk.sparse,
            "status": disk.status,
            "storage_type": "image",
            "total_size": disk.actual_size,
            "wipe_after_delete": False,
            "disk_profile": link("disk_profile", f"{prefix}/diskprofiles/{profile}", profile),
            "quota": _quota(core, domain, prefix),
            "storage_domains": Node("storage_domains", children=[where]),
        },
    )


def _quota(core: Core, domain: StorageDomain, prefix: str) -> Node | None:
    """Return the quota, which every data center has one of: unlimited."""
    data_center = core.state.data_centers.get(domain.data_center or "")
    if data_center is None:
        return None
    return link(
        "quota", f"{prefix}/datacenters/{data_center.id}/quotas/{data_center.quota}", data_center.quota
    )


async def list_disks(core: Core, call: Call) -> Reply:
    """GET /disks."""
    items = found(core.state.disks.values(), call, FIELDS)
    return listing("disks", (disk_node(core, item, call.prefix) for item in items))


async def get_disk(core: Core, call: Call) -> Reply:
    """GET /disks/{id}."""
    return Reply(disk_node(core, get(core.state.disks, call.ids[0]), call.prefix))


async def add_disk(core: Core, call: Call) -> Reply:
    """POST /disks: a floating disk; 201 although it is still locked."""
    body = call.body
    missing = [
        shown
        for field, shown in (("provisioned_size", "provisionedSize"), ("format", "format"))
        if body.text(field) is None
    ]
    if missing:
        raise incomplete("Disk", missing)
    disk = new_disk(core, body, "add")
    text = f"Add-Disk operation of '{disk.name}' was initiated by admin@internal-authz."
    domain = core.state.storage_domains[disk.domain]
    core.event(2020, text, call.correlation, domain=domain)
    core.spawn(make_image(core, disk, call.correlation))
    return created(disk_node(core, disk, call.prefix))


def new_disk(core: Core, body: Body, method: str, vm: Vm | None = None) -> Disk:
    """Check what is asked for and record a locked disk; its image is made afterwards.

    A VM's disk without a name is called after the VM.
    """
    shape = body.one_of("format", "DiskFormat", FORMATS)
    size = body.number("provisioned_size")
    missing = [name for name, value in (("provisioned_size", size), ("format", shape)) if value is None]
    if missing:
        raise incomplete("Disk", missing, method)
    domain = _domain(core, body)
    sparse = body.flag("sparse")
    if size is None or size <= 0:
        raise bad("Cannot add Virtual Disk. Disk's provisioned size has to be greater than 0.")
    if domain.status != "active":
        raise wrong_status("Cannot add Virtual Disk", domain)
    if sparse is False and size > domain.space.free:
        raise conflict(f"Cannot add Virtual Disk. Low disk space on Storage Domain {domain.name}.")
    unnamed = f"{vm.name}_Disk{len(vm.attachments) + 1}" if vm else f"disk_{len(core.state.disks) + 1}"
    name = body.text("name") or body.text("alias") or unnamed
    disk = Disk(
        id=core.ids.uuid("disk"),
        image_id=core.ids.uuid("image"),
        name=name,
        format=shape or "raw",
        provisioned_size=size,
        sparse=True if sparse is None else sparse,
        domain=domain.id,
        description=body.text("description") or "",
    )
    core.state.disks[disk.id] = disk
    return disk


def _domain(core: Core, body: Body) -> StorageDomain:
    """Return the domain a new disk goes to; one with an unknown name is an empty 404 (recorded)."""
    named = body.child("storage_domains/storage_domain")
    for domain in core.state.storage_domains.values():
        if named is not None and (domain.id == named.id or domain.name == named.text("name")):
            return domain
    if named is None:
        raise bad("Cannot add Virtual Disk. Storage Domain hasn't been specified.")
    if named.id is not None:
        raise entity_not_found(named.id)
    raise NoSuchObject


async def remove_disk(core: Core, call: Call) -> Reply:
    """DELETE /disks/{id}: answers at once, the image goes in the background."""
    return removed(call, begin_removal(core, call, get(core.state.disks, call.ids[0])))


def begin_removal(core: Core, call: Call, disk: Disk) -> Job:
    """Check that a disk can go, and let its image go in the background."""
    if disk.status == "locked":
        raise conflict(f"Cannot remove Virtual Disk. {IN_PROGRESS}")
    vms = core.state.vms_with(disk.id)
    if any(
        vm.status != "down" and item.active for vm in vms for item in vm.attachments if item.disk == disk.id
    ):
        raise conflict("Cannot remove Virtual Disk. At least one of the VMs is not down.")
    domain = core.state.storage_domains[disk.domain]
    if domain.status != "active":
        raise wrong_status("Cannot remove Virtual Disk", domain)
    with core.job(f"Removing Disk {disk.name}") as job:
        disk.status = "locked"
        what = f"was successfully removed from domain {domain.name} (User admin@internal-authz)."
        if vms:
            names = ",".join(vm.name for vm in vms)
            text = f"Disk {disk.name} associated to the VMs {names} {what}"
            core.event(2042, text, call.correlation, domain=domain)
        else:
            core.event(2014, f"Disk {disk.name} {what}", call.correlation, domain=domain)
        core.spawn(delete_image(core, disk))
    return job


ROUTES = (
    Route("GET", "disks", list_disks),
    Route("POST", "disks", add_disk, "disk"),
    Route("GET", "disks/*", get_disk),
    Route("DELETE", "disks/*", remove_disk),
)
