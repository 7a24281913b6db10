"""The smaller actions of a host: refresh, upgradecheck, fence, forceselectspm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.call import Call, Reply, acted
from pytest_ovirt_release.lab.engine.fault import (
    BAD_REQUEST,
    Fault,
    bad,
    conflict,
    incomplete,
    not_implemented,
    nothing_said,
)
from pytest_ovirt_release.lab.engine.host_view import target_node
from pytest_ovirt_release.lab.engine.hosts import find_host
from pytest_ovirt_release.lab.engine.monitoring import reconnect_storage
from pytest_ovirt_release.lab.engine.router import Route
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core

FENCE_TYPES = ("manual", "restart", "start", "stop", "status")
REFRESHABLE = ("up", "maintenance", "non_operational")
CONFIRMABLE = ("non_operational", "maintenance", "connecting", "non_responsive")


async def refresh(core: Core, call: Call) -> Reply:
    """POST refresh: read the capabilities again."""
    host = core.state.hosts.get(call.ids[0])
    if host is None:
        raise bad("The selected Host does not exist.")
    if host.status not in REFRESHABLE:
        raise conflict(
            "Cannot refresh Host capabilities. Operation can be performed only when Host status is Up, Maintenance or "
            "Non operational."
        )
    try:
        host.capabilities = await core.ask(core.node(host).host_get_capabilities())
    except VdsmError as error:
        raise nothing_said() from error
    text = f"Successfully refreshed the capabilities of host {host.name}."
    core.event(606, text, own=True, host=host)
    if host.status == "up":
        await reconnect_storage(core, host)
    return acted(call, None, target_node(host, call.prefix))


async def check_upgrade(core: Core, call: Call) -> Reply:
    """POST upgradecheck: it is started; the lab has no packages that it could find."""
    host = find_host(core, call, "Cannot check for upgrade Host")
    if host.status not in {"up", "non_operational"}:
        raise conflict(
            "Cannot check for upgrade Host. Valid Host statuses for upgrade check are Up or Non-Operational."
        )
    text = f"Started to check for available updates on host {host.name}."
    core.event(884, text, call.correlation, host=host)
    return acted(call, None, target_node(host, call.prefix))


async def fence(core: Core, call: Call) -> Reply:
    """POST fence: no host of the lab has power management, so every kind is refused."""
    asked = call.body.text("fence_type")
    if asked is None:
        raise incomplete("Action", ["fence_type"], "fence")
    if asked.lower() not in FENCE_TYPES:
        text = f"{asked.upper()} is not a member of FenceType. Possible values for FenceType are: {', '.join(FENCE_TYPES)}"
        raise Fault(BAD_REQUEST, text, "Invalid value", bare=True)
    kind = asked.lower()
    host = find_host(core, call, f"Cannot {kind} Host")
    if kind == "manual" and host.status not in CONFIRMABLE:
        raise conflict(
            "Cannot confirm 'Host has been rebooted' Host. Valid Host statuses are \"Non operational\", "
            '"Maintenance" or "Connecting".'
        )
    if kind in {"manual", "status"}:
        raise not_implemented(f"{call.method} {call.path} with {kind}")
    doing = {"restart": "Restarting", "start": "Starting", "stop": "Stopping"}[kind]
    with core.job(f"{doing} Host {host.name} (Fencing) on Cluster <UNKNOWN>"):
        raise conflict(
            f"Cannot fence Host, Host fence is disabled., Cannot {kind} Host. Fence operation failed."
        )


async def select_spm(core: Core, call: Call) -> Reply:
    """POST forceselectspm: of a host that is up, in a data center that is up."""
    host = find_host(core, call, "Cannot force select SPM")
    data_center = core.state.data_center_of(host.cluster)
    name = data_center.name if data_center is not None else "<UNKNOWN>"
    with core.job(f"Force selecting {host.name} as SPM for Data Center {name}"):
        if host.status != "up":
            raise conflict(f"Cannot force select SPM. The Host {host.name} is not active.")
        if data_center is None:
            raise conflict("Cannot force select SPM. The Host is not a part of a Storage Pool.")
        if host.spm_status != "none":
            raise conflict(f"Cannot force select SPM. The Host {host.name} is already SPM or contending.")
        if data_center.status != "up":
            raise conflict("Cannot force select SPM. Unknown Data Center status.")
        if core.state.storage_tasks.get(data_center.id):
            raise conflict("Cannot force select SPM. The Storage Pool has running tasks.")
        raise not_implemented(f"{call.method} {call.path} of another host than the SPM")


ROUTES = (
    Route("POST", "hosts/*/refresh", refresh, "action"),
    Route("POST", "hosts/*/upgradecheck", check_upgrade, "action"),
    Route("POST", "hosts/*/fence", fence, "action"),
    Route("POST", "hosts/*/forceselectspm", select_spm, "action"),
)
