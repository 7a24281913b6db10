"""What is done to a host: approve, activate, deactivate, refresh, and the states each goes through."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, acted
from pytest_ovirt_release.lab.engine.document import link
from pytest_ovirt_release.lab.engine.fault import Fault, bad, conflict, not_implemented, nothing_said
from pytest_ovirt_release.lab.engine.hosts import PLAY_SECONDS, PLAY_TASKS, change_cluster
from pytest_ovirt_release.lab.engine.migration import nowhere_to_go
from pytest_ovirt_release.lab.engine.monitoring import bring_up, reconnect_storage
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.engine.storage import disconnect, elect_spm
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.document import Node
    from pytest_ovirt_release.lab.engine.state import Host

APPROVABLE = ("pending_approval", "install_failed", "installing_os")
REBOOT_SECONDS = 30.0
"""The engine probes a rebooting host every 30 s and it is back at the first probe."""

LEAVING_SECONDS = 2.0
IN_PROGRESS = "Related operation is currently in progress. Please try again later."
WRONG_STATUS = (
    "Cannot approve RHVH Host.\n"
    '-Host must be in "Pending Approval" or "Install Failed" status in order to be approved.'
)


def _find(core: Core, call: Call, verb: str) -> Host:
    """Return the host; an action on an unknown one is a refusal, not a 404."""
    host = core.state.hosts.get(call.ids[0])
    if host is None:
        raise bad(f"Cannot {verb} Host - Host does not exists.")
    return host


def _target(host: Host, prefix: str) -> Node:
    return link("host", f"{prefix}/hosts/{host.id}", host.id)


async def approve(core: Core, call: Call) -> Reply:
    """POST approve: the whole installation happens within the request."""
    host = _find(core, call, "approve")
    for credential in ("root_password", "ssh"):
        if call.body.child(credential) is not None:
            raise not_implemented(f"{call.method} {call.path} with {credential}")
    cluster = call.body.child("cluster")
    if host.status in APPROVABLE and cluster is not None:
        change_cluster(core, host, cluster, call.correlation)
        text = f"Host {host.name} configuration was updated by admin@internal-authz."
        core.event(43, text, call.correlation, host=host)
    if host.status not in APPROVABLE or host.busy:
        raise conflict(WRONG_STATUS)
    activate, reboot = call.option("activate", default=True), call.option("reboot", default=True)
    with core.job(f"Adding new Host {host.name} (Approve process) to Cluster <UNKNOWN>") as job:
        host.busy = True
        try:
            await _install(core, host, call.correlation)
            if reboot and activate:
                await _reboot(core, host)
        finally:
            host.busy = False
        host.status = "unassigned" if activate else "maintenance"
        text = f"Host {host.name} was successfully approved by user admin@internal-authz."
        core.event(498, text, call.correlation, host=host)
        if activate:
            core.spawn(bring_up(core, host))
    return acted(call, job, _target(host, call.prefix))


async def _install(core: Core, host: Host, correlation: str) -> None:
    """Run the play: a real login with the engine's key; what goes wrong is told by event 505 only."""
    host.status, host.status_detail, host.reinstallation_required = "installing", None, False
    started = f"Ansible host-deploy playbook execution has started on host {host.name}."
    core.event(560, started, correlation, user="nobody", host=host)
    await core.sleep(PLAY_SECONDS / 2)
    _task(core, host, PLAY_TASKS[0], correlation)
    try:
        if "approve-fails" in core.faults:
            raise VdsmError(1, "the package repository holds no vdsm for this release")  # noqa: TRY301 - one way out
        await core.ask(core.ssh.deploy(host.address, host.ssh_port))
    except Exception as error:
        # Whatever a login or the remote command ran into, the installation failed; the log keeps the cause.
        log_file = _write_log(core, host, correlation, f"{type(error).__name__}: {error}")
        host.status, host.reinstallation_required = "install_failed", True
        text = (
            f"Host {host.name} installation failed. Task {PLAY_TASKS[1]} failed to execute. Please check logs for "
            f"more details: {log_file}."
        )
        core.event(505, text, correlation, host=host)
        raise nothing_said() from error
    for task in PLAY_TASKS[1:]:
        _task(core, host, task, correlation)
    await core.sleep(PLAY_SECONDS / 2)
    text = f"Ansible host-deploy playbook execution has successfully finished on host {host.name}."
    core.event(561, text, correlation, user="nobody", host=host)


def _task(core: Core, host: Host, task: str, correlation: str) -> None:
    core.event(559, f"Installing Host {host.name}. {task}.", correlation, user="nobody", host=host)


def _write_log(core: Core, host: Host, correlation: str, text: str) -> str:
    when = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    folder = core.folder / "host-deploy"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"ovirt-host-deploy-ansible-{when}-{host.address}-{correlation}.log"
    path.write_text(text + "\n", encoding="utf-8")
    return str(path)


async def _reboot(core: Core, host: Host) -> None:
    host.status = "reboot"
    await core.sleep(REBOOT_SECONDS)
    text = f"Host {host.name} was restarted using SSH by the engine."
    core.event(197, text, user="SYSTEM", own=True, host=host)


async def activate(core: Core, call: Call) -> Reply:
    """POST activate; even a pending host can be, which skips the installation."""
    host = _find(core, call, "activate")
    if host.busy:
        raise conflict(f"Cannot activate Host. {IN_PROGRESS}")
    if host.status == "up":
        raise conflict("Cannot activate Host. Host in Up status.")
    with core.job(f"Activating Host {host.name}") as job:
        returning = host.status == "maintenance"
        host.status, host.status_detail = "unassigned", None
        text = f"Activation of host {host.name} initiated by admin@internal-authz."
        core.event(16, text, call.correlation, host=host)
        core.spawn(bring_up(core, host, returning=returning))
    return acted(call, job, _target(host, call.prefix))


async def deactivate(core: Core, call: Call) -> Reply:
    """POST deactivate: answers at once; VMs are not moved, so a host that runs one is refused."""
    host = _find(core, call, "switch")
    try:
        _check_leaving(core, host)
    except Fault as fault:
        core.event(14001, (fault.detail or "").strip("[]"), call.correlation)
        raise
    with core.job(f"Moving Host {host.name} to Maintenance"):
        host.status, host.status_detail = "preparing_for_maintenance", None
        reason = call.body.text("reason")
        text = f"Host {host.name} was switched to Maintenance mode by admin@internal-authz"
        if reason:
            core.event(600, f"{text} (Reason: {reason}).", call.correlation, host=host)
        else:
            core.event(620, f"{text}.", call.correlation, host=host)
        core.spawn(_leave(core, host))
    return acted(call, None, _target(host, call.prefix))


def _check_leaving(core: Core, host: Host) -> None:
    if host.status in {"maintenance", "preparing_for_maintenance"}:
        raise conflict("Cannot switch Host to Maintenance mode. Host is already in Maintenance mode.")
    if host.status not in {"up", "non_operational", "non_responsive", "unassigned"}:
        raise conflict("Cannot switch Host to Maintenance mode, Host is not operational.")
    data_center = core.state.data_center_of(host.cluster)
    is_spm = data_center is not None and data_center.spm == host.id
    if is_spm and data_center is not None and core.state.storage_tasks.get(data_center.id):
        raise conflict(
            "Cannot switch Host to Maintenance mode. Host has asynchronous running tasks,\n"
            "wait for operation to complete and retry."
        )
    if core.state.vms_on(host.id):
        raise conflict(f"Cannot maintenance Host. {nowhere_to_go(core, host)}")


async def _leave(core: Core, host: Host) -> None:
    """Hand the storage over, disconnect, rest. A local data center stays up without its host (recorded)."""
    data_center = core.state.data_center_of(host.cluster)
    if data_center is not None and data_center.spm == host.id:
        await elect_spm(core, data_center, host)
    await core.sleep(LEAVING_SECONDS)
    if data_center is not None:
        for domain in core.state.domains_in(data_center.id):
            await disconnect(core, host, domain)
    if host.status == "preparing_for_maintenance":
        host.status = "maintenance"


async def refresh(core: Core, call: Call) -> Reply:
    """POST refresh: read the capabilities again."""
    host = _find(core, call, "refresh")
    if host.status != "up":
        raise conflict(f"Cannot refresh Host. Host is in {host.status} status.")
    try:
        host.capabilities = await core.ask(core.node(host).host_get_capabilities())
    except VdsmError as error:
        raise nothing_said() from error
    text = f"Successfully refreshed the capabilities of host {host.name}."
    core.event(606, text, own=True, host=host)
    await reconnect_storage(core, host)
    return acted(call, None, _target(host, call.prefix))


ROUTES = (
    Route("POST", "hosts/*/approve", approve, "action"),
    Route("POST", "hosts/*/activate", activate, "action"),
    Route("POST", "hosts/*/deactivate", deactivate, "action"),
    Route("POST", "hosts/*/refresh", refresh, "action"),
)
