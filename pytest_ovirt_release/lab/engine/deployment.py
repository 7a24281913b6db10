"""What installs a host that the engine knows: approve (within the request) and install (behind it)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, acted, get
from pytest_ovirt_release.lab.engine.fault import bad, conflict, nothing_said
from pytest_ovirt_release.lab.engine.host_view import target_node
from pytest_ovirt_release.lab.engine.hosts import change_cluster, updated
from pytest_ovirt_release.lab.engine.installing import (
    InstallFailed,
    Login,
    copy_key,
    login,
    no_password,
    play,
    reboot,
)
from pytest_ovirt_release.lab.engine.monitoring import bring_up
from pytest_ovirt_release.lab.engine.router import Route

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Host

APPROVABLE = ("pending_approval", "install_failed", "installing_os")
INSTALLABLE = ("maintenance", "install_failed", "installing_os", "non_operational")
WRONG_STATUS = (
    "Cannot approve RHVH Host.\n"
    '-Host must be in "Pending Approval" or "Install Failed" status in order to be approved.'
)


async def approve(core: Core, call: Call) -> Reply:
    """POST approve: the whole installation happens within the request."""
    host = core.state.hosts.get(call.ids[0])
    cluster = call.body.child("cluster")
    if cluster is not None:
        # A move is an update of its own, made before the host's state is looked at.
        host = get(core.state.hosts, call.ids[0])
        change_cluster(core, host, cluster, call.correlation)
        updated(core, host, call.correlation)
    name = host.name if host is not None else call.ids[0]
    with core.job(f"Adding new Host {name} (Approve process) to Cluster <UNKNOWN>") as job:
        if host is None:
            raise bad("Cannot approve Host - Host does not exists.")
        if host.status not in APPROVABLE or host.busy:
            raise conflict(WRONG_STATUS)
        await _approve(core, call, host)
    return acted(call, job, target_node(host, call.prefix))


async def _approve(core: Core, call: Call, host: Host) -> None:
    activate, rebooting = call.option("activate", default=True), call.option("reboot", default=True)
    how = login(call.body)
    host.busy = True
    host.status, host.status_detail, host.reinstallation_required = "installing", None, False
    try:
        if how.password:
            await copy_key(core, host, how, call.correlation)
        await play(core, host, call.correlation)
        if rebooting and activate:
            await reboot(core, host)
    except InstallFailed as failure:
        raise nothing_said() from failure
    finally:
        host.busy = False
    host.status = "unassigned" if activate else "maintenance"
    text = f"Host {host.name} was successfully approved by user admin@internal-authz."
    core.event(498, text, call.correlation, host=host)
    if activate:
        core.spawn(bring_up(core, host))


async def install(core: Core, call: Call) -> Reply:
    """POST install: answers at once, the installation goes on behind it."""
    host = get(core.state.hosts, call.ids[0])
    how = login(call.body)
    if host.status not in INSTALLABLE or host.busy:
        raise conflict("Cannot install Host. Please move Host to Maintenance mode first.")
    if how.empty:
        raise no_password()
    updated(core, host, call.correlation)
    host.busy = True
    host.status, host.status_detail, host.reinstallation_required = "installing", None, False
    core.spawn(_reinstall(core, call, host, how))
    return acted(call, None, target_node(host, call.prefix))


async def _reinstall(core: Core, call: Call, host: Host, how: Login) -> None:
    activate, rebooting = call.option("activate", default=False), call.option("reboot", default=True)
    try:
        with core.job(f"Installing Host {host.name}"):
            if how.password:
                await copy_key(core, host, how, call.correlation)
            await installed(core, host, call.correlation, activate=activate, rebooting=rebooting)
    except InstallFailed:
        return
    finally:
        host.busy = False


async def installed(  # noqa: PLR0913 - an installation and its options
    core: Core,
    host: Host,
    correlation: str,
    *,
    activate: bool,
    rebooting: bool,
    fetch_id: bool = False,
) -> None:
    """Install a host behind a request: the play, the reboot, event 504, and up or to rest."""
    await play(core, host, correlation, fetch_id=fetch_id)
    if rebooting:
        await reboot(core, host)
    core.event(504, f"Host {host.name} installed", correlation, host=host)
    host.status = "initializing" if activate else "maintenance"
    if activate:
        core.spawn(bring_up(core, host))


ROUTES = (
    Route("POST", "hosts/*/approve", approve, "action"),
    Route("POST", "hosts/*/install", install, "action"),
)
