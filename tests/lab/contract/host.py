"""The hosts behind the recorded engine were simulated too: what a path or a wish made them do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pytest_ovirt_release.lab.node.verbs import (
    Capabilities,
    Connection,
    DomainInfo,
    Hardware,
    Space,
    VdsmError,
    VmSpec,
    VmStats,
)
from tests.lab.engine.fakes import FakeNode, FakeSsh

SSH_PORT = 22
PLAIN = ("11", "12", "16")
"""The last numbers of the hosts that were no nodes."""

NO_ACCESS = (
    "Permission settings on the specified path do not allow access to the storage. "
    "Verify permission settings on the specified storage path."
)


class RecordedStorage(dict[tuple[str | None, str], dict[str, DomainInfo]]):
    """Every path can be mounted, but those that were recorded as missing."""

    def __missing__(self, key: tuple[str | None, str]) -> dict[str, DomainInfo]:
        if "missing" in key[1]:
            raise KeyError(key)
        return self.setdefault(key, {})


BOOT: tuple[tuple[float, VmStats], ...] = (
    (0, VmStats("WaitForLaunch")),
    (0.5, VmStats("Powering up")),
    (2.5, VmStats("Up")),
)
REBOOT: tuple[tuple[float, VmStats], ...] = (
    (0, VmStats("RebootInProgress")),
    (1.5, VmStats("Powering up")),
    (3.5, VmStats("Up")),
)
SHUTDOWN: tuple[tuple[float, VmStats], ...] = (
    (0, VmStats("Powering down")),
    (1.2, VmStats("Down", 0, "User shut down from within the guest")),
)


@dataclass(frozen=True)
class Life:
    """What a VM does from a moment on: (the engine's seconds after it, what its host says)."""

    steps: tuple[tuple[float, VmStats], ...]
    began: float = field(default_factory=time.monotonic)

    def now(self, speed: float) -> VmStats:
        passed = (time.monotonic() - self.began) * speed
        return [stats for after, stats in self.steps if after <= passed][-1]


@dataclass
class RecordedHost(FakeNode):
    """A host as the recordings had it; `password` is what its root logs in with.

    `refuses_domains` is why it finds no domain that is to be attached.
    """

    password: str = "fakepass"
    speed: float = 1.0
    lives: dict[str, Life] = field(default_factory=dict)
    refuses_domains: str | None = None
    changes: dict[str, object] = field(default_factory=dict)

    async def host_get_capabilities(self) -> Capabilities:
        said = await super().host_get_capabilities()
        last = self.address.rsplit(".", 1)[1]
        recorded = replace(
            said,
            cpu_model="Intel(R) Xeon(R) CPU E5-2670 v3 @ 2.30GHz",
            cpu_cores=8,
            vdsm_version="4.50.7-1.el9",
            os_name="RHEL",
            os_version="9 - 6.el9",
            pretty_name="CentOS Stream 9 (fake)" if last in PLAIN else "oVirt Node 4.5 (fake)",
            kernel_arguments="BOOT_IMAGE=/vmlinuz ro",
            libvirt_version="libvirt-10.10.0-8.el9",
            iscsi_initiator=f"iqn.1994-05.com.redhat:fake{last}",
            hardware=Hardware("Fake", "Fake", "FakeVdsm", f"FAKE{last}", "1"),
        )
        return replace(recorded, **self.changes)  # type: ignore[arg-type]  # an act names real fields

    async def connect_storage_server(self, connection: Connection) -> None:
        if "denied" in connection.path:
            raise VdsmError(469, NO_ACCESS)
        await super().connect_storage_server(connection)

    async def create_storage_domain(self, connection: Connection, domain: DomainInfo) -> None:
        if "createfail" in connection.path:
            raise VdsmError(351, "Error creating a storage domain")
        await super().create_storage_domain(connection, domain)

    async def create_vm(self, spec: VmSpec) -> None:
        await super().create_vm(spec)
        self.lives[spec.id] = Life(BOOT)

    async def get_vm_stats(self, vm_id: str) -> VmStats:
        if vm_id in self.stats and vm_id in self.lives:
            self.stats[vm_id] = self.lives[vm_id].now(self.speed)
        return await super().get_vm_stats(vm_id)

    async def shutdown_vm(self, vm_id: str) -> None:
        self.lives[vm_id] = Life(SHUTDOWN)

    async def reboot_vm(self, vm_id: str) -> None:
        self.lives[vm_id] = Life(REBOOT)

    def crash(self, vm_id: str) -> None:
        """Lose a VM's process."""
        self.lives[vm_id] = Life(((0, VmStats("Down", 1, "Lost connection with qemu process")),))

    async def get_storage_domain_stats(self, domain_id: str) -> Space:
        if self.refuses_domains is not None:
            raise VdsmError(391, self.refuses_domains)
        return await super().get_storage_domain_stats(domain_id)


@dataclass
class RecordedSsh(FakeSsh):
    """The hosts' SSH: at port 22 of every host's address, for root and its password."""

    nodes: Mapping[str, FakeNode] = field(default_factory=dict)
    public_key: str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCm ovirt-engine"

    async def host_key(self, address: str, ssh_port: int) -> str:
        if address not in self.nodes or ssh_port != SSH_PORT:
            raise ConnectionRefusedError(f"{address}:{ssh_port}")
        return await super().host_key(address, ssh_port)

    async def authorize(self, address: str, ssh_port: int, user: str, password: str | None) -> None:
        node = self.nodes[address]
        right = node.password if isinstance(node, RecordedHost) else None
        if user != "root" or password not in {None, right}:
            raise PermissionError(f"{user}@{address}:{ssh_port} is not let in")
