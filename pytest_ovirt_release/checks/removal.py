"""Removal of what a run made: in the order that dependencies ask for, each step repeatable, with a deadline.

Only objects that the ledger names, and that still carry this run's name or comment, are touched.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_ovirt_release.checks.engine import EngineFault
from pytest_ovirt_release.checks.ledger import in_removal_order, object_name
from pytest_ovirt_release.checks.waiting import WaitFailed, wait_until
from pytest_ovirt_release.errors import ReleaseError, Unproven

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_ovirt_release.checks.engine import Engine
    from pytest_ovirt_release.checks.ledger import Entry, Ledger
    from pytest_ovirt_release.checks.waiting import Say

GONE = "gone"
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


def remove_all(
    engine: Engine, ledger: Ledger, entries: Iterable[Entry], say: Say | None = None
) -> list[Entry]:
    """Remove these entries and return what is left, each with the sentence why (also in the ledger)."""
    left = []
    remover = _Remover(engine, ledger.run_id, say)
    for entry in in_removal_order(entries):
        if say is not None:
            say(f"removing {entry}")
        try:
            remover.remove(entry)
        except (Unproven, ReleaseError, WaitFailed) as error:
            ledger.left(entry.entry, str(error))
            left.append(replace(entry, left=str(error)))
        else:
            ledger.removed(entry.entry)
    return left


class _Remover:
    def __init__(self, engine: Engine, run_id: str, say: Say | None) -> None:
        self._engine = engine
        self._comment = object_name(run_id, "run")
        self._run_id = run_id
        self._say = say
        self._steps: dict[str, Callable[[Entry, str | None], None]] = {
            "vm": self._vm,
            "disk": self._disk,
            "storage-domain": self._domain,
            "data-center": self._data_center,
            "host": self._host,
            "cluster": self._cluster,
        }

    def remove(self, entry: Entry) -> None:
        step = self._steps.get(entry.what)
        if step is None:
            raise ReleaseError(f"nobody knows how to remove a {entry.what}; remove {entry.name} by hand")
        step(entry, entry.id)

    def _own(self, entry: Entry, name: str, comment: str = "") -> None:
        """Refuse to touch what does not carry this run's id, whatever the ledger says."""
        if self._run_id not in name and comment != self._comment:
            raise Unproven(f"{entry} is called {name!r} now and does not carry this run's id: not touched")

    def _insist(self, what: str, act: Callable[[], None]) -> None:
        """Ask until the engine is not busy with something else any more."""

        def probe() -> tuple[str, None]:
            try:
                act()
            except EngineFault as fault:
                if not fault.passing:
                    raise
                return f"refused ({fault.detail[:120]})", None
            return "done", None

        self._wait(what, probe, "done")

    def _wait(self, what: str, probe: Callable[[], tuple[str, None]], *wanted: str) -> None:
        wait_until(
            probe,
            what=what,
            deadline=self._engine.deadlines.removal,
            wanted=wanted,
            say=self._say,
            flag=self._engine.flag,
        )

    def _await_gone(self, entry: Entry, state: Callable[[], str | None]) -> None:
        self._wait(f"{entry} gone", lambda: (state() or GONE, None), GONE)

    def _vm(self, entry: Entry, known: str | None) -> None:
        vms = self._engine.vms
        vm_id = known or vms.find(entry.name)
        vm = vms.get(vm_id) if vm_id else None
        if vm is None or vm_id is None:
            return
        self._own(entry, vm.name, vm.comment)
        if vm.status != "down":
            self._insist(f"{entry} stopped", lambda: vms.stop(vm_id))
            self._wait(f"{entry} down", lambda: (getattr(vms.get(vm_id), "status", GONE), None), "down", GONE)
        self._insist(f"{entry} removed", lambda: vms.remove(vm_id))
        self._await_gone(entry, lambda: getattr(vms.get(vm_id), "status", None))

    def _disk(self, entry: Entry, known: str | None) -> None:
        vms = self._engine.vms
        disk_id = known or vms.find_disk(entry.name)
        name = vms.disk_name(disk_id) if disk_id else None
        if disk_id is None or name is None:
            return
        self._own(entry, name)
        self._insist(f"{entry} removed", lambda: vms.remove_disk(disk_id))
        self._await_gone(entry, lambda: vms.disk_status(disk_id))

    def _domain(self, entry: Entry, known: str | None) -> None:
        storage = self._engine.storage
        domain_id = known or storage.find(entry.name)
        domain = storage.get(domain_id) if domain_id else None
        if domain is None or domain_id is None:
            return
        self._own(entry, domain.name, domain.comment)
        if known is None:
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

    def _data_center(self, entry: Entry, known: str | None) -> None:
        hosts = self._engine.hosts
        data_center_id = known or hosts.find_data_center(entry.name)
        name = hosts.data_center_name(data_center_id) if data_center_id else None
        if data_center_id is None or name is None:
            return
        self._own(entry, name)
        self._insist(f"{entry} removed", lambda: hosts.remove_data_center(data_center_id))
        self._await_gone(entry, lambda: hosts.data_center_name(data_center_id))

    def _host(self, entry: Entry, known: str | None) -> None:
        hosts = self._engine.hosts
        host = hosts.get(known) if known else next((h for h in hosts.list() if h.name == entry.name), None)
        if host is None:
            return
        self._own(entry, host.name, host.comment)
        host_id = host.id

        def status() -> str:
            return getattr(hosts.get(host_id), "status", GONE)

        if host.status not in REMOVABLE_HOSTS:
            self._insist(f"{entry} deactivated", lambda: self._deactivate_host(host_id))
            self._wait(f"{entry} in maintenance", lambda: (status(), None), "maintenance", GONE)
        self._insist(f"{entry} removed", lambda: hosts.remove(host_id))
        self._wait(f"{entry} gone", lambda: (status(), None), GONE)

    def _deactivate_host(self, host_id: str) -> None:
        """Ask for maintenance unless that is already on its way, or the host can be removed as it is."""
        host = self._engine.hosts.get(host_id)
        if host is not None and host.status not in REMOVABLE_HOSTS | {"preparing_for_maintenance"}:
            self._engine.hosts.deactivate(host_id)

    def _cluster(self, entry: Entry, known: str | None) -> None:
        hosts = self._engine.hosts
        cluster_id = known or hosts.find_cluster(entry.name)
        name = hosts.cluster_name(cluster_id) if cluster_id else None
        if cluster_id is None or name is None:
            return
        self._own(entry, name)
        self._insist(f"{entry} removed", lambda: hosts.remove_cluster(cluster_id))
        self._await_gone(entry, lambda: hosts.cluster_name(cluster_id))
