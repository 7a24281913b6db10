"""An engine of a few dicts with the facade's methods; every call is remembered, and a test can refuse any."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_ovirt_release.checks.engine import Domain, EngineFault, Event, Host, Transfer, Vm
from pytest_ovirt_release.checks.engine.facts import Standing
from pytest_ovirt_release.target.model import Deadlines, Target

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(detail: str, status: int = 409) -> EngineFault:
    return EngineFault(status, "Operation Failed", detail, request="do it", correlation="rel-x")


class FakeEngine:
    """Objects by id; `refuse["hosts.approve"]` holds what that call raises, one after another."""

    def __init__(self) -> None:
        self.deadlines = Deadlines(
            request=1,
            registration=0.3,
            approve=1,
            host_up=0.5,
            storage=0.5,
            disk=0.5,
            guest=0.5,
            removal=0.5,
            ssh=1,
        )
        self.flag = threading.Event()
        self.target: Target | None = None
        self.base = "https://127.0.0.1:4443"
        self.met: Callable[[str, str], None] = lambda *_: None
        self.calls: list[str] = []
        self.refuse: dict[str, list[Exception]] = {}
        self.after: dict[str, Callable[[], None]] = {}
        self.host_by_id: dict[str, Host] = {}
        self.data_centers: dict[str, str] = {}
        self.clusters: dict[str, str] = {}
        self.standing: dict[str, Standing] = {}
        self.domains: dict[str, Domain] = {}
        self.attached: dict[str, str] = {}
        self.vm_by_id: dict[str, Vm] = {}
        self.disks: dict[str, str] = {}
        self.transfers: list[Transfer] = []
        self.log: list[Event] = []
        self.hosts, self.storage, self.vms, self.events = Hosts(self), Storage(self), Vms(self), Events(self)

    def asked(self, call: str, *words: object) -> None:
        self.calls.append(" ".join([call, *map(str, words)]))
        queue = self.refuse.get(call)
        if queue:
            raise queue.pop(0)
        if call in self.after:
            self.after.pop(call)()

    def did(self, call: str) -> int:
        return sum(1 for c in self.calls if c.split()[0] == call)

    def say(self, code: int, text: str, host: str | None = None, correlation: str | None = None) -> None:
        self.log.append(Event(len(self.log) + 1, code, "normal", "", text, correlation, host, None))

    def said(self) -> list[str]:
        return [str(event) for event in self.log if event.correlation]

    def host(self, **changes: Any) -> Host:
        given: dict[str, Any] = {
            "id": "h1",
            "name": "node-1",
            "address": "127.0.0.2",
            "status": "pending_approval",
            "status_detail": "",
            "comment": "",
            "cluster_id": None,
            "uuid": None,
        }
        made = Host(**{**given, **changes})
        self.host_by_id[made.id] = made
        return made

    def become(self, status: str, host_id: str = "h1") -> None:
        self.host_by_id[host_id] = replace(self.host_by_id[host_id], status=status)


class Hosts:
    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine

    def list(self) -> tuple[Host, ...]:
        return tuple(self.engine.host_by_id.values())

    def get(self, host_id: str) -> Host | None:
        return self.engine.host_by_id.get(host_id)

    def by_address(self, address: str) -> Host | None:
        return next((h for h in self.list() if h.address == address), None)

    def find(self, name: str) -> str | None:
        return next((h.id for h in self.list() if h.name == name), None)

    def mark(self, host_id: str, comment: str) -> None:
        self.engine.asked("hosts.mark", host_id, comment)
        self.engine.host_by_id[host_id] = replace(self.engine.host_by_id[host_id], comment=comment)

    def approve(self, host_id: str, cluster_id: str) -> str:
        self.engine.become("installing", host_id)
        try:
            self.engine.asked("hosts.approve", host_id, cluster_id)
        except EngineFault:
            self.engine.become("install_failed", host_id)
            raise
        self.engine.become("up", host_id)
        self.engine.say(13, f"Status of host {host_id} was set to Up.", host_id)
        return "rel-x"

    def deactivate(self, host_id: str) -> None:
        self.engine.asked("hosts.deactivate", host_id)
        self.engine.become("maintenance", host_id)

    def activate(self, host_id: str) -> None:
        self.engine.asked("hosts.activate", host_id)
        self.engine.become("up", host_id)

    def move(self, host_id: str, cluster_id: str) -> None:
        self.engine.asked("hosts.move", host_id, cluster_id)
        self.engine.host_by_id[host_id] = replace(self.engine.host_by_id[host_id], cluster_id=cluster_id)

    def place_of(self, cluster_id: str) -> Standing | None:
        return self.engine.standing.get(cluster_id)

    def remove(self, host_id: str) -> None:
        self.engine.asked("hosts.remove", host_id)
        self.engine.host_by_id.pop(host_id, None)

    def add_data_center(self, name: str, comment: str, *, local: bool) -> str:
        self.engine.asked("dc.add", name)
        self.engine.data_centers[f"dc-{name}"] = name
        return f"dc-{name}"

    def data_center_status(self, data_center_id: str) -> str | None:
        return "up" if data_center_id in self.engine.data_centers else None

    def data_center_name(self, data_center_id: str) -> str | None:
        return self.engine.data_centers.get(data_center_id)

    def find_data_center(self, name: str) -> str | None:
        return next((i for i, n in self.engine.data_centers.items() if n == name), None)

    def remove_data_center(self, data_center_id: str) -> None:
        self.engine.asked("dc.remove", data_center_id)
        self.engine.data_centers.pop(data_center_id, None)

    def add_cluster(self, name: str, comment: str, data_center_id: str) -> str:
        self.engine.asked("cluster.add", name)
        self.engine.clusters[f"cl-{name}"] = name
        return f"cl-{name}"

    def cluster_name(self, cluster_id: str) -> str | None:
        return self.engine.clusters.get(cluster_id)

    def find_cluster(self, name: str) -> str | None:
        return next((i for i, n in self.engine.clusters.items() if n == name), None)

    def remove_cluster(self, cluster_id: str) -> None:
        self.engine.asked("cluster.remove", cluster_id)
        self.engine.clusters.pop(cluster_id, None)


class Storage:
    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine

    def add_nfs(self, name: str, comment: str, host_id: str, export: object) -> str:
        self.engine.asked("sd.add", name)
        self.engine.domains["sd1"] = Domain("sd1", name, comment)
        return "sd1"

    def add_local(self, name: str, comment: str, host_id: str, *, path: str) -> str:
        self.add_nfs(name, comment, host_id, path)
        self.engine.attached["sd1"] = "active"
        return "sd1"

    def list(self) -> tuple[Domain, ...]:
        return tuple(self.engine.domains.values())

    def get(self, domain_id: str) -> Domain | None:
        return self.engine.domains.get(domain_id)

    def find(self, name: str) -> str | None:
        return next((d.id for d in self.list() if d.name == name), None)

    def attach(self, data_center_id: str, domain_id: str) -> None:
        self.engine.asked("sd.attach", domain_id)
        self.engine.attached[domain_id] = "active"

    def status(self, data_center_id: str, domain_id: str) -> str | None:
        return self.engine.attached.get(domain_id)

    def deactivate(self, data_center_id: str, domain_id: str) -> None:
        self.engine.asked("sd.deactivate", domain_id)
        self.engine.attached[domain_id] = "maintenance"

    def detach(self, data_center_id: str, domain_id: str) -> None:
        self.engine.asked("sd.detach", domain_id)
        self.engine.attached.pop(domain_id, None)

    def remove(self, domain_id: str, host_id: str) -> None:
        self.engine.asked("sd.format", domain_id, host_id)
        self.engine.domains.pop(domain_id, None)

    def forget(self, domain_id: str) -> None:
        self.engine.asked("sd.forget", domain_id)
        self.engine.domains.pop(domain_id, None)


class Vms:
    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine

    def get(self, vm_id: str) -> Vm | None:
        return self.engine.vm_by_id.get(vm_id)

    def find(self, name: str) -> str | None:
        return next((v.id for v in self.engine.vm_by_id.values() if v.name == name), None)

    def stop(self, vm_id: str) -> None:
        self.engine.asked("vm.stop", vm_id)
        self.engine.vm_by_id[vm_id] = replace(self.engine.vm_by_id[vm_id], status="down")

    def remove(self, vm_id: str) -> None:
        self.engine.asked("vm.remove", vm_id)
        self.engine.vm_by_id.pop(vm_id, None)

    def disk_status(self, disk_id: str) -> str | None:
        locked = any(t.phase == "transferring" for t in self.engine.transfers)
        return ("locked" if locked else "ok") if disk_id in self.engine.disks else None

    def transfers_of(self, disk_id: str) -> tuple[Transfer, ...]:
        return tuple(self.engine.transfers)

    def cancel_transfer(self, transfer_id: str) -> None:
        self.engine.asked("transfer.cancel", transfer_id)
        self.engine.transfers.clear()

    def disk_name(self, disk_id: str) -> str | None:
        return self.engine.disks.get(disk_id)

    def find_disk(self, name: str) -> str | None:
        return next((i for i, n in self.engine.disks.items() if n == name), None)

    def remove_disk(self, disk_id: str) -> None:
        self.engine.asked("disk.remove", disk_id)
        self.engine.disks.pop(disk_id, None)


class Events:
    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine

    def last(self) -> int:
        return len(self.engine.log)

    def since(self, index: int) -> tuple[Event, ...]:
        return tuple(e for e in self.engine.log if e.index > index)
