"""Hosts to maintenance and back: activate, deactivate, and the states each goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, acted
from pytest_ovirt_release.lab.engine.fault import Fault, conflict
from pytest_ovirt_release.lab.engine.host_view import target_node
from pytest_ovirt_release.lab.engine.hosts import find_host
from pytest_ovirt_release.lab.engine.migration import nowhere_to_go
from pytest_ovirt_release.lab.engine.monitoring import bring_up
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.storage import disconnect, elect_spm

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Host

LEAVING_SECONDS = 2.4
IDLE_SECONDS = 1.8
"""A host that is not operational has less to give up."""

LEAVABLE = (
    *("up", "non_operational", "non_responsive", "down", "install_failed"),
    *("preparing_for_maintenance", "maintenance"),
)
"""A host that can be sent to maintenance, or be told that it is there."""

WAIT = "\nwait for operation to complete and retry."
IN_PROGRESS = "Related operation is currently in progress. Please try again later."


async def activate(core: Core, call: Call) -> Reply:
    """POST activate; even a pending host can be, which skips the installation."""
    host = find_host(core, call, "Cannot activate Host")
    with core.job(f"Invoking Activate Host {host.name}") as job:
        if host.busy:
            raise conflict(f"Cannot activate Host. {IN_PROGRESS}")
        if host.status == "up":
            raise conflict("Cannot activate Host. Host in Up status.")
        if not host.unique_id:
            raise conflict("Cannot activate Host. Host has no unique id.")
        returning = host.status == "maintenance"
        host.status, host.status_detail = "unassigned", None
        text = f"Activation of host {host.name} initiated by admin@internal-authz."
        core.event(16, text, call.correlation, host=host)
        core.spawn(bring_up(core, host, returning=returning))
    return acted(call, job, target_node(host, call.prefix))


async def deactivate(core: Core, call: Call) -> Reply:
    """POST deactivate: answers at once. VMs cannot be moved: where one runs, the host waits, and it is said so."""
    host = find_host(core, call, "Cannot maintenance Host")
    try:
        _check_leaving(core, host)
    except Fault as fault:
        core.event(14001, (fault.detail or "").strip("[]"), call.correlation)
        raise
    with core.job(f"Moving Host {host.name} to Maintenance"):
        was = host.status
        reason = call.body.text("reason")
        host.status, host.status_detail = "preparing_for_maintenance", reason or None
        if was == "non_responsive":
            host.status = "maintenance"  # there is nobody to ask
        elif was != "preparing_for_maintenance":
            core.spawn(_leave(core, host, was))
        if core.state.vms_on(host.id):
            text = (
                f"Host {host.name} cannot change into maintenance mode - not all Vms have been migrated "
                "successfully. Consider manual intervention: stopping/migrating Vms running on this host. "
                "(User: admin@internal-authz)."
            )
            core.event(602, text, call.correlation, host=host)
            raise conflict(f"Cannot maintenance Host. {nowhere_to_go(core, host)}")
        text = f"Host {host.name} was switched to Maintenance mode by admin@internal-authz"
        if reason:
            core.event(600, f"{text} (Reason: {reason}).", call.correlation, host=host)
        else:
            core.event(620, f"{text}.", call.correlation, host=host)
    return acted(call, None, target_node(host, call.prefix))


def _check_leaving(core: Core, host: Host) -> None:
    """Refuse what the engine refuses, in its order."""
    if host.status not in LEAVABLE:
        raise conflict("Cannot switch Host to Maintenance mode, Host is not operational.")
    vms = core.state.vms_on(host.id)
    fixed = [vm.name for vm in vms if vm.affinity == "pinned"]
    if fixed:
        raise conflict(
            f"Cannot switch the following Hosts to Maintenance mode: {host.name}.\n"
            "One or more running VMs are indicated as non-migratable. The non-migratable VMs are: "
            f"{' , '.join(fixed)}."
        )
    if host.status == "maintenance":
        raise conflict("Cannot switch Host to Maintenance mode. Host is already in Maintenance mode.")
    if host.spm_status == "contending":
        raise conflict(
            f"Cannot switch Host to Maintenance mode. Host is contending for Storage Pool Manager,{WAIT}"
        )
    if host.status == "non_responsive" and vms:
        raise conflict(
            "Cannot switch Host to Maintenance mode.\nHost still has running VMs on it and is in Non Responsive state."
        )
    _check_storage(core, host)
    if vms and not any(
        other.status == "up" and other.cluster == host.cluster and other is not host
        for other in core.state.hosts.values()
    ):
        raise conflict(
            f"The following hosts have running VMs and cannot be switched to maintenance mode: {host.name}.\n"
            "Please ensure that the following Clusters have at least one Host in UP state: "
            f"{core.state.clusters[host.cluster].name}."
        )


def _check_storage(core: Core, host: Host) -> None:
    """Refuse to let the manager of a storage pool go that cannot hand it over now."""
    if host.status == "non_responsive" and host.spm_status != "none":
        raise conflict(
            "Cannot switch Host to Maintenance mode.\nHost is Storage Pool Manager and is in Non Responsive state.\n"
            "- If power management is configured, engine will try to fence automatically.\n"
            "- Otherwise, either bring the node back up, or release the SPM resource.\n"
            "  To do so, verify that the node is really down by right clicking on the host and confirm that the node was "
            "shutdown manually."
        )
    data_center = core.state.data_center_of(host.cluster)
    is_spm = data_center is not None and data_center.spm == host.id
    if is_spm and data_center is not None and core.state.storage_tasks.get(data_center.id):
        raise conflict(f"Cannot switch Host to Maintenance mode. Host has asynchronous running tasks,{WAIT}")


async def _leave(core: Core, host: Host, was: str) -> None:
    """Hand the storage over, disconnect, rest. A local data center stays up without its host (recorded)."""
    while core.state.vms_on(host.id):
        await core.sleep(1)
    data_center = core.state.data_center_of(host.cluster)
    if data_center is not None and data_center.spm == host.id:
        await elect_spm(core, data_center, host)
    await core.sleep(LEAVING_SECONDS if was == "up" else IDLE_SECONDS)
    if data_center is not None:
        for domain in core.state.domains_in(data_center.id):
            await disconnect(core, host, domain)
    if host.status == "preparing_for_maintenance":
        host.status = "maintenance"


ROUTES = (
    Route("POST", "hosts/*/activate", activate, "action"),
    Route("POST", "hosts/*/deactivate", deactivate, "action"),
)
