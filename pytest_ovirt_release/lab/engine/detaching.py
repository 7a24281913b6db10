"""A storage domain leaving its data center: deactivate, detach, and what becomes of the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.attached_domains import find, target
from pytest_ovirt_release.lab.engine.call import Call, Reply, acted, removed
from pytest_ovirt_release.lab.engine.fault import bad, conflict
from pytest_ovirt_release.lab.engine.ovf_store import update_ovf_stores, write_ovf_store
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.storage import (
    CONTEND_SECONDS,
    IN_PROCESS,
    check_host,
    check_master,
    check_status,
    disconnect_hosts,
    elect_spm,
    forget_disks,
    forget_domain,
    format_domain,
    initialising,
    said,
    storage_task,
)
from pytest_ovirt_release.lab.engine.vm_view import RESTING
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import DataCenter, Host, StorageDomain

DEACTIVATABLE = ("active", "inactive", "unknown")
LEAVING_SECONDS = 5.0
"""Until the hosts have told that none of them uses a domain any more."""

FORMAT_SECONDS = 0.05


async def deactivate(core: Core, call: Call) -> Reply:
    """POST deactivate: answers at once, the domain leaves in the background."""
    data_center, domain = find(core, call)
    _check_leaving(core, data_center, domain)
    with core.job(f"Deactivating Storage Domain {domain.name} in Data Center {data_center.name}") as job:
        domain.status = "locked"
    core.spawn(_leave(core, data_center, domain, call.correlation))
    return acted(call, job, target(domain, call.prefix))


def _check_leaving(core: Core, data_center: DataCenter, domain: StorageDomain) -> None:
    """Refuse what the engine refuses, in its order."""
    check_status("Cannot deactivate Storage", domain, DEACTIVATABLE)
    others = [item for item in core.state.domains_in(data_center.id) if item is not domain]
    active = [item for item in others if item.status == "active"]
    if domain.master and active and not any(item.type == "data" for item in active):
        raise conflict(
            "Cannot deactivate a Master Storage Domain while there are active non-data domains in the Data Center.\n"
            "-Please deactivate all the non-data domains first."
        )
    if domain.master and any(item.status in IN_PROCESS for item in others):
        raise conflict(
            "You are trying to deactivate a Master storage domain while there are locked domains in the Data Center. "
            "Please wait for the operations on those domains to finish first."
        )
    disks = {disk.id for disk in core.state.disks.values() if disk.domain == domain.id}
    vms = [vm for vm in core.state.vms.values() if vm.status not in RESTING]
    if any(attachment.disk in disks for vm in vms for attachment in vm.attachments):
        raise conflict(
            'Cannot deactivate Storage. VMs in a state other than "Down" were detected.\n'
            "-Please ensure all VMs associated with this Storage Domain are stopped and in the Down state first."
        )
    if any(transfer.disk in disks and transfer.active for transfer in core.state.transfers.values()):
        raise conflict(
            "Cannot deactivate Storage. Please pause or cancel all active disk uploads and downloads first."
        )


async def _leave(core: Core, data_center: DataCenter, domain: StorageDomain, correlation: str) -> None:
    """Write the OVF store, then go to maintenance; with the last domain the data center goes too."""
    while any(disk.domain == domain.id and disk.status == "locked" for disk in core.state.disks.values()):
        await core.sleep(1)
    async with storage_task(core, data_center.id):
        await write_ovf_store(core, data_center, domain, correlation)
    others = [d for d in core.state.domains_in(data_center.id) if d is not domain and d.status == "active"]
    whose = f"Storage Domain {domain.name} (Data Center {data_center.name})"
    if not others:
        data_center.status = "maintenance"
        for host in core.state.hosts_in(data_center.id):
            host.spm_status = "none"
        data_center.spm = None
        if not data_center.local:
            domain.status = "preparing_for_maintenance"
            await core.sleep(0.2)
        domain.status = "maintenance"
        core.event(1030, f"{whose} was deactivated.", correlation, domain=domain)
    else:
        domain.status = "preparing_for_maintenance"
        core.event(
            968,
            f"{whose} was deactivated and has moved to 'Preparing for maintenance' until it will no longer be "
            "accessed by any Host of the Data Center.",
            correlation,
            domain=domain,
        )
        if domain.master:
            heir = next(item for item in others if item.type == "data")
            domain.master, heir.master = False, True
        await core.sleep(LEAVING_SECONDS)
        domain.status = "maintenance"
        core.event(
            1029,
            f"{whose} successfully moved to Maintenance as it's no longer accessed by any Host of the Data Center.",
            user="nobody",
            domain=domain,
        )
    await disconnect_hosts(core, data_center, domain)


async def detach(core: Core, call: Call) -> Reply:
    """DELETE: detach a shared domain; a local one is removed for good, its data too."""
    data_center, domain = find(core, call)
    local = domain.connection.type == "localfs"
    action = "remove" if local else "detach"
    others = [item for item in core.state.domains_in(data_center.id) if item is not domain]
    check_status(f"Cannot {action} Storage", domain, ("maintenance", "inactive"))
    if not domain.master:
        check_master(core, action, data_center)
    elif others:
        raise conflict(
            "Cannot detach the master Storage Domain from the Data Center while there are other storage domains "
            "attached to it.\n-Please try to activate another Storage Domain in the Data Center."
        )
    check_host(core, f"Cannot {action} Storage", data_center)
    hosts = core.state.hosts_in(data_center.id, "up")
    what = f"Detaching Storage Domain {domain.name} from Data Center {data_center.name}"
    with core.job(f"Removing Storage Domain {domain.name}" if local else what) as job:
        if others:
            domain.status = "detaching"
            await core.sleep(0.2)
        else:
            await _empty_pool(core, data_center, domain)
        text = f"Storage Domain {domain.name} was detached from Data Center {data_center.name}"
        correlation = None if local else call.correlation
        core.event(964, f"{text} by admin@internal-authz", correlation, own=local, domain=domain)
        domain.data_center, domain.status, domain.master = None, "unattached", False
        if others:
            update_ovf_stores(core, data_center)
        if local:
            await _remove_local(core, call, domain, hosts[0])
        else:
            forget_disks(core, domain)
    if not others:
        core.spawn(_uninitialise(core, data_center))
    return removed(call, job)


async def _empty_pool(core: Core, data_center: DataCenter, domain: StorageDomain) -> None:
    """Contend once more to let the last master go."""
    domain.status = "locked"
    if data_center.local:
        initialising(core, data_center)
    data_center.status = "contend"
    await elect_spm(core, data_center)
    data_center.status = "maintenance"


async def _remove_local(core: Core, call: Call, domain: StorageDomain, host: Host) -> None:
    """A local domain that was detached is formatted and forgotten: nobody else could attach it."""
    await core.sleep(FORMAT_SECONDS)
    try:
        await format_domain(core, domain, host)
    except VdsmError as error:
        raise bad(said(error)) from error
    forget_domain(core, domain)
    text = f"Storage Domain {domain.name} was removed by admin@internal-authz"
    core.event(960, text, call.correlation, domain=domain, host=host)


async def _uninitialise(core: Core, data_center: DataCenter) -> None:
    await core.sleep(CONTEND_SECONDS / 5)
    for host in core.state.hosts_in(data_center.id):
        host.spm_status = "none"
    data_center.spm, data_center.status = None, "uninitialized"


ROUTES = (
    Route("DELETE", "datacenters/*/storagedomains/*", detach),
    Route("POST", "datacenters/*/storagedomains/*/deactivate", deactivate, "action"),
)
