"""The engine's eyes: hosts coming up and dropping out, and the VMs they run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.fitness import Misfit, misfit
from pytest_ovirt_release.lab.engine.storage import connect_host, elect_spm
from pytest_ovirt_release.lab.engine.vm_states import observe
from pytest_ovirt_release.lab.node.verbs import VdsmError, VmStats

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import Host, Vm

COMING_UP_SECONDS = 2.5
RETURNING_SECONDS = 2.8
"""From unassigned to up: after an installation, and back from maintenance."""

STALE_SECONDS = 23.0
"""What a host that was lost takes longer: the engine waits for its old connection to time out."""

MOMENT_SECONDS = 0.6
"""How long a host is up before the engine sees that its versions do not fit: 0.2 to 1 s."""

REFRESH_SECONDS = 3.0
HEARTBEAT_SECONDS = 7.0
"""From the first missing answer to connecting, about 10 s after the loss."""

SILENCE_SECONDS = 59.0
"""From connecting to non_responsive: 69 s after the loss."""

VM_SECONDS = 0.5
LEAST_PAUSE = 0.03
"""Shortest pause between two looks in real seconds, however fast the lab's clock runs."""

NO_SUCH_VM = 1
LOST = VmStats("Down", 1, "Lost connection with qemu process")


async def bring_up(core: Core, host: Host, *, returning: bool = False) -> None:
    """Take a host up that is unassigned or initializing: capabilities, event 13, its storage, its data center."""
    before = host.status
    await core.sleep(RETURNING_SECONDS if returning else COMING_UP_SECONDS)
    if host.lost:
        host.lost = False
        await core.sleep(STALE_SECONDS)
    if host.status != before or host.id not in core.state.hosts:
        return
    try:
        facts = await core.ask(core.node(host).host_get_capabilities())
    except VdsmError as error:
        host.status, host.lost = "non_responsive", True
        core.event(12, f"Host {host.name} is non responsive.", user="nobody", host=host)
        text = f"VDSM {host.name} command GetCapabilitiesVDS failed: {error.message}"
        core.event(10802, text, user="nobody", host=host)
        return
    cluster = core.state.clusters[host.cluster]
    if cluster.fit_to_host():
        text = f"Host cluster {cluster.name} was updated by system"
        core.event(835, text, user="SYSTEM", own=True, cluster=cluster)
    first, host.capabilities = host.capabilities is None, facts
    levels = ("4.2",) if "host-up-then-non-operational" in core.faults else facts.cluster_levels
    found = misfit(host, facts, cluster, levels)
    if found is not None and not found.after_up:
        _reject(core, host, found)
        return
    with core.job(f"Activating Host {host.name}"):
        if first:
            core.event(11501, f"No faulty multipath paths on host {host.name}", user="nobody", host=host)
        host.status = "up"
        core.event(13, f"Status of host {host.name} was set to Up.", user="SYSTEM", own=True, host=host)
    if found is not None:
        await core.sleep(MOMENT_SECONDS)
        _reject(core, host, found)
        return
    await reconnect_storage(core, host)


def _reject(core: Core, host: Host, found: Misfit) -> None:
    """Let a host be non operational, and say why; one that never was up is told to be so as well."""
    host.status, host.status_detail = "non_operational", found.detail
    for number in range(found.times):
        if number * 2 == found.times:
            _told_non_operational(core, host)
        core.event(found.code, found.text, user="SYSTEM", own=True, host=host)
    if found.times == 1 and not found.after_up:
        _told_non_operational(core, host)


def _told_non_operational(core: Core, host: Host) -> None:
    core.event(13, f"Status of host {host.name} was set to NonOperational.", user="nobody", host=host)


async def reconnect_storage(core: Core, host: Host) -> None:
    """Connect a host that came up to its data center's storage; the SPM role is taken when nobody has it."""
    data_center = core.state.data_center_of(host.cluster)
    if data_center is None:
        return
    active = [domain for domain in core.state.domains_in(data_center.id) if domain.status == "active"]
    alone = bool(active) and data_center.spm is None
    for domain in active:
        domain.status = "unknown" if alone else domain.status
        if not await connect_host(core, host, domain):
            return
    if alone:
        data_center.status = "contend"
        await elect_spm(core, data_center)
        data_center.status = "up"
        await core.sleep(REFRESH_SECONDS)
        for domain in active:
            if domain.status == "unknown":
                domain.status = "active"


async def watch_hosts(core: Core) -> None:
    """Ask every host that should answer, for as long as the engine runs."""
    silent: dict[str, float] = {}
    while True:
        await core.sleep(max(REFRESH_SECONDS, LEAST_PAUSE * 10 * core.clock.speed))
        for host in list(core.state.hosts.values()):
            if host.status in {"up", "connecting", "non_responsive"} and host.id in core.state.hosts:
                await _look_at(core, host, silent)


async def _look_at(core: Core, host: Host, silent: dict[str, float]) -> None:
    try:
        await core.ask(core.node(host).host_get_capabilities())
    except VdsmError:
        since = (time.monotonic() - silent.setdefault(host.id, time.monotonic())) * core.clock.speed
        if host.status == "up" and since >= HEARTBEAT_SECONDS:
            host.status = "connecting"
            text = (
                f"Host {host.name} is not responding. Host cannot be fenced automatically because power management "
                "for the host is disabled."
            )
            core.event(9027, text, user="nobody", host=host)
        elif host.status == "connecting" and since >= HEARTBEAT_SECONDS + SILENCE_SECONDS:
            host.status, host.lost = "non_responsive", True
            core.event(12, f"Host {host.name} is non responsive.", user="nobody", host=host)
        return
    silent.pop(host.id, None)
    if host.status in {"connecting", "non_responsive"}:
        host.status, host.lost = "up", False
        core.event(13, f"Status of host {host.name} was set to Up.", user="SYSTEM", own=True, host=host)
        # It may have been away for a reboot, and then it has forgotten what it was connected to.
        await reconnect_storage(core, host)


async def watch_vms(core: Core) -> None:
    """Ask the hosts for their VMs, for as long as the engine runs."""
    while True:
        await core.sleep(max(VM_SECONDS, LEAST_PAUSE * core.clock.speed))
        for vm in [vm for vm in core.state.vms.values() if vm.host is not None]:
            await _look_at_vm(core, vm)


async def _look_at_vm(core: Core, vm: Vm) -> None:
    host, started = core.state.hosts.get(vm.host or ""), vm.start_time
    if host is None:
        return
    node, stats = core.node(host), LOST
    try:
        stats = await core.ask(node.get_vm_stats(vm.id))
        if stats.status == "Down" and not vm.stopping and vm.start_time == started:
            # Before the engine shows it down: who sees that may start it again, on this host.
            await core.ask(node.destroy_vm(vm.id))
    except VdsmError as error:
        if error.code != NO_SUCH_VM:
            return
    # What was asked of an earlier run says nothing of this one.
    if vm.host == host.id and vm.start_time == started:
        observe(core, vm, stats)
