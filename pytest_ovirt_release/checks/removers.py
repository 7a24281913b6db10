"""How each kind of object is removed: steps that can be repeated, each with a deadline."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.database import remove_database
from pytest_ovirt_release.checks.engine import EngineFault
from pytest_ovirt_release.checks.origin import name_on_storage
from pytest_ovirt_release.checks.removing import GONE, Removing
from pytest_ovirt_release.errors import ReleaseError, Unproven

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.engine.facts import Host
    from pytest_ovirt_release.checks.ledger import Entry
    from pytest_ovirt_release.checks.waiting import Say

OVER = frozenset(
    {"finished_success", "finished_failure", "finished_cleanup", "cancelled_system", "cancelled_user"}
)
REMOVABLE_HOSTS = frozenset(
    {
        "non_responsive",
        "maintenance",
        "down",
        "unassigned",
        "install_failed",
        "pending_approval",
        "non_operational",
        "installing_os",
    }
)


class Remover(Removing):
    """Removes one entry at a time; what is not there any more counts as removed."""

    def __init__(self, engine: Engine, run_id: str, say: Say | None, disks: Sequence[str] = ()) -> None:
        """Take the engine, the run whose objects these are, what is told about waits, and the ids of its disks."""
        super().__init__(engine, run_id, say)
        self._disks = tuple(disks)
        self._steps: dict[str, Callable[[Entry, str | None], None]] = {
            "database": lambda entry, _: remove_database(entry, run_id),
            "vm": self._vm,
            "disk": self._disk,
            "storage-domain": self._domain,
            "moved-host": self._moved_host,
            "data-center": self._data_center,
            "host": self._host,
            "cluster": self._cluster,
        }

    def remove(self, entry: Entry) -> None:
        """Remove what an entry names; Unproven, WaitFailed or ReleaseError say why that was not possible."""
        step = self._steps.get(entry.what)
        if step is None:
            raise ReleaseError(f"nobody knows how to remove a {entry.what}; remove {entry.name} by hand")
        step(entry, entry.id)

    def _vm(self, entry: Entry, known: str | None) -> None:
        vms = self._engine.vms
        vm_id = known or self._find(entry, vms.find)
        vm = vms.get(vm_id) if vm_id else None
        if vm is None or vm_id is None:
            return
        self._own(entry, vm.name, vm.comment)
        if vm.status != "down":
            self._insist(f"{entry} stopped", lambda: vms.stop(vm_id))
            self._wait(f"{entry} down", lambda: (getattr(vms.get(vm_id), "status", GONE), None), "down", GONE)
        self._insist(f"{entry} removed", lambda: self._remove_vm(vm_id))
        self._await_gone(entry, lambda: getattr(vms.get(vm_id), "status", None))

    def _remove_vm(self, vm_id: str) -> None:
        """Remove a VM; where it is held by a disk of this run that a killed transfer has locked, end that one."""
        try:
            self._engine.vms.remove(vm_id)
        except EngineFault as fault:
            if fault.passing:
                for disk_id in self._disks:
                    self._end_transfers(disk_id)
            raise

    def _disk(self, entry: Entry, known: str | None) -> None:
        vms = self._engine.vms
        disk_id = known or self._find(entry, vms.find_disk)
        name = vms.disk_name(disk_id) if disk_id else None
        if disk_id is None or name is None:
            return
        self._own(entry, name)
        if vms.disk_status(disk_id) == "locked":
            self._end_transfers(disk_id)
        self._insist(f"{entry} removed", lambda: vms.remove_disk(disk_id))
        self._await_gone(entry, lambda: vms.disk_status(disk_id))

    def _end_transfers(self, disk_id: str) -> None:
        """Cancel what a killed run left open: it locks the disk until the engine gives it up."""
        vms = self._engine.vms
        for transfer in vms.transfers_of(disk_id):
            if transfer.phase not in OVER:
                with suppress(EngineFault):  # it may have ended by itself
                    vms.cancel_transfer(transfer.id)

    def _domain(self, entry: Entry, known: str | None) -> None:
        storage = self._engine.storage
        domain_id = known or self._find(entry, storage.find)
        domain = storage.get(domain_id) if domain_id else None
        if domain is None or domain_id is None:
            return
        self._own(entry, domain.name, domain.comment)
        if known is None and not self._new(entry, domain_id):
            storage.forget(domain_id)
            raise Unproven(
                f"{entry}: the run ended before it knew whether this domain was new, so the engine was made to "
                f"forget it and nothing was deleted; look into the export for a folder {domain_id}"
            )
        data_center_id = str(entry.details.get("data_center_id") or "")
        self._out_of_data_center(entry, data_center_id, domain_id)
        if entry.details.get("kind") == "nfs":
            host_id = str(entry.details.get("host_id") or "")
            self._insist(f"{entry} removed", lambda: storage.remove(domain_id, host_id))
        self._await_gone(entry, lambda: getattr(storage.get(domain_id), "name", None))

    def _new(self, entry: Entry, domain_id: str) -> bool:
        """Return whether a domain that the ledger has no id of was made by this run, not imported."""
        if entry.details.get("kind") != "nfs":
            return True  # the engine imports without being asked from NFS only
        nodes = self._engine.target.nodes
        node = next((n for n in nodes if n.name == entry.details.get("node")), None)
        return node is not None and name_on_storage(self._engine, node, domain_id) == entry.name

    def _out_of_data_center(self, entry: Entry, data_center_id: str, domain_id: str) -> None:
        storage = self._engine.storage
        status = storage.status(data_center_id, domain_id)
        if status is None:
            return
        if status != "maintenance":
            self._insist(f"{entry} deactivated", lambda: self._deactivate_domain(data_center_id, domain_id))
            self._wait(
                f"{entry} in maintenance",
                lambda: (storage.status(data_center_id, domain_id) or GONE, None),
                "maintenance",
                GONE,
            )
        self._insist(f"{entry} detached", lambda: storage.detach(data_center_id, domain_id))
        self._await_gone(entry, lambda: storage.status(data_center_id, domain_id))

    def _deactivate_domain(self, data_center_id: str, domain_id: str) -> None:
        """Ask for maintenance unless that is already on its way."""
        status = self._engine.storage.status(data_center_id, domain_id)
        if status not in {None, "maintenance", "preparing_for_maintenance", "locked"}:
            self._engine.storage.deactivate(data_center_id, domain_id)

    def _host(self, entry: Entry, known: str | None) -> None:
        hosts = self._engine.hosts
        found = known or self._find(entry, hosts.find)
        host = hosts.get(found) if found else None
        if host is None or self._is_untouched(entry, host):
            return
        self._own(entry, host.name, host.comment)
        host_id = host.id

        def status() -> str:
            return getattr(hosts.get(host_id), "status", GONE)

        # An installation that goes on ends first: until then every request is refused or blocks.
        self._wait(f"{entry} settled", lambda: (status(), None), "up", GONE, *REMOVABLE_HOSTS)
        if status() not in REMOVABLE_HOSTS | {GONE}:
            self._insist(f"{entry} deactivated", lambda: self._deactivate_host(host_id))
            self._wait(f"{entry} in maintenance", lambda: (status(), None), "maintenance", GONE)
        self._insist(f"{entry} removed", lambda: hosts.remove(host_id))
        self._wait(f"{entry} gone", lambda: (status(), None), GONE)

    def _moved_host(self, entry: Entry, known: str | None) -> None:
        """Bring a host that was there before back to its cluster and up; it is somebody's and never removed."""
        hosts, home = self._engine.hosts, str(entry.details.get("from_cluster") or "")
        host = hosts.get(known) if known else None
        if host is None or known is None:
            return

        def status() -> str:
            return getattr(hosts.get(known), "status", GONE)

        if host.cluster_id != home:
            self._insist(f"{entry} deactivated", lambda: self._deactivate_host(known))
            self._wait(f"{entry} in maintenance", lambda: (status(), None), "maintenance", GONE)
            self._insist(f"{entry} moved back", lambda: hosts.move(known, home))
        if status() in {"maintenance", "preparing_for_maintenance"}:
            self._wait(f"{entry} in maintenance", lambda: (status(), None), "maintenance", GONE)
            self._insist(f"{entry} activated", lambda: hosts.activate(known))
        self._wait(f"{entry} up again", lambda: (status(), None), "up", GONE)

    def _is_untouched(self, entry: Entry, host: Host) -> bool:
        """Return whether a node registered by itself and the run ended before it marked and approved the host."""
        itself = entry.details.get("registered_itself") is True
        return itself and host.status == "pending_approval" and host.comment != self._comment

    def _deactivate_host(self, host_id: str) -> None:
        """Ask for maintenance unless that is already on its way, or the host can be removed as it is."""
        host = self._engine.hosts.get(host_id)
        if host is not None and host.status not in REMOVABLE_HOSTS | {"preparing_for_maintenance"}:
            self._engine.hosts.deactivate(host_id)

    def _data_center(self, entry: Entry, known: str | None) -> None:
        hosts = self._engine.hosts
        self._named(entry, known, hosts.find_data_center, hosts.data_center_name, hosts.remove_data_center)

    def _cluster(self, entry: Entry, known: str | None) -> None:
        hosts = self._engine.hosts
        self._named(entry, known, hosts.find_cluster, hosts.cluster_name, hosts.remove_cluster)

    def _named(
        self,
        entry: Entry,
        known: str | None,
        find: Callable[[str], str | None],
        name_of: Callable[[str], str | None],
        remove: Callable[[str], None],
    ) -> None:
        """Remove what has no state and nothing but its name to know it by."""
        found = known or self._find(entry, find)
        name = name_of(found) if found else None
        if found is None or name is None:
            return
        self._own(entry, name)
        self._insist(f"{entry} removed", lambda: remove(found))
        self._await_gone(entry, lambda: name_of(found))
