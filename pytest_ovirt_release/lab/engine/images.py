"""A disk's image: who works on it, and what making and deleting it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.storage import storage_task
from pytest_ovirt_release.lab.node.verbs import VdsmError, Volume

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Disk, Host, Vm

ADD_SECONDS = 5.0
"""A new disk stays locked 4 to 8 s: the engine polls its storage task every few seconds."""

REMOVE_SECONDS = 7.0
"""A removed one 6 to 11 s: it polls more slowly what it waits for in the background."""


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
