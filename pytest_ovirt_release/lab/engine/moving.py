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

ACTIVE = ("up", "non_operational", "non_responsive", "unassigned")
IN_PROGRESS = "Related operation is currently in progress. Please try again later."


async def activate(core: Core, call: Call) -> Reply:
    """POST activate; even a pending host can be, which skips the installation."""
    host = find_host(core, call, "activate Host")
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
    host = find_host(core, call, "switch Host to Maintenance mode")
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
        else:
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
    if host.status in {"maintenance", "preparing_for_maintenance"}:
        raise conflict("Cannot switch Host to Maintenance mode. Host is already in Maintenance mode.")
    if host.status not in ACTIVE:
        raise conflict("Cannot switch Host to Maintenance mode, Host is not operational.")
    data_center = core.state.data_center_of(host.cluster)
    is_spm = data_center is not None and data_center.spm == host.id
    if is_spm and data_center is not None and core.state.storage_tasks.get(data_center.id):
        raise conflict(
            "Cannot switch Host to Maintenance mode. Host has asynchronous running tasks,\n"
            "wait for operation to complete and retry."
        )


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
