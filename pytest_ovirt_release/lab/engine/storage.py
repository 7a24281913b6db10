"""Storage behind the collections: connecting hosts, choosing the SPM, the pool's life, what vdsm's errors say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.fault import conflict
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.events import User
    from pytest_ovirt_release.lab.engine.state import DataCenter, Disk, Host, StorageDomain

from contextlib import asynccontextmanager

MOUNT_FAILED, NO_PERMISSION, CREATE_FAILED = 477, 469, 351
TEXTS = {
    MOUNT_FAILED: "Problem while trying to mount target",
    NO_PERMISSION: (
        "Permission settings on the specified path do not allow access to the storage.\n"
        "Verify permission settings on the specified storage path."
    ),
    CREATE_FAILED: "Error creating a storage domain",
}
CONTEND_SECONDS = 1.0
IN_PROCESS = ("locked", "activating", "preparing_for_maintenance", "detaching")
"""A domain in one of these is at work; what cannot be done meanwhile is refused as if it were held."""


def said(error: VdsmError) -> str:
    """Return what the engine makes of a host's error."""
    return TEXTS.get(error.code, error.message)


def wrong_status(what: str, domain: StorageDomain) -> Exception:
    """Return the refusal (`Cannot detach Storage`) that names a domain's status, in the back end's words."""
    words = "unknown" if domain.status == "unattached" else domain.status
    status = "".join(word.capitalize() for word in words.split("_"))
    return conflict(f"{what}. The relevant Storage Domain's status is {status}.")


def check_status(what: str, domain: StorageDomain, legal: tuple[str, ...]) -> None:
    """Refuse a command on a domain that is in none of its legal states."""
    if domain.status in legal:
        return
    if domain.status in IN_PROCESS:
        raise conflict(f"{what}. Related operation is currently in progress. Please try again later.")
    raise wrong_status(what, domain)


def check_ready(core: Core, what: str, cluster: str, disks: list[Disk]) -> None:
    """Refuse a VM's command while its storage is not ready.

    It is such a command that makes a data center elect an SPM: an election is no obstacle.
    """
    data_center = core.state.data_center_of(cluster)
    if data_center is None or data_center.status not in {"up", "contend"}:
        raise conflict(f"{what}. Unknown Data Center status.")
    legal = {"active", "unknown"} if data_center.status == "contend" else {"active"}
    for disk in disks:
        domain = core.state.storage_domains[disk.domain]
        if domain.status not in legal:
            raise wrong_status(what, domain)


def check_master(core: Core, action: str, data_center: DataCenter) -> None:
    """Refuse what needs the master domain of a data center to be active when it is not."""
    domains = core.state.domains_in(data_center.id)
    if not any(domain.master and domain.status == "active" for domain in domains):
        raise conflict(
            f"Failed to {action} Storage due to an error on the Data Center master Storage Domain.\n"
            "-Please activate the master Storage Domain first."
        )


def check_host(core: Core, what: str, data_center: DataCenter) -> None:
    """Refuse what needs a host of a data center to be up when none is."""
    if not core.state.hosts_in(data_center.id, "up"):
        raise conflict(f"{what}. There is no active Host in the Data Center.")


def inaccessible(action: str) -> Exception:
    """Return the refusal for a domain that is attached where it should not be."""
    return conflict(
        f"Cannot {action} Storage. The relevant Storage Domain is inaccessible.\n"
        "-Please handle Storage Domain issues and retry the operation."
    )


@asynccontextmanager
async def storage_task(core: Core, data_center: str | None) -> AsyncIterator[None]:
    """Count a storage task of a data center while it runs: its SPM may not leave meanwhile."""
    key = data_center or ""
    tasks = core.state.storage_tasks
    tasks[key] = tasks.get(key, 0) + 1
    try:
        yield
    finally:
        tasks[key] -= 1


async def connect_hosts(core: Core, data_center: DataCenter, domain: StorageDomain) -> None:
    """Connect every host of a data center that is up; one that cannot becomes non_operational."""
    for host in core.state.hosts_in(data_center.id, "up"):
        await connect_host(core, host, domain)


async def connect_host(core: Core, host: Host, domain: StorageDomain) -> bool:
    """Connect one host to a domain's storage; False when it could not and is non_operational now."""
    try:
        await core.ask(core.node(host).connect_storage_server(domain.connection))
    except VdsmError as error:
        text = f"VDSM {host.name} command ConnectStorageServerVDS failed: {said(error)}"
        core.event(10802, text, user="nobody", host=host)
        host.status, host.status_detail = "non_operational", "storage_domain_unreachable"
        core.event(13, f"Status of host {host.name} was set to NonOperational.", user="nobody", host=host)
        return False
    return True


async def disconnect_hosts(core: Core, data_center: DataCenter, domain: StorageDomain) -> None:
    """Disconnect every host of a data center from a domain's storage."""
    for host in core.state.hosts_in(data_center.id, "up"):
        await disconnect(core, host, domain)


async def disconnect(core: Core, host: Host, domain: StorageDomain) -> None:
    """Disconnect one host; a host that refuses is no obstacle, but the log says so."""
    try:
        await core.ask(core.node(host).disconnect_storage_server(domain.connection))
    except VdsmError as error:
        text = f"VDSM {host.name} command DisconnectStorageServerVDS failed: {said(error)}"
        core.event(10802, text, user="nobody", host=host)


async def elect_spm(core: Core, data_center: DataCenter, leaving: Host | None = None) -> Host | None:
    """Give the storage of a data center to one of its hosts; None when no other is up."""
    if leaving is not None:
        leaving.spm_status = "none"
    data_center.spm = None
    candidates = [host for host in core.state.hosts_in(data_center.id, "up") if host is not leaving]
    if not candidates:
        return None
    chosen = candidates[0]
    chosen.spm_status = "contending"
    await core.sleep(CONTEND_SECONDS)
    chosen.spm_status = "spm"
    data_center.spm = chosen.id
    # The engine writes the address where the name should stand (recorded).
    text = (
        f"Storage Pool Manager runs on Host {chosen.address} (Address: {chosen.address}), "
        f"Data Center {data_center.name}."
    )
    core.event(204, text, user="nobody", host=chosen)
    return chosen


async def until_elected(core: Core, domain_id: str) -> None:
    """Wait while the data center of a domain takes an SPM: who wants something of it waits as long."""
    domain = core.state.storage_domains.get(domain_id)
    data_center = core.state.data_centers.get((domain.data_center if domain else None) or "")
    while data_center is not None and data_center.status == "contend":
        await core.sleep(CONTEND_SECONDS / 5)


def initialising(core: Core, data_center: DataCenter) -> None:
    """Log that a data center is about to have its storage managed."""
    host = next(iter(core.state.hosts_in(data_center.id, "up")), None)
    text = "Data Center is being initialized, please wait for initialization to complete."
    core.event(986, text, user="SYSTEM", own=True, data_center=data_center, host=host)


async def initialise_pool(
    core: Core, data_center: DataCenter, domain: StorageDomain, user: User = "admin"
) -> None:
    """Attach the first data domain: the data center comes up with it as master."""
    domain.data_center, domain.status, domain.master = data_center.id, "locked", True
    host = next(iter(core.state.hosts_in(data_center.id, "up")), None)
    data_center.status = "maintenance"
    await core.sleep(0.2)
    initialising(core, data_center)
    data_center.status = "contend"
    spm = await elect_spm(core, data_center)
    data_center.status = "maintenance"
    await core.sleep(0.1)
    domain.status = "active"
    data_center.status = "up" if spm is not None else "not_operational"
    who = "SYSTEM" if user == "SYSTEM" else "admin@internal-authz"
    text = f"Storage Domain {domain.name} (Data Center {data_center.name}) was activated by {who}"
    core.event(966, text, user=user, own=True, domain=domain)
    text = f"Storage Domains were attached to Data Center {data_center.name} by {who}"
    core.event(1002, text, user=user, own=True, host=host, data_center=data_center)


async def format_domain(core: Core, domain: StorageDomain, host: Host) -> None:
    """Remove a domain's files through a host that is connected for as long as it takes."""
    node = core.node(host)
    await core.ask(node.connect_storage_server(domain.connection))
    try:
        await core.ask(node.format_storage_domain(domain.id))
    finally:
        if domain.connection.type == "nfs":
            await disconnect(core, host, domain)


def forget_domain(core: Core, domain: StorageDomain) -> None:
    """Drop a domain and the disks on it from the engine's own records."""
    core.state.storage_domains.pop(domain.id, None)
    forget_disks(core, domain)


def forget_disks(core: Core, domain: StorageDomain) -> None:
    """Drop the disks on a domain that leaves: they are no longer registered."""
    gone = {disk.id for disk in core.state.disks.values() if disk.domain == domain.id}
    for id_ in gone:
        del core.state.disks[id_]
    for vm in core.state.vms.values():
        vm.attachments = [attachment for attachment in vm.attachments if attachment.disk not in gone]
