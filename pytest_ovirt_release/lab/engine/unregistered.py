"""Disks on a storage domain, also those that stand on an imported one and that the engine does not know yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, created, get, listing
from pytest_ovirt_release.lab.engine.disks import disk_node
from pytest_ovirt_release.lab.engine.fault import NoSuchObject, incomplete, not_implemented
from pytest_ovirt_release.lab.engine.images import storage_host
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.state import Disk

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core


async def list_disks(core: Core, call: Call) -> Reply:
    """GET /storagedomains/{id}/disks; with `unregistered` those that the engine does not know."""
    if call.flag("unregistered", default=False):
        found = await _unregistered(core, get(core.state.storage_domains, call.ids[0]).id)
    else:
        found = [disk for disk in core.state.disks.values() if disk.domain == call.ids[0]]
    return listing("disks", (disk_node(core, disk, call.prefix) for disk in found))


async def register_disk(core: Core, call: Call) -> Reply:
    """POST /storagedomains/{id}/disks with `unregistered`: let the engine know a disk, as it stands there."""
    domain = get(core.state.storage_domains, call.ids[0])
    if not call.flag("unregistered", default=False):
        raise not_implemented(f"{call.method} {call.path} without unregistered")
    wanted = call.body.id
    if wanted is None:
        raise incomplete("Disk", ["id"])
    for disk in await _unregistered(core, domain.id):
        if disk.id == wanted:
            disk.name = call.body.text("name") or call.body.text("alias") or disk.name
            core.state.disks[disk.id] = disk
            return created(disk_node(core, disk, call.prefix))
    raise NoSuchObject


async def _unregistered(core: Core, domain_id: str) -> list[Disk]:
    """Ask the host that works on a domain what images stand on it."""
    images = await core.ask(core.node(storage_host(core, domain_id)).get_images(domain_id))
    return [
        Disk(
            id=image.volume.image_id,
            image_id=image.volume.id,
            name=image.name,
            format="raw",
            provisioned_size=image.size,
            sparse=True,
            domain=domain_id,
            status="ok",
        )
        for image in images
        if image.volume.image_id not in core.state.disks
    ]


ROUTES = (
    Route("GET", "storagedomains/*/disks", list_disks),
    Route("POST", "storagedomains/*/disks", register_disk, "disk"),
)
