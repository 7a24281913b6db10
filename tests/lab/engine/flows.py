"""Steps on the way to a running VM, made with the official SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ovirtsdk4 as sdk
from ovirtsdk4 import types

from tests.lab.engine.fakes import Bench, wait
from tests.lab.engine.http import Http

GIBIBYTE = 1024**3
STARTED = 10780


class Lab:
    """A bench with one connection, and the steps of the suite's own flows."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.http = Http(bench)
        self.connection = bench.connection()
        self.system: Any = self.connection.system_service()

    def close(self) -> None:
        self.connection.close()
        self.http.pool.clear()

    def register(self, name: str = "node-1", address: str = "127.0.0.2") -> Any:
        assert self.http.register(name=name, address=address, uniqueId=f"uid-{name}").status == 200
        return self.system.hosts_service().list(search=f"name={name}")[0]

    def host(self, id_: str) -> Any:
        return self.system.hosts_service().host_service(id_)

    def host_up(self, name: str = "node-1", address: str = "127.0.0.2", cluster: str | None = None) -> Any:
        host = self.register(name, address)
        target = types.Cluster(name=cluster) if cluster else None
        self.host(host.id).approve(cluster=target, reboot=False)
        return wait(self.host(host.id).get, lambda seen: seen.status == types.HostStatus.UP)

    def center(self, name: str = "dc-1", *, local: bool = False) -> Any:
        version = types.Version(major=4, minor=8)
        center = self.system.data_centers_service().add(
            types.DataCenter(name=name, local=local, version=version)
        )
        self.system.clusters_service().add(
            types.Cluster(
                name=f"{name}-cluster",
                cpu=types.Cpu(architecture=types.Architecture.X86_64, type="Intel Nehalem Family"),
                data_center=types.DataCenter(id=center.id),
            )
        )
        return center

    def nfs(self, host: str = "node-1", path: str = "/exports/data", name: str = "nfs-1") -> Any:
        storage = types.HostStorage(type=types.StorageType.NFS, address="127.0.0.1", path=path)
        return self._domain(host, name, storage)

    def local(self, host: str = "node-1", name: str = "local-1") -> Any:
        return self._domain(
            host, name, types.HostStorage(type=types.StorageType.LOCALFS, path="/data/images")
        )

    def _domain(self, host: str, name: str, storage: Any) -> Any:
        return self.system.storage_domains_service().add(
            types.StorageDomain(
                name=name, type=types.StorageDomainType.DATA, host=types.Host(name=host), storage=storage
            )
        )

    def attached(self, center: Any) -> Any:
        return self.system.data_centers_service().data_center_service(center.id).storage_domains_service()

    def ready(self) -> tuple[Any, Any, Any]:
        """Return data center, host and domain, everything up."""
        center = self.center()
        host = self.host_up(cluster="dc-1-cluster")
        domain = self.nfs()
        self.attached(center).add(types.StorageDomain(id=domain.id))
        return center, host, domain

    def vm(self, host: Any = None, cluster: str = "dc-1-cluster", name: str = "vm-1", **fields: Any) -> Any:
        policy = None
        if host is not None:
            policy = types.VmPlacementPolicy(affinity=types.VmAffinity.PINNED, hosts=[types.Host(id=host.id)])
        wanted: dict[str, Any] = {
            "name": name,
            "cluster": types.Cluster(name=cluster),
            "template": types.Template(name="Blank"),
            "memory": 256 * 1024 * 1024,
            "bios": types.Bios(type=types.BiosType.Q35_SEA_BIOS),
            "os": types.OperatingSystem(type="other_linux", boot=types.Boot(devices=[types.BootDevice.HD])),
            "placement_policy": policy,
        }
        return self.system.vms_service().add(types.Vm(**(wanted | fields)))

    def disk(self, vm: Any, domain: Any, name: str = "disk-1", size: int = 1024 * 1024) -> Any:
        attachment = (
            self.vm_service(vm)
            .disk_attachments_service()
            .add(
                types.DiskAttachment(
                    active=True,
                    bootable=True,
                    interface=types.DiskInterface.VIRTIO,
                    disk=types.Disk(
                        name=name,
                        format=types.DiskFormat.RAW,
                        provisioned_size=size,
                        sparse=True,
                        storage_domains=[types.StorageDomain(name=domain.name)],
                    ),
                )
            )
        )
        service = self.system.disks_service().disk_service(attachment.disk.id)
        return wait(service.get, lambda disk: disk.status == types.DiskStatus.OK)

    def vm_service(self, vm: Any) -> Any:
        return self.system.vms_service().vm_service(vm.id)

    def events(self, after: int = 0, /, **search: str) -> list[Any]:
        """Return events, oldest first."""
        query = " and ".join(f"{key}={value}" for key, value in search.items()) or None
        found = self.system.events_service().list(from_=after, search=query)
        return list(reversed(found))

    def codes(self, **search: str) -> list[int]:
        """Return the events' codes, without what the engine logs when it starts."""
        return [event.code for event in self.events(**search) if event.code != STARTED]


def refused(what: Callable[[], object]) -> tuple[int | None, str | None]:
    """Return code and detail of the refusal that a call meets."""
    try:
        what()
    except sdk.Error as error:
        return error.code, error.fault.detail if error.fault else None
    raise AssertionError("it was not refused")


@contextmanager
def watching(item: Any, field: str = "status") -> Iterator[list[str]]:
    """Collect every state that one of the engine's own records goes through until the block ends."""
    kind = type(item)
    states = [getattr(item, field)]

    def remember(self: Any, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if self is item and name == field and value != states[-1]:
            states.append(value)

    setattr(kind, "__setattr__", remember)  # noqa: B010 - mypy knows the method's type better than we do
    try:
        yield states
    finally:
        del kind.__setattr__
