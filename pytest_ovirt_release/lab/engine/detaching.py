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
    disconnect_hosts,
    elect_spm,
    forget_disks,
    forget_domain,
    format_domain,
    initialising,
    said,
    storage_task,
    wrong_status,
)
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
    if domain.status not in DEACTIVATABLE:
        raise wrong_status("deactivate", domain)
    disks = {disk.id for disk in core.state.disks.values() if disk.domain == domain.id}
    running = [
        vm.name
        for vm in core.state.vms.values()
        if vm.status != "down" and any(attachment.disk in disks for attachment in vm.attachments)
    ]
    if running:
        raise conflict(
            "Cannot deactivate Storage. The following VMs use disks of this Storage Domain and are running: "
            + ", ".join(running)
        )
    with core.job(f"Deactivating Storage Domain {domain.name} in Data Center {data_center.name}") as job:
        domain.status = "locked"
    core.spawn(_leave(core, data_center, domain, call.correlation))
    return acted(call, job, target(domain, call.prefix))


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
            domain.master, others[0].master = False, True
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
    if domain.status not in {"maintenance", "inactive"}:
        raise wrong_status("remove" if local else "detach", domain)
    hosts = core.state.hosts_in(data_center.id, "up")
    if not hosts:
        raise conflict("Cannot detach Storage. There is no active Host in the Data Center.")
    what = f"Detaching Storage Domain {domain.name} from Data Center {data_center.name}"
    with core.job(f"Removing Storage Domain {domain.name}" if local else what) as job:
        others = [item for item in core.state.domains_in(data_center.id) if item is not domain]
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
