"""Everything the engine knows, as plain records. One event loop owns it, so there are no locks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from pytest_ovirt_release.lab.engine.realm import Cluster, DataCenter, StorageDomain

if TYPE_CHECKING:
    from pytest_ovirt_release.lab.node.verbs import Capabilities

__all__ = ["Cluster", "DataCenter", "StorageDomain"]

BootDevice = Literal["hd", "cdrom", "network"]
Bus = Literal["virtio", "sata", "ide", "virtio_scsi"]

BLANK = "00000000-0000-0000-0000-000000000000"
"""Id of the template Blank and of the root tag."""


def now() -> datetime:
    """Return the time; timestamps are never scaled."""
    return datetime.now(UTC)


@lru_cache(maxsize=4096)
def stamp(when: datetime) -> str:
    """Write a time as the engine does: milliseconds, UTC."""
    return when.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


@dataclass
class Host:
    """A host. `busy` while a deployment or a removal holds it, `lost` once it was silent for too long."""

    id: str
    name: str
    address: str
    cluster: str
    unique_id: str
    ssh_port: int = 22
    ssh_fingerprint: str | None = None
    ssh_key: str | None = None
    vdsm_port: int = 54321
    status: str = "pending_approval"
    status_detail: str | None = None
    comment: str = ""
    spm_status: str = "none"
    capabilities: Capabilities | None = None
    reinstallation_required: bool = False
    busy: bool = False
    lost: bool = False


@dataclass
class Disk:
    """A disk image; its bytes are the node's."""

    id: str
    image_id: str
    name: str
    format: str
    provisioned_size: int
    sparse: bool
    domain: str
    description: str = ""
    status: str = "locked"
    actual_size: int = 0
    locked_for: str = ""


@dataclass
class Attachment:
    """A disk at a VM."""

    disk: str
    bootable: bool
    interface: Bus
    active: bool


@dataclass
class Nic:
    """A network interface of a VM."""

    id: str
    name: str
    interface: str
    profile: str | None
    mac: str
    linked: bool = True
    plugged: bool = True


@dataclass
class Vm:
    """A virtual machine. `run_correlation` is the correlation id of the request that started it.

    `stop_reason` is what somebody gave when he stopped it, None when nobody did; `port` is its display's.
    """

    id: str
    name: str
    cluster: str
    memory: int
    bios_type: str
    boot: tuple[BootDevice, ...]
    os_type: str
    cores: int = 1
    sockets: int = 1
    threads: int = 1
    description: str = ""
    comment: str = ""
    affinity: str = "migratable"
    pinned: tuple[str, ...] = ()
    console: bool = False
    high_availability: bool = False
    type: str = "server"
    status: str = "down"
    host: str | None = None
    run_once: bool = False
    run_correlation: str = ""
    stopping: bool = False
    announced: bool = False
    created: datetime = field(default_factory=now)
    start_time: datetime | None = None
    stop_time: datetime | None = field(default_factory=now)
    stop_reason: str | None = None
    port: int = 5900
    attachments: list[Attachment] = field(default_factory=list)
    nics: list[Nic] = field(default_factory=list)


@dataclass
class Transfer:
    """An image transfer."""

    id: str
    disk: str
    direction: str
    format: str
    phase: str = "initializing"
    host: str | None = None
    url: str | None = None
    ticket: str | None = None
    inactivity_timeout: int = 60
    timeout_policy: str = "legacy"
    active: bool = False


@dataclass
class Step:
    """One step of a job."""

    id: str
    type: str
    status: str = "started"
    start_time: datetime = field(default_factory=now)
    end_time: datetime | None = None


@dataclass
class Job:
    """One command, as the jobs page shows it."""

    id: str
    description: str
    status: str = "started"
    start_time: datetime = field(default_factory=now)
    end_time: datetime | None = None
    last_updated: datetime = field(default_factory=now)
    external: bool = False
    auto_cleared: bool = True
    steps: list[Step] = field(default_factory=list)


@dataclass
class State:
    """All of it, by id, in the order things were made."""

    data_centers: dict[str, DataCenter] = field(default_factory=dict)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)
    storage_domains: dict[str, StorageDomain] = field(default_factory=dict)
    disks: dict[str, Disk] = field(default_factory=dict)
    vms: dict[str, Vm] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    connecting: set[tuple[str, str | None, str]] = field(default_factory=set)
    adding: set[str] = field(default_factory=set)
    storage_tasks: dict[str, int] = field(default_factory=dict)
    registration_cluster: str = ""
    """Id of the cluster that hosts register into."""

    def data_center_of(self, cluster_id: str) -> DataCenter | None:
        """Return the data center of a cluster, if it has one."""
        cluster = self.clusters.get(cluster_id)
        return None if cluster is None else self.data_centers.get(cluster.data_center or "")

    def hosts_in(self, data_center: str, status: str | None = None) -> list[Host]:
        """Return the hosts of a data center, all or those in one status."""
        return [
            host
            for host in self.hosts.values()
            if (found := self.data_center_of(host.cluster)) is not None
            and found.id == data_center
            and status in (None, host.status)
        ]

    def domains_in(self, data_center: str) -> list[StorageDomain]:
        """Return the storage domains attached to a data center."""
        return [domain for domain in self.storage_domains.values() if domain.data_center == data_center]

    def vms_on(self, host: str) -> list[Vm]:
        """Return the VMs that a host runs."""
        return [vm for vm in self.vms.values() if vm.host == host]

    def vms_with(self, disk: str) -> list[Vm]:
        """Return the VMs that a disk is attached to."""
        return [vm for vm in self.vms.values() if any(a.disk == disk for a in vm.attachments)]
