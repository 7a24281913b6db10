"""A storage domain leaving its data center: deactivate, detach, and what becomes of the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.attached_domains import find, target
from pytest_ovirt_release.lab.engine.call import Call, Reply, acted, removed
from pytest_ovirt_release.lab.engine.fault import bad, conflict
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.storage import (
    CONTEND_SECONDS,
    disconnect_hosts,
    elect_spm,
    forget_disks,
    forget_domain,
    format_domain,
    said,
    storage_task,
    wrong_status,
)
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import DataCenter, Host, StorageDomain

DEACTIVATABLE = ("active", "inactive", "unknown")
OVF_SECONDS = 3.0
"""How long the OVF store is written before a domain leaves: the recorded pace is the slow poll of its tasks."""

LEAVING_SECONDS = 2.0


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
        await _write_ovf_store(core, domain, correlation)
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


async def _write_ovf_store(core: Core, domain: StorageDomain, correlation: str) -> None:
    if domain.type != "data":
        return
    first, domain.ovf_store = not domain.ovf_store, True
    texts = (
        (2036, "Add-Disk operation of 'OVF_STORE' was initiated by the system."),
        (2021, "The disk 'OVF_STORE' was successfully added."),
    )
    for code, text in texts:
        for _ in range(2 if first else 0):
            core.event(code, text, correlation, domain=domain)
        await core.sleep(OVF_SECONDS / 2)


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
        if local:
            try:
                await format_domain(core, domain, hosts[0])
            except VdsmError as error:
                domain.status = "maintenance"
                raise bad(said(error)) from error
        text = f"Storage Domain {domain.name} was detached from Data Center {data_center.name}"
        correlation = None if local else call.correlation
        core.event(964, f"{text} by admin@internal-authz", correlation, own=local, domain=domain)
        _gone(core, call, domain, hosts[0], local=local)
    if not others:
        core.spawn(_uninitialise(core, data_center))
    return removed(call, job)


async def _empty_pool(core: Core, data_center: DataCenter, domain: StorageDomain) -> None:
    """Contend once more to let the last master go."""
    domain.status, data_center.status = "locked", "contend"
    await elect_spm(core, data_center)
    data_center.status = "maintenance"


def _gone(core: Core, call: Call, domain: StorageDomain, host: Host, *, local: bool) -> None:
    if local:
        text = f"Storage Domain {domain.name} was removed by admin@internal-authz"
        core.event(960, text, call.correlation, domain=domain, host=host)
        forget_domain(core, domain)
    else:
        forget_disks(core, domain)
        domain.data_center, domain.status, domain.master = None, "unattached", False


async def _uninitialise(core: Core, data_center: DataCenter) -> None:
    await core.sleep(CONTEND_SECONDS / 5)
    for host in core.state.hosts_in(data_center.id):
        host.spm_status = "none"
    data_center.spm, data_center.status = None, "uninitialized"


ROUTES = (
    Route("DELETE", "datacenters/*/storagedomains/*", detach),
    Route("POST", "datacenters/*/storagedomains/*/deactivate", deactivate, "action"),
)
