"""The hosts behind the recorded engine were simulated too: what a path or a wish made them do."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from pytest_ovirt_release.lab.node.verbs import Connection, DomainInfo, Space, VdsmError, VmSpec, VmStats
from tests.lab.engine.fakes import FakeNode

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
