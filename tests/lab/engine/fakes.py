"""Stand-ins for what surrounds the lab's engine: nodes in memory, a login that always works, a CA."""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import ovirtsdk4 as sdk
import trustme

from pytest_ovirt_release.lab.clock import Clock
from pytest_ovirt_release.lab.engine.server import LabEngine
from pytest_ovirt_release.lab.node.verbs import (
    Capabilities,
    Connection,
    DomainInfo,
    HostStats,
    ImageInfo,
    Node,
    Space,
    Ticket,
    VdsmError,
    VmSpec,
    VmStats,
    Volume,
)

PASSWORD = "right-password"
ROOT_PASSWORD = "roots-password"
SPEED = 200.0
SPACE = Space(100 * 1024**3, 90 * 1024**3)
T = TypeVar("T")
Exports = dict[tuple[str | None, str], dict[str, DomainInfo]]


@dataclass
class FakeNode:
    """A node that keeps everything in memory; `exports` is shared by all nodes that mount the same storage."""

    address: str
    exports: Exports
    uuid: str = "00000000-aaaa-4bbb-8ccc-000000000001"
    said: list[str] = field(default_factory=list)
    broken: dict[str, VdsmError] = field(default_factory=dict)
    connected: dict[str, Connection] = field(default_factory=dict)
    images: dict[str, int] = field(default_factory=dict)
    vms: dict[str, VmSpec] = field(default_factory=dict)
    stats: dict[str, VmStats] = field(default_factory=dict)
    levels: tuple[str, ...] = ("4.6", "4.7", "4.8")
    ailing: dict[str, int] = field(default_factory=dict)

    def _heard(self, verb: str, *details: object) -> None:
        self.said.append(" ".join([verb, *(str(detail) for detail in details)]))
        if verb in self.broken:
            raise self.broken[verb]

    def _storage(self, connection: Connection) -> dict[str, DomainInfo]:
        key = connection.address if connection.type == "nfs" else self.address
        try:
            return self.exports[key, connection.path]
        except KeyError:
            raise VdsmError(477, "Problem while trying to mount target") from None

    async def host_get_capabilities(self) -> Capabilities:
        if "host_get_capabilities" in self.broken:
            raise self.broken["host_get_capabilities"]
        facts = {"lab": "a stand-in"}
        return Capabilities(
            self.uuid, "node", "Haswell", 2, 2 * 1024**3, "4.50.7", "oVirt Node", "4.5.8", self.levels, facts
        )

    async def get_stats(self) -> HostStats:
        if "get_stats" in self.broken:
            raise self.broken["get_stats"]
        mounted = [domain for connection in self.connected.values() for domain in self._storage(connection)]
        return HostStats({domain: self.ailing.get(domain, 0) for domain in mounted})

    async def connect_storage_server(self, connection: Connection) -> None:
        self._heard("connect", connection.path)
        self._storage(connection)
        self.connected[connection.id] = connection

    async def disconnect_storage_server(self, connection: Connection) -> None:
        self._heard("disconnect", connection.path)
        self.connected.pop(connection.id, None)

    async def get_storage_domains(self, connection: Connection) -> tuple[DomainInfo, ...]:
        return tuple(self._storage(connection).values())

    async def create_storage_domain(self, connection: Connection, domain: DomainInfo) -> None:
        self._heard("create_storage_domain", domain.name)
        self._storage(connection)[domain.id] = domain

    async def format_storage_domain(self, domain_id: str) -> None:
        self._heard("format")
        for connection in self.connected.values():
            self._storage(connection).pop(domain_id, None)

    async def get_storage_domain_stats(self, domain_id: str) -> Space:
        return SPACE

    async def create_volume(self, volume: Volume, size: int, name: str) -> None:
        self._heard("create_volume", size)
        self.images[volume.image_id] = size

    async def get_images(self, domain_id: str) -> tuple[ImageInfo, ...]:
        return ()

    async def delete_image(self, domain_id: str, image_id: str) -> None:
        self._heard("delete_image")
        self.images.pop(image_id)

    async def add_image_ticket(
        self, ticket_id: str, volume: Volume, size: int, operation: Literal["read", "write"]
    ) -> Ticket:
        self._heard("add_image_ticket", operation, size)
        return Ticket(ticket_id, f"https://{self.address}:54322/images/{ticket_id}")

    async def remove_image_ticket(self, ticket_id: str) -> None:
        self._heard("remove_image_ticket")

    async def create_vm(self, spec: VmSpec) -> None:
        self._heard("create_vm", spec.name, spec.firmware)
        self.vms[spec.id] = spec
        self.stats[spec.id] = VmStats("WaitForLaunch")

    async def get_vm_stats(self, vm_id: str) -> VmStats:
        if vm_id not in self.stats:
            raise VdsmError(1, "Virtual machine does not exist")
        return self.stats[vm_id]

    async def shutdown_vm(self, vm_id: str) -> None:
        self._heard("shutdown_vm")
        self.stats[vm_id] = VmStats("Powering down")

    async def reboot_vm(self, vm_id: str) -> None:
        self._heard("reboot_vm")
        self.stats[vm_id] = VmStats("RebootInProgress")

    async def hibernate_vm(self, vm_id: str) -> None:
        self._heard("hibernate_vm")
        self.stats.pop(vm_id, None)

    async def destroy_vm(self, vm_id: str) -> None:
        self._heard("destroy_vm")
        self.stats.pop(vm_id, None)


@dataclass
class FakeSsh:
    """A login that works unless told otherwise."""

    public_key: str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ ovirt-engine"
    error: Exception | None = None
    deployed: list[tuple[str, int]] = field(default_factory=list)

    async def host_key(self, address: str, ssh_port: int) -> str:
        return f"ssh-ed25519 {base64.b64encode(f'{address}:{ssh_port}'.encode()).decode()} root@{address}"

    async def authorize(self, address: str, ssh_port: int, user: str, password: str | None) -> None:
        if password not in {None, ROOT_PASSWORD} or user != "root":
            raise PermissionError(f"{user}@{address}:{ssh_port} is not let in")

    async def deploy(self, address: str, ssh_port: int) -> None:
        self.deployed.append((address, ssh_port))
        if self.error is not None:
            raise self.error


@dataclass
class FakePki:
    """Certificates by two unrelated CAs."""

    ca_pem: bytes
    engine_cert: Path
    engine_key: Path
    stranger_cert: Path
    stranger_key: Path

    @classmethod
    def make(cls, folder: Path) -> FakePki:
        paths = []
        authorities = [
            trustme.CA(organization_name="test CA", key_type=trustme.KeyType.RSA),
            trustme.CA(organization_name="stranger"),
        ]
        for name, authority in zip(("engine", "stranger"), authorities, strict=True):
            leaf = authority.issue_cert("127.0.0.1", "localhost")
            certificate, key = folder / f"{name}.cer", folder / f"{name}.key"
            certificate.write_bytes(leaf.cert_chain_pems[0].bytes())
            key.write_bytes(leaf.private_key_pem.bytes())
            paths += [certificate, key]
        return cls(authorities[0].cert_pem.bytes(), *paths)


class Bench:
    """An engine that runs in a loop of its own thread, with clients in front and stand-ins behind."""

    def __init__(
        self,
        folder: Path,
        pki: FakePki,
        faults: frozenset[str] = frozenset(),
        speed: float = SPEED,
        addresses: Sequence[str] = ("127.0.0.2", "127.0.0.3", "127.0.0.9"),
        seed: int = 0,
    ) -> None:
        self.exports: Exports = {
            ("127.0.0.1", "/exports/data"): {},
            ("127.0.0.1", "/exports/more"): {},
            ("127.0.0.2", "/data/images"): {},
        }
        self.nodes = {a: FakeNode(a, self.exports) for a in addresses}
        self.ssh = FakeSsh()
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(pki.ca_pem)
        nodes: dict[str, Node] = dict(self.nodes)
        self.engine = LabEngine(
            clock=Clock(speed),
            faults=faults,
            nodes=nodes,
            pki=pki,
            folder=folder,
            admin_password=PASSWORD,
            ssh=self.ssh,
            seed=seed,
        )
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.do(self.engine.start())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(timeout=20)

    def close(self) -> None:
        self.do(self.engine.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=10)
        self.loop.close()

    def connection(self, password: str = PASSWORD, user: str = "admin@internal") -> sdk.Connection:
        return sdk.Connection(
            url=self.engine.url, username=user, password=password, ca_file=str(self.ca_file), timeout=20
        )


def wait(what: Callable[[], T], wanted: Callable[[T], bool], seconds: float = 15) -> T:
    """Look until something is as wanted; the last thing seen is in the failure."""
    end = time.monotonic() + seconds
    while True:
        seen = what()
        if wanted(seen):
            return seen
        assert time.monotonic() < end, f"still {seen}"
        time.sleep(0.01)
