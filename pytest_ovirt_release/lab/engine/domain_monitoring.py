"""What hosts report of the storage domains, and what the engine makes of it.

A domain that a host reports with an error, or not at all, is in problem; the host is connected to it once more. After
StorageDomainFailureTimeoutInMinutes (5) the engine decides who is to blame: while other hosts see the domain, the
hosts that do not become non_operational; when no host sees it, the domain becomes inactive. A master domain hands
its role to another active one first. An inactive domain that a host sees again is active, without an event.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.monitoring import LEAST_PAUSE, bring_up
from pytest_ovirt_release.lab.engine.storage import elect_spm
from pytest_ovirt_release.lab.node.verbs import VdsmError

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import DataCenter, Host, StorageDomain
    from pytest_ovirt_release.lab.node.verbs import HostStats

STATS_SECONDS = 15.0
FAILURE_SECONDS = 300.0
RECOVERY_SECONDS = 300.0
"""The engine tries every 5 minutes to activate what it has made non_operational (AutoRecoverySchedule)."""

UNREACHABLE = "storage_domain_unreachable"


async def watch_domains(core: Core) -> None:
    """Ask every host for its statistics, for as long as the engine runs."""
    troubled: dict[str, float] = {}
    while True:
        await core.sleep(max(STATS_SECONDS, LEAST_PAUSE * core.clock.speed))
        for data_center in list(core.state.data_centers.values()):
            if data_center.status in {"up", "not_operational"}:
                await _look_at(core, data_center, troubled)


async def _look_at(core: Core, data_center: DataCenter, troubled: dict[str, float]) -> None:
    asked = core.state.hosts_in(data_center.id, "up")
    answers = await asyncio.gather(*(_report(core, host) for host in asked))
    reports = {host.id: told for host, told in zip(asked, answers, strict=True) if told is not None}
    hosts = [host for host in core.state.hosts_in(data_center.id, "up") if host.id in reports]
    for domain in core.state.domains_in(data_center.id):
        blind = [host for host in hosts if reports[host.id].domains.get(domain.id) != 0]
        seeing = [host for host in hosts if host not in blind]
        if domain.status == "inactive" and seeing:
            await _return(core, data_center, domain)
        elif domain.status not in {"active", "unknown"} or not blind:
            troubled.pop(domain.id, None)
        elif (
            time.monotonic() - troubled.setdefault(domain.id, time.monotonic())
        ) * core.clock.speed < FAILURE_SECONDS:
            await _connect_again(core, blind, domain)
        else:
            del troubled[domain.id]
            await _blame(core, data_center, domain, blind, seeing)


async def _report(core: Core, host: Host) -> HostStats | None:
    """Return a host's statistics; one that does not answer is another watcher's business."""
    with suppress(VdsmError):
        return await core.ask(core.node(host).get_stats())
    return None


async def _connect_again(core: Core, blind: list[Host], domain: StorageDomain) -> None:
    for host in blind:
        with suppress(VdsmError):
            await core.ask(core.node(host).connect_storage_server(domain.connection))


async def _blame(
    core: Core, data_center: DataCenter, domain: StorageDomain, blind: list[Host], seeing: list[Host]
) -> None:
    if not seeing:
        await _deactivate(core, data_center, domain)
        return
    for host in blind if domain.type == "data" else ():
        host.status, host.status_detail = "non_operational", UNREACHABLE
        text = (
            f"Host {host.name} cannot access the Storage Domain(s) {domain.name} attached to the Data Center "
            f"{data_center.name}. Setting Host state to Non-Operational."
        )
        core.event(522, text, user="SYSTEM", own=True, host=host)
        core.spawn(_recover(core, host))
        if data_center.spm == host.id:
            await elect_spm(core, data_center, host)


async def _deactivate(core: Core, data_center: DataCenter, domain: StorageDomain) -> None:
    domain.status = "inactive"
    if not domain.master:
        text = (
            f"Storage Domain {domain.name} (Data Center {data_center.name}) was deactivated by system because it's not "
            "visible by any of the hosts."
        )
        core.event(970, text, user="SYSTEM", own=True, domain=domain)
        return
    others = [
        item
        for item in core.state.domains_in(data_center.id)
        if item.status == "active" and item.type == "data"
    ]
    if others:
        domain.master, others[0].master = False, True
        text = f"Reconstruct Master Domain for Data Center {data_center.name} completed."
        core.event(984, text, user="SYSTEM", own=True, data_center=data_center)
        await elect_spm(core, data_center)
        return
    data_center.status = "not_operational"
    text = (
        f"No valid Data Storage Domains are available in Data Center {data_center.name} (please check your storage "
        "infrastructure)."
    )
    core.event(983, text, user="SYSTEM", own=True, data_center=data_center)
    spm = core.state.hosts.get(data_center.spm or "")
    if spm is not None:
        spm.spm_status, data_center.spm = "none", None


async def _return(core: Core, data_center: DataCenter, domain: StorageDomain) -> None:
    """Let a domain be active again; with its master the data center comes back, and takes an SPM."""
    domain.status = "active"
    if domain.master and data_center.status == "not_operational":
        data_center.status = "contend"
        await elect_spm(core, data_center)
        data_center.status = "up"


async def _recover(core: Core, host: Host) -> None:
    """Activate a host again that lost its storage; if that is still gone, it ends where it was."""
    while host.status_detail == UNREACHABLE:
        await core.sleep(RECOVERY_SECONDS)
        if host.status != "non_operational" or host.id not in core.state.hosts:
            return
        core.event(9502, f"Host {host.name} was autorecovered.", user="SYSTEM", own=True, host=host)
        host.status, host.status_detail = "unassigned", None
        await bring_up(core, host, returning=True)
