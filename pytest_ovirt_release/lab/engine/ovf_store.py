"""The OVF store: two disks on every data domain, in which the engine keeps what it knows of the VMs there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_ovirt_release.lab.engine.storage import storage_task

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.engine.core import Core
    from pytest_ovirt_release.lab.engine.state import DataCenter, StorageDomain

LOOK_SECONDS, MADE_SECONDS, NEXT_SECONDS, WRITTEN_SECONDS = 1.0, 15.0, 2.0, 4.0
"""Before a domain leaves: until the engine sees that disks are lacking, until the first is made (it polls its tasks
slowly), until the next one is, and until both are written."""

UNCHANGED_SECONDS = 1.0
"""Until the engine goes on when there was nothing to write."""

TASK_SECONDS, POLL_SECONDS, DONE_SECONDS = 4.0, 3.5, 2.4
"""Of new disks: how long the host has tasks, then until the engine looks for its SPM, then until they are done."""

BETWEEN_DISKS = 0.1
DISKS = 2
ADDING = "Add-Disk operation of 'OVF_STORE' was initiated by the system."
ADDED = "The disk 'OVF_STORE' was successfully added."


async def write_ovf_store(
    core: Core, data_center: DataCenter, domain: StorageDomain, correlation: str
) -> None:
    """Write it before a domain leaves; its disks are made when it has none."""
    if domain.type != "data":
        return
    first, domain.ovf_store = not domain.ovf_store, True
    await core.sleep(LOOK_SECONDS)
    if not first:
        text = f"OVFs update was ignored - nothing to update for storage domain '{domain.name}'"
        core.event(1052, text, correlation, domain=domain)
        await core.sleep(UNCHANGED_SECONDS)
        return
    for _ in range(DISKS):
        core.event(2036, ADDING, correlation, domain=domain, data_center=data_center)
    await core.sleep(MADE_SECONDS)
    core.event(2021, ADDED, correlation, domain=domain, data_center=data_center)
    await core.sleep(NEXT_SECONDS)
    core.event(2021, ADDED, correlation, domain=domain, data_center=data_center)
    await core.sleep(WRITTEN_SECONDS)


def update_ovf_stores(core: Core, data_center: DataCenter) -> None:
    """Make the disks of the domains that stay and have none: a domain's detachment makes the engine do so."""
    lacking = [
        domain
        for domain in core.state.domains_in(data_center.id)
        if domain.type == "data" and domain.status == "active" and not domain.ovf_store
    ]
    if lacking:
        core.spawn(_make_disks(core, data_center, lacking))


async def _make_disks(core: Core, data_center: DataCenter, domains: list[StorageDomain]) -> None:
    correlations = {domain.id: core.ids.word("command") for domain in domains}

    def tell(domain: StorageDomain, code: int, text: str) -> None:
        core.event(code, text, correlations[domain.id], user="SYSTEM", domain=domain, data_center=data_center)

    async with storage_task(core, data_center.id):
        for domain in domains:
            domain.ovf_store = True
            for _ in range(DISKS):
                tell(domain, 2036, ADDING)
                await core.sleep(BETWEEN_DISKS)
        await core.sleep(TASK_SECONDS)
    await core.sleep(POLL_SECONDS)
    lost = data_center.spm is None
    await core.sleep(0 if lost else DONE_SECONDS)
    for domain in domains:
        domain.ovf_store = not lost
        for _ in range(DISKS):
            if not lost:
                tell(domain, 2021, ADDED)
                continue
            tell(domain, 2022, "Add-Disk operation failed to complete.")
            text = (
                f"Failed to create OVF store disk for Storage Domain {domain.name}.\n The Disk with the id {core.ids.uuid('disk')} "
                "might be removed manually for automatic attempt to create new one. \n OVF updates won't be attempted "
                "on the created disk."
            )
            tell(domain, 191, text)
