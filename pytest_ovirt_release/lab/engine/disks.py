"""The collection /disks, and what making and deleting an image takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine import known
from pytest_ovirt_release.lab.engine.call import Call, Reply, created, entity, get, listing, removed
from pytest_ovirt_release.lab.engine.document import Node, link
from pytest_ovirt_release.lab.engine.fault import NoSuchObject, bad, conflict, incomplete
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.search import found
from pytest_ovirt_release.lab.engine.state import Disk
from pytest_ovirt_release.lab.engine.storage import storage_task
from pytest_ovirt_release.lab.node.verbs import VdsmError, Volume

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Body
    from pytest_ovirt_release.lab.engine.state import Host, StorageDomain, Vm

FORMATS = ("cow", "raw")
ADD_SECONDS = 5.0
"""A new disk stays locked 4 to 8 s: the engine polls its storage task every few seconds."""

REMOVE_SECONDS = 7.0
"""A removed one 6 to 11 s: it polls more slowly what it waits for in the background."""

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


def new_disk(core: Core, body: Body, method: str) -> Disk:
    """Check what is asked for and record a locked disk; its image is made afterwards."""
    shape = body.one_of("format", "DiskFormat", FORMATS)
    size = body.number("provisioned_size")
    missing = [name for name, value in (("provisioned_size", size), ("format", shape)) if value is None]
    if missing:
        raise incomplete("Disk", missing, method)
    domain = _domain(core, body)
    sparse = body.flag("sparse")
    if size is None or size <= 0:
        raise bad("Cannot add Virtual Disk. Disk size must be greater than zero.")
    if domain.status != "active":
        status = domain.status.capitalize()
        raise conflict(f"Cannot add Virtual Disk. The relevant Storage Domain's status is {status}.")
    if sparse is False and size > domain.space.free:
        raise conflict(f"Cannot add Virtual Disk. Low disk space on Storage Domain {domain.name}.")
    name = body.text("name") or body.text("alias") or f"disk_{len(core.state.disks) + 1}"
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
    """Return the domain a new disk goes to; an unknown one is an empty 404 (recorded)."""
    named = body.child("storage_domains/storage_domain")
    for domain in core.state.storage_domains.values():
        if named is not None and (domain.id == named.id or domain.name == named.text("name")):
            return domain
    if named is None:
        raise bad("Cannot add Virtual Disk. Storage Domain is not specified.")
    raise NoSuchObject


def storage_host(core: Core, domain_id: str) -> Host:
    """Return the host that works on a domain: its data center's SPM, else any host that is up."""
    domain = core.state.storage_domains[domain_id]
    data_center = core.state.data_centers.get(domain.data_center or "")
    hosts = core.state.hosts_in(data_center.id, "up") if data_center is not None else []
    for host in hosts:
        if data_center is not None and host.id == data_center.spm:
            return host
    if not hosts:
        raise VdsmError(5022, f"no host of storage domain {domain.name} is up")
    return hosts[0]


def volume_of(disk: Disk) -> Volume:
    """Return where a disk's bytes are: vdsm's image has the disk's id, its volume the one that is shown as image id."""
    return Volume(disk.domain, disk.id, disk.image_id)


async def make_image(core: Core, disk: Disk, correlation: str, vm: Vm | None = None) -> None:
    """Make a disk's image on the storage; a failure takes the disk away again."""
    domain = core.state.storage_domains[disk.domain]
    try:
        async with storage_task(core, domain.data_center):
            host = storage_host(core, domain.id)
            await core.ask(core.node(host).create_volume(volume_of(disk), disk.provisioned_size, disk.name))
            await core.sleep(ADD_SECONDS)
    except VdsmError as error:
        text = f"VDSM command CreateVolumeVDS failed: {error.message}"
        core.event(10802, text, user="nobody")
        core.state.disks.pop(disk.id, None)
        for user in core.state.vms_with(disk.id):
            user.attachments = [item for item in user.attachments if item.disk != disk.id]
        text = f"Add-Disk operation failed to complete. Disk {disk.name}."
        core.event(2022, text, correlation, domain=domain)
        return
    disk.actual_size = 4096
    disk.status = "ok"
    if vm is None:
        core.event(2021, f"The disk '{disk.name}' was successfully added.", correlation, domain=domain)
    else:
        text = f"The disk {disk.name} was successfully added to VM {vm.name}."
        core.event(97, text, correlation, vm=vm, domain=domain)


async def remove_disk(core: Core, call: Call) -> Reply:
    """DELETE /disks/{id}: answers at once, the image goes in the background."""
    disk = get(core.state.disks, call.ids[0])
    if any(vm.status != "down" for vm in core.state.vms_with(disk.id)):
        raise conflict("Cannot remove Virtual Disk. At least one of the VMs is not down.")
    if disk.status == "locked":
        raise conflict(
            f"Cannot remove Virtual Disk: The following disks are locked: {disk.name}. "
            "Please try again in a few minutes."
        )
    with core.job(f"Removing Disk {disk.name}") as job:
        disk.status = "locked"
        domain = core.state.storage_domains[disk.domain]
        core.event(
            2014,
            f"Disk {disk.name} was successfully removed from domain {domain.name} (User admin@internal-authz).",
            call.correlation,
            domain=domain,
        )
        core.spawn(delete_image(core, disk))
    return removed(call, job)


async def delete_image(core: Core, disk: Disk) -> None:
    """Delete a disk's image, then the disk; if the storage refuses, the disk stays, illegal."""
    domain = core.state.storage_domains[disk.domain]
    try:
        async with storage_task(core, domain.data_center):
            await core.ask(core.node(storage_host(core, domain.id)).delete_image(domain.id, disk.id))
            await core.sleep(REMOVE_SECONDS)
    except VdsmError as error:
        disk.status = "illegal"
        core.event(10802, f"VDSM command DeleteImageGroupVDS failed: {error.message}", user="nobody")
        return
    core.state.disks.pop(disk.id, None)
    for vm in core.state.vms_with(disk.id):
        vm.attachments = [item for item in vm.attachments if item.disk != disk.id]


ROUTES = (
    Route("GET", "disks", list_disks),
    Route("POST", "disks", add_disk, "disk"),
    Route("GET", "disks/*", get_disk),
    Route("DELETE", "disks/*", remove_disk),
)
